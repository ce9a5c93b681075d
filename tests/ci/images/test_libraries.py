from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from ci.images.libraries import libraries_of
from qa.errors import InfrastructureError

pytestmark = pytest.mark.skipif(shutil.which("ldd") is None, reason="only Linux has ldd")


def test_the_libraries_of_a_program_keep_their_places() -> None:
    """The loader looks for them there."""
    found = libraries_of([Path("/bin/sh").resolve()], relocated=Path("/nowhere"))
    (libc,) = (place for place in found if Path(place).name.startswith("libc.so"))
    assert all(source == Path("/", place) and source.is_file() for place, source in found.items())
    assert not libc.startswith("/")


def test_the_library_of_a_moved_interpreter_comes_to_lie_beside_the_c_library(tmp_path: Path) -> None:
    """Where it was, nothing is in the image."""
    binary, moved = Path(sys.executable).resolve(), Path("/bin/sh").resolve()
    here = libraries_of([binary, moved], relocated=tmp_path)
    libc = next(path for path in here.values() if path.name.startswith("libc.so"))
    elsewhere = libraries_of([binary, moved], relocated=libc.parent)
    assert {Path(place).parent for place, path in elsewhere.items() if path.parent == libc.parent} == {
        Path(str(libc.parent).lstrip("/"))
    }


def test_a_file_that_is_no_program_needs_none(tmp_path: Path) -> None:
    """Scripts are among the tools too."""
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert libraries_of([script], relocated=tmp_path) == {}


def test_where_nobody_can_be_asked_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InfrastructureError, match="needs the libraries that ldd tells of, which cannot be run"):
        libraries_of([Path("/bin/sh")], relocated=Path("/nowhere"))
