from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import DocumentError
from qa.stores.parcels import (
    MANIFEST,
    DamagedError,
    Manifest,
    PartialError,
    faults_in,
    manifest_of,
    receive,
    send,
)
from qa.stores.places import Place, PlaceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("lsst.resources")

FILES = {"index.html": b"<p>", "deep/er/x.bin": bytes(range(256)), "empty": b""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with files."""
    for name, content in FILES.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "source"


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return an empty place of each kind."""
    return Place(str(tmp_path / "place")) if request.param == "folder" else Place(request.getfixturevalue("s3"))


def make(work: Callable[[str, bytes], bytes | None]) -> type[Place]:
    """Return a kind of place in which writing goes wrong: `work` says what comes to be there instead."""

    class Odd(Place):
        def write(self, name: str, content: bytes) -> None:
            changed = work(name, content)
            if changed is None:
                raise PlaceError(self, name, doing="written", reason="the server is gone")
            Place(self.uri).write(name, changed)

    return Odd


@pytest.mark.parametrize("by_digest", [False, True])
def test_what_is_sent_is_received(folder: Path, place: Place, tmp_path: Path, *, by_digest: bool) -> None:
    """All files come back under their names, with their bytes."""
    sent = send(folder, FILES, place, what="a test", by_digest=by_digest)
    assert (sent.files, sent.written, sent.size) == (3, 3, 259)
    receive(place, manifest_of(place), tmp_path / "back")
    assert {name: (tmp_path / "back" / name).read_bytes() for name in FILES} == FILES
    assert faults_in(place, manifest_of(place)) == ()


def test_files_lie_at_their_names(folder: Path, place: Place) -> None:
    """So that a report opens where it lies."""
    send(folder, FILES, place, what="a test")
    assert place.read("deep/er/x.bin") == FILES["deep/er/x.bin"]


def test_what_is_there_is_not_sent_again(folder: Path, place: Place) -> None:
    """Sending twice costs reading; what changed is sent."""
    send(folder, FILES, place, what="a test")
    assert send(folder, FILES, place, what="a test").written == 0
    (folder / "empty").write_bytes(b"no longer")
    assert send(folder, FILES, place, what="a test").written == 1
    assert faults_in(place, manifest_of(place)) == ()


def test_a_sending_that_was_cut_off_is_told_and_completed(folder: Path, tmp_path: Path) -> None:
    """There is no manifest until everything is there, and then what was there already is not sent twice."""
    uri = str(tmp_path / "place")
    cut = make(lambda name, content: None if name == "index.html" else content)
    with pytest.raises(PartialError, match=r"must hold 3 files, found \d of them .*the server is gone.* sent again"):
        send(folder, FILES, cut(uri), what="a test")
    with pytest.raises(DocumentError, match="nothing was sent here, or not all of it; send it again"):
        manifest_of(Place(uri))
    assert send(folder, FILES, Place(uri), what="a test").written <= 3
    assert faults_in(Place(uri), manifest_of(Place(uri))) == ()


def test_a_manifest_that_does_not_come_there_is_told(folder: Path, tmp_path: Path) -> None:
    """All files are there, and yet it is not complete."""
    cut = make(lambda name, content: None if name == MANIFEST else content)
    with pytest.raises(PartialError, match="must hold 4 files, found 3 of them"):
        send(folder, FILES, cut(str(tmp_path / "place")), what="a test")


def test_a_file_that_comes_back_different_is_told(folder: Path, tmp_path: Path) -> None:
    """The server says that all is well, and kept half of it."""
    half = make(lambda name, content: content[: len(content) // 2])
    with pytest.raises(PartialError, match=r"must be .* bytes, SHA-256 .* on reading it back"):
        send(folder, FILES, half(str(tmp_path / "place")), what="a test")


def test_damage_is_found(folder: Path, place: Place, tmp_path: Path) -> None:
    """A file changed or taken away later is told, each in a line, and not received."""
    send(folder, FILES, place, what="a test")
    place.write("index.html", b"changed")
    (fault,) = faults_in(place, manifest_of(place))
    assert "index.html: must be index.html of 3 bytes, SHA-256" in fault
    with pytest.raises(DamagedError):
        receive(place, manifest_of(place), tmp_path / "back")


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out", "a//b", "", ".", "a\\b", "a\nb", "a\x1b[31m"])
def test_paths_of_a_manifest_stay_in_their_folder(name: str, tmp_path: Path) -> None:
    """Who may write to the place may not write elsewhere on this machine."""
    line = {"path": name, "at": "x", "size": 1, "sha256": "0" * 64}
    text = {"document": "parcel", "schema": 1, "what": "x", "files": [line]}
    Place(str(tmp_path)).write(MANIFEST, json.dumps(text).encode())
    with pytest.raises(DocumentError, match="plain path within its folder"):
        manifest_of(Place(str(tmp_path)))


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["document", "schema", "what", "files"]), inner)
        ),
        max_leaves=8,
    ).map(lambda body: json.dumps(body).encode())
)
def test_a_manifest_of_any_bytes_is_one_line_or_a_manifest(content: bytes) -> None:
    """Nothing that lies there makes a traceback."""

    class Fixed(Place):
        def read(self, name: str) -> bytes | None:
            return content

    said = ""
    try:
        assert isinstance(manifest_of(Fixed("s3://bucket")), Manifest)
    except DocumentError as error:
        said = str(error)
    assert "\n" not in said
    assert said == "" or said.startswith("s3://bucket/manifest.json: must be the manifest")
