"""Archives: what goes in comes out, and what strangers send stays in its folder."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.reproduce import archive
from ci.reproduce.archive import is_inside, pack, unpack
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of two files, one of which can be executed."""
    made = tmp_path / "thing"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "a.txt").write_text("a\n")
    (made / "run").write_text("#!/bin/sh\n")
    (made / "run").chmod(0o755)
    return made


def crafted(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write an archive of anything."""
    with tarfile.open(path, "w:gz") as tar:
        for entry, content in entries:
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_what_goes_in_comes_out(folder: Path, tmp_path: Path) -> None:
    """Contents and whether a file can be executed; the same files make the same bytes, whenever."""
    size = pack(folder, tmp_path / "a.tar.gz")
    assert size == (tmp_path / "a.tar.gz").stat().st_size
    (folder / "run").touch()
    pack(folder, tmp_path / "b.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    there = unpack(tmp_path / "a.tar.gz", tmp_path / "into")
    assert there.name == "thing"
    assert (there / "inner" / "a.txt").read_text() == "a\n"
    assert (there / "run").stat().st_mode & 0o777 == 0o755
    assert (there / "inner" / "a.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "name", ["../out", "/etc/passwd", "thing/../../out", "thing/..", "a\nb", "thing/\x1b[31m", "x" * 300, "a:b", "~"]
)
def test_names_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    """Before anything is written; names are plain ones, so that the line that tells of them is one."""
    path = crafted(tmp_path / "a.tar.gz", (tarfile.TarInfo(name), b"x"))
    with pytest.raises(DocumentError, match="names that stay in its folder") as caught:
        unpack(path, tmp_path / "into")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert not list((tmp_path / "into").iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_only_plain_files_are_unpacked(kind: bytes, tmp_path: Path) -> None:
    """No link that a later file could be written through, no device."""
    entry = tarfile.TarInfo("thing/link")
    entry.type, entry.linkname = kind, "/etc"
    with pytest.raises(DocumentError, match="of plain files"):
        unpack(crafted(tmp_path / "a.tar.gz", (entry, b"")), tmp_path / "into")


def test_a_file_cannot_be_written_twice(tmp_path: Path) -> None:
    """It would not be certain which of the two was checked."""
    entries = [(tarfile.TarInfo("thing/a"), b"1"), (tarfile.TarInfo("thing/a"), b"2")]
    with pytest.raises(DocumentError, match="names that stay"):
        unpack(crafted(tmp_path / "a.tar.gz", *entries), tmp_path / "into")


def test_a_bomb_does_not_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small an archive is, its content has a limit; nothing beyond is read or written."""
    monkeypatch.setattr(archive, "MOST_BYTES", 2**20)
    with gzip.open(tmp_path / "a.tar.gz", "wb") as stream:
        stream.write(bytes(8 * 2**20))
    with pytest.raises(DocumentError, match="more than 1 MiB"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "into")


def test_many_files_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on their number, too."""
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    entries = [(tarfile.TarInfo(f"thing/{number}"), b"") for number in range(4)]
    with pytest.raises(DocumentError, match="more than 3 files"):
        unpack(crafted(tmp_path / "a.tar.gz", *entries), tmp_path / "into")


def test_what_is_no_archive_costs_a_line(tmp_path: Path, folder: Path) -> None:
    """Absent, empty, other bytes, cut off, with more than one folder."""
    pack(folder, tmp_path / "good.tar.gz")
    good = (tmp_path / "good.tar.gz").read_bytes()
    cases = {"empty": b"", "text": b"hello\n", "cut": good[: len(good) // 2], "gz": gzip.compress(b"hello")}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"into-{name}").mkdir()
        with pytest.raises(DocumentError, match="must be an archive that `obsqa reproduce` made"):
            unpack(tmp_path / name, tmp_path / f"into-{name}")
    with pytest.raises(DocumentError, match="no such file"):
        unpack(tmp_path / "absent", tmp_path / "into")
    two = crafted(tmp_path / "two", (tarfile.TarInfo("a/x"), b""), (tarfile.TarInfo("b/x"), b""))
    with pytest.raises(DocumentError, match="2 things instead of one folder"):
        unpack(two, tmp_path / "into-two")


@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(gzip.compress))
def test_any_bytes_are_answered_with_a_line(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No traceback, whatever is sent."""
    place = tmp_path_factory.mktemp("any")
    (place / "a").write_bytes(data)
    (place / "into").mkdir()
    with pytest.raises(DocumentError) as caught:
        unpack(place / "a", place / "into")
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_a_name_that_is_inside_stays_inside(name: str) -> None:
    """Of any text: what is accepted is a relative path without a step up."""
    from pathlib import PurePosixPath

    if is_inside(name):
        parts = PurePosixPath(name).parts
        assert not name.startswith("/")
        assert not {"..", "."} & set(parts)


@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_a_damaged_archive_is_told_or_unpacks_inside(
    place: int, value: int, tmp_path_factory: pytest.TempPathFactory, a_packed: Callable[[], bytes]
) -> None:
    """One wrong byte anywhere."""
    folder = tmp_path_factory.mktemp("damaged")
    content = bytearray(a_packed())
    content[place % len(content)] = value
    (folder / "a").write_bytes(content)
    (folder / "into").mkdir()
    try:
        found = unpack(folder / "a", folder / "into")
    except DocumentError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is right
    else:
        assert found.parent == folder / "into"


@pytest.fixture(scope="module")
def a_packed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], bytes]:
    """Return an archive's bytes."""
    place = tmp_path_factory.mktemp("packed")
    (place / "thing").mkdir()
    (place / "thing" / "a").write_text("content\n" * 5)
    pack(place / "thing", place / "a.tar.gz")
    content = (place / "a.tar.gz").read_bytes()
    return lambda: content
