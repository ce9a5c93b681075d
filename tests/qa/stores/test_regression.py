from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from qa import baselines
from qa.baselines.lock import PublishedError, writing
from qa.errors import DocumentError, InfrastructureError
from qa.judging import acknowledged
from qa.locations import regression_data
from qa.stores.places import Place
from qa.stores.regression import fetched, publish

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("lsst.resources")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return the regression data of a checkout."""
    return shutil.copytree(regression_data(), tmp_path / "checkout")


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return an empty place of each kind."""
    if request.param == "folder":
        return (tmp_path / "place").as_uri()
    root: str = request.getfixturevalue("s3")
    return f"{root}regression-data"


def nothing(_line: str) -> None:
    """Fail when there is anything to say."""
    raise AssertionError(_line)


def test_what_is_published_is_read_elsewhere(checkout: Path, place: str, tmp_path: Path) -> None:
    """Baselines, ledger and skies are the same there."""
    publish(checkout, place)
    copy = fetched(place, tmp_path / "cache", nothing)
    assert baselines.load_all(copy) == baselines.load_all(checkout) != {}
    assert baselines.ledger(copy) == baselines.ledger(checkout)
    assert baselines.disagreements(copy) == ()
    assert sorted(path.name for path in copy.glob("skies/*")) == sorted(path.name for path in checkout.glob("skies/*"))


def test_a_copy_is_fetched_once_and_anew_when_something_was_published(
    checkout: Path, place: str, tmp_path: Path
) -> None:
    """A night that began with one copy keeps it while another is published."""
    publish(checkout, place)
    first = fetched(place, tmp_path / "cache", nothing)
    made = (first / "ledger.yaml").stat().st_mtime_ns
    assert fetched(place, tmp_path / "cache", nothing) == first
    assert (first / "ledger.yaml").stat().st_mtime_ns == made
    with (checkout / "ledger.yaml").open("a") as stream:
        stream.write("# a word more\n")
    assert publish(checkout, place).written == 1
    second = fetched(place, tmp_path / "cache", nothing)
    assert second != first
    assert (second / "ledger.yaml").read_bytes() == (checkout / "ledger.yaml").read_bytes()
    assert (first / "ledger.yaml").is_file()


def test_a_copy_that_was_worked_in_is_fetched_anew(checkout: Path, place: str, tmp_path: Path) -> None:
    """Nobody's edits in a cache are judged by."""
    publish(checkout, place)
    copy = fetched(place, tmp_path / "cache", nothing)
    (copy / "ledger.yaml").write_text("")
    assert fetched(place, tmp_path / "cache", nothing) == copy
    assert (copy / "ledger.yaml").read_bytes() == (checkout / "ledger.yaml").read_bytes()


def test_a_baseline_is_not_moved_in_a_copy(checkout: Path, place: str, tmp_path: Path) -> None:
    """Decisions are made in git; what to do is said in one line."""
    publish(checkout, place)
    copy = fetched(place, tmp_path / "cache", nothing)
    with pytest.raises(PublishedError, match=r"must be a checkout, found a copy .* obsqa store publish --to ") as told:
        baselines.restore(copy)
    assert "\n" not in str(told.value)
    with pytest.raises(PublishedError), writing(copy):
        pass
    with pytest.raises(PublishedError):
        acknowledged._write(copy, ())


def test_where_the_place_is_gone_the_last_copy_holds(checkout: Path, tmp_path: Path) -> None:
    """It is said which, and that it may be old."""
    place = (tmp_path / "place").as_uri()
    publish(checkout, place)
    copy = fetched(place, tmp_path / "cache", nothing)
    (tmp_path / "place").rename(tmp_path / "gone")
    said: list[str] = []
    assert fetched(place, tmp_path / "cache", said.append) == copy
    (line,) = said
    assert line.startswith("warning: file://")
    assert line.endswith(f"going on with the copy fetched before, {copy}")


def test_without_a_copy_a_place_that_is_gone_ends_it(tmp_path: Path) -> None:
    """A night that would be judged by nothing does not begin."""
    with pytest.raises(DocumentError, match=r"place/manifest.json: must be the manifest .* send it again"):
        fetched((tmp_path / "place").as_uri(), tmp_path / "cache", nothing)


def test_a_damaged_file_is_never_judged_by(checkout: Path, place: str, tmp_path: Path) -> None:
    """A baseline that is not what was published stops the night, or the last good copy holds."""
    publish(checkout, place)
    from qa.stores.parcels import manifest_of

    there = Place(place)
    there.write(manifest_of(there).files[0].at, b"{}")
    with pytest.raises(InfrastructureError, match=r"must be .*json of \d+ bytes, SHA-256 .*, found 2 bytes"):
        fetched(place, tmp_path / "cache", nothing)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.name[0] != "."]


def test_a_folder_without_regression_data_is_not_published(tmp_path: Path, place: str) -> None:
    """A typing error does not publish nothing over something."""
    with pytest.raises(DocumentError, match="found neither baselines nor skies"):
        publish(tmp_path / "nothing", place)


def test_a_cache_that_cannot_be_written_is_one_line(checkout: Path, tmp_path: Path) -> None:
    """Where, and why."""
    place = (tmp_path / "place").as_uri()
    publish(checkout, place)
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(InfrastructureError, match=r"cache/[0-9a-f]{16}: could not be written: (File exists|Not a dir)"):
        fetched(place, tmp_path / "cache", nothing)
