from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ci.images.contents import HOME, Entry, complete, entries, tools
from qa.errors import InfrastructureError

pytestmark = pytest.mark.skipif(shutil.which("ldd") is None, reason="only Linux has ldd")


def test_an_image_of_tools_has_a_shell_its_libraries_and_what_every_system_has() -> None:
    """Nobody is known there, and everybody may write to the folder of temporary files."""
    found = complete(tools())
    assert {"bin/sh", "bin/cat", "bin/bash", "etc/passwd", "dev", "proc"} <= set(found)
    assert any(Path(place).name.startswith("libc.so") for place in found)
    assert found["tmp"].mode == 0o1777
    assert b"nobody:x:65534:" in (found["etc/passwd"].data or b"")
    assert list(found) == sorted(found)


def test_what_is_given_counts_before_what_every_system_has() -> None:
    """A file of one's own replaces that of the same path."""
    own = Entry("etc/passwd", data=b"me\n")
    assert complete([own])["etc/passwd"] is own


def test_without_a_shell_there_is_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told in one line."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InfrastructureError, match="an image needs the program cat, which is not on PATH"):
        list(tools())


@pytest.mark.pipeline
def test_an_image_of_obsqa_has_all_of_it_and_runs_its_own_python() -> None:
    """The four packages, the regression data, the middleware, and `obsqa` itself."""
    pytest.importorskip("packaging")
    found = entries()
    site = next(path.rsplit("/qa/plan.py", 1)[0] for path in found if path.endswith("site-packages/qa/plan.py"))
    wanted = ("ci/cli.py", "obs_registry/cameras", "reports/html.py", "qa/_regression_data/skies", "lsst/daf/butler")
    for name in wanted:
        assert any(path.startswith(f"{site}/{name}") for path in found), name
    script = found[f"{HOME}/bin/obsqa"].data or b""
    assert script.startswith(f"#!/{HOME}/bin/python\n".encode())
    assert not any(path.endswith((".pyc", ".pth")) for path in found)
