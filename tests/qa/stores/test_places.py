from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from qa.errors import InfrastructureError, MissingExtraError
from qa.stores.places import NoPlaceError, Place, PlaceError, shown

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("lsst.resources")


@pytest.fixture(params=["folder", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return a place of each kind."""
    match request.param:
        case "folder":
            return Place(str(tmp_path / "a place"))
        case "file":
            return Place((tmp_path / "a place").as_uri())
        case _:
            return Place(request.getfixturevalue("s3") + "a place")


def test_what_is_written_is_read(place: Place) -> None:
    """Bytes come back as they went, in folders of folders, and are replaced by others."""
    place.write("one/two/three.bin", b"\0first")
    place.write("one/two/three.bin", b"\xffsecond")
    assert place.read("one/two/three.bin") == b"\xffsecond"
    assert (place / "one").read("two/three.bin") == b"\xffsecond"


def test_names_may_hold_anything_that_files_do(place: Place) -> None:
    """A name with a blank, a percent sign or a hash is itself, not an escape."""
    for name in ("with blank", "100%25", "a#b", "über", "q?x"):
        place.write(name, name.encode())
    assert [place.read(name) for name in ("with blank", "100%25", "a#b", "über", "q?x")] == [
        name.encode() for name in ("with blank", "100%25", "a#b", "über", "q?x")
    ]


def test_what_is_not_there_is_none(place: Place) -> None:
    """A missing file is an answer."""
    assert place.read("nothing") is None


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """What was required, what was found, at which place."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PlaceError, match=r"file/deeper/x: could not be written: .*Not a directory"):
        Place(str(tmp_path / "file" / "deeper")).write("x", b"")


def test_a_bucket_that_is_not_there_is_one_line(s3: object) -> None:
    """The server says no."""
    with pytest.raises(InfrastructureError, match=r"s3://no-such-bucket/x: could not be written: .*bucket") as told:
        Place("s3://no-such-bucket").write("x", b"")
    assert "\n" not in str(told.value)


def test_a_scheme_that_is_unknown_is_a_wrong_request() -> None:
    """What could be no place is not tried again later."""
    with pytest.raises(NoPlaceError, match=r"^gopher://host/: must be a folder or a URI such as s3"):
        Place("gopher://user:planted@host").write("x", b"")


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("s3://bucket/folder", "s3://bucket/folder/"),
        ("s3://profile@bucket/folder/", "s3://profile@bucket/folder/"),
        ("https://user:planted@host:8080/dav?token=planted#planted", "https://host:8080/dav/"),
        ("/some/folder/", "/some/folder/"),
    ],
)
def test_places_are_named_without_secrets(uri: str, name: str) -> None:
    """User, password, query and fragment stay out; the profile of S3 is a name."""
    assert shown(uri) == str(Place(uri)) == name
    assert "planted" not in repr(Place(uri))


def test_a_driver_that_quotes_the_uri_tells_no_secret() -> None:
    """What it says is told in a line, without the password."""
    place = Place("https://user:planted@host/dav?token=planted")
    said = place._worded(OSError("PUT https://user:planted@host/dav?token=planted: refused\nmore"))
    assert said == "PUT https://***@host/dav?***: refused"


def test_places_are_an_optional_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be installed is said in one line."""
    monkeypatch.setitem(sys.modules, "lsst.resources", None)
    with pytest.raises(MissingExtraError, match=r"needs the module lsst.resources, .* pip install 'obsqa\[stores\]'"):
        Place("s3://bucket").read("x")
