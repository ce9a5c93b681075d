from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qa.errors import DocumentError
from qa.journal import read_record
from qa.stores.artefacts import names, push, verify
from qa.stores.parcels import PartialError
from qa.stores.places import Place
from qa.testing import a_record
from qa.testing.runs import write_run

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("lsst.resources")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run with a report, a log, pixels and a link to what is not its own."""
    folder = write_run(tmp_path / "runs", a_record())
    for name in (
        "plan.json",
        "report/index.html",
        "report/metrics/PA1.html",
        "testcam/twin/measurements.json",
        "testcam/twin/logs/process.log",
        "testcam/twin/butler/pixels.fits",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / "secret").write_text("not ours to send")
    (folder / "report" / "link.html").symlink_to(tmp_path / "secret")
    return folder


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return an empty place of each kind."""
    if request.param == "folder":
        return str(tmp_path / "place")
    root: str = request.getfixturevalue("s3")
    return f"{root}nightly"


def test_report_and_record_are_sent_and_pixels_stay(run: Path) -> None:
    """What a reader needs, and nothing that a link leads to elsewhere."""
    assert names(run) == (
        "journal.jsonl",
        "plan.json",
        "report/index.html",
        "report/metrics/PA1.html",
        "testcam/twin/logs/process.log",
        "testcam/twin/measurements.json",
    )


def test_a_run_is_whole_where_it_was_sent(run: Path, place: str, tmp_path: Path) -> None:
    """The report opens where it lies, and from the journal the run's record is the same."""
    assert push(run, place).files == 6
    there = Place(place) / "a"
    assert there.read("report/index.html") == b"report/index.html"
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "journal.jsonl").write_bytes(there.read("journal.jsonl") or b"")
    assert read_record(copy) == read_record(run)
    assert verify("a", place) == (6, ())


def test_a_report_written_again_is_sent_again(run: Path, place: str) -> None:
    """Only what changed goes, and the whole is right again."""
    push(run, place)
    (run / "report" / "index.html").write_text("judged again")
    assert push(run, place).written == 1
    assert verify("a", place) == (6, ())


def test_what_was_damaged_there_is_told(run: Path, place: str) -> None:
    """A line for each file, with what it should be."""
    push(run, place)
    (Place(place) / "a").write("plan.json", b"{}")
    files, faults = verify("a", place)
    assert files == 6
    assert len(faults) == 1
    assert "plan.json: must be plan.json of 9 bytes" in faults[0]


def test_a_run_that_was_never_sent_is_told(place: str) -> None:
    """What to do is said."""
    with pytest.raises(DocumentError, match=r"b/manifest\.json: must be the manifest .* send it again"):
        verify("b", place)


def test_a_server_that_goes_away_is_told_and_what_is_missing_is_sent_later(
    run: Path, s3_of_its_own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The night keeps all of it; one line says how much came there."""
    server, bucket = s3_of_its_own
    server.stop()
    monkeypatch.setattr("time.sleep", lambda _seconds: None)  # the driver tries ten times, with pauses
    missing = r"s3://.*must hold 6 files, found 0 of them there .*[Cc]onnect.* sent again"
    with pytest.raises(PartialError, match=missing) as told:
        push(run, bucket)
    assert "\n" not in str(told.value)
    assert "planted" not in str(told.value)
    assert push(run, str(tmp_path / "place")).written == 6
