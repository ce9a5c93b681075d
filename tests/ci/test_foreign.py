"""Runs made of foreign files."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ci.console import LineConsole
from ci.foreign import TwoMeasurementsError, gather, open_imported, with_imported
from ci.lanes import Context
from ci.publish import conclude
from ci.settings import Settings
from qa.engines.recorded import RecordedEngine
from qa.errors import DocumentError
from qa.foreign.filing import Asked
from qa.foreign.model import Kind
from qa.foreign.testing import a_benchmark, a_job, a_measurement_of, a_spec
from qa.journal import read_record
from qa.model import Change, Lane, Level, Status
from qa.testing import Clock, MemoryStore, a_camera

if TYPE_CHECKING:
    from pathlib import Path

    from ci.foreign import Gathered
    from qa.record import RunRecord

LATER = datetime(2020, 2, 4, tzinfo=UTC)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Return a context that knows one camera."""
    return Context(
        settings=Settings(runs=tmp_path / "runs", cache=tmp_path, regression_data=tmp_path),
        cameras=[a_camera("hsc")],
        engine=RecordedEngine({}),
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={"package numpy": "2"},
    )


def written(folder: Path, name: str = "r.json", *, date: str | None = None, **changes: object) -> Path:
    """Write a Job, of another date if one is given, and return its path."""
    job = a_job(**changes)
    if date is not None:
        job["meta"] = job["meta"] | {"env": {"date": date}}
    path = folder / name
    path.write_text(json.dumps(job))
    return path


def gathered(context: Context, *paths: Path, asked: Asked | None = None) -> tuple[Gathered, ...]:
    """Gather Jobs that are new."""
    found, earlier = gather(context, paths, Kind.VERIFY, asked or Asked())
    assert earlier == ()
    return found


def judged(context: Context, *paths: Path) -> RunRecord:
    """Import Jobs that become one run, and judge it."""
    (one,) = gathered(context, *paths)
    folder = open_imported(context, one)
    return conclude(with_imported(context, folder), folder)


def test_a_file_becomes_a_run_of_its_own_date(context: Context, tmp_path: Path) -> None:
    """With its own packages as provenance, not those of the machine that imports it."""
    record = judged(context, written(tmp_path))
    assert record.run_id == "20200203T040506Z"
    assert record.plan.lane is Lane.IMPORTED
    assert record.started == record.finished == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert record.provenance == {"package afw": "a" * 40}
    assert record.coadds_measured("hsc") is None
    (comparison,) = record.comparisons
    assert (comparison.change, comparison.level, comparison.status) == (Change.NEW, Level.MINIMUM, Status.PASS)
    assert record.exit_code == 0


def test_a_failed_requirement_fails_the_run(context: Context, tmp_path: Path) -> None:
    """Whether or not the camera had a sponsor at the file's date; the specifications count for other metrics."""
    measurements = [a_measurement_of("validate_drp.PA1", 9.0, "mmag"), a_measurement_of("p.M", 5.0, "mag")]
    specs = [a_spec("p.M.x", 4.0, unit="mag")]
    record = judged(context, written(tmp_path, measurements=measurements, specs=specs, blobs=[]))
    assert [(one.metric, one.status) for one in record.comparisons] == [
        ("p.M", Status.FAIL),
        ("validate_drp.PA1", Status.FAIL),
    ]
    assert record.exit_code == 1


def test_a_camera_of_no_registry_is_judged_by_the_default_requirements(context: Context, tmp_path: Path) -> None:
    """And its caveats are in the report."""
    measurements = [a_measurement_of("validate_drp.PA1", 9.0, "mmag")]
    path = written(tmp_path, measurements=measurements, meta={"instrument": "New Cam", "filter_name": "r"})
    os.utime(path, (1e9, 1e9))
    record = judged(context, path)
    assert record.plan.cameras == ("new-cam",)
    assert record.exit_code == 1
    page = (context.settings.runs / record.run_id / "report" / "index.html").read_text()
    assert "validate_drp.PA1 says 9 mmag, its blob gives 6 mmag." in page


def test_the_same_file_is_told_and_not_doubled(
    context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also under another name, laid out anew, or twice in one command."""
    path = written(tmp_path)
    first = judged(context, path)
    copy = tmp_path / "copy.json"
    copy.write_text(json.dumps(json.loads(path.read_text()), indent=2))
    found, earlier = gather(context, [path, copy], Kind.VERIFY, Asked())
    assert (found, [run.name for run in earlier]) == ((), [first.run_id])
    err = capsys.readouterr().err
    assert err.count(f"was imported already, as run {first.run_id}: it is not counted again") == 2
    other = written(tmp_path, "other.json", date="2020-02-09T00:00:00+00:00")
    assert len(gathered(context, other, other)) == 1
    assert "was named twice" in capsys.readouterr().err


def test_files_of_one_date_are_one_run(context: Context, tmp_path: Path) -> None:
    """Those of others are others, oldest first; the band tells their numbers apart."""
    meta = a_job()["meta"]
    red = written(tmp_path)
    infrared = written(tmp_path, "i.json", meta=meta | {"filter_name": "HSC-I"})
    later = written(tmp_path, "later.json", date=LATER.isoformat())
    early, late = gathered(context, later, infrared, red)
    assert late.when == LATER
    record = read_record(open_imported(context, early))
    assert sorted(str(one.scope.band) for one in record.results) == ["i", "r"]


def test_files_made_with_other_software_are_another_run(context: Context, tmp_path: Path) -> None:
    """A run has one provenance."""
    meta = a_job()["meta"] | {"filter_name": "HSC-I", "packages": {}}
    found = gathered(context, written(tmp_path), written(tmp_path, "i.json", meta=meta))
    assert [open_imported(context, one).name for one in found] == ["20200203T040506Z", "20200203T040506Z-1"]


def test_two_measurements_of_one_thing_are_one_line(context: Context, tmp_path: Path) -> None:
    """It names both files and what to do, and nothing is written."""
    other = written(tmp_path, "b.json", measurements=[a_measurement_of("validate_drp.PA1", 7.0, "mmag")])
    with pytest.raises(TwoMeasurementsError) as caught:
        gathered(context, written(tmp_path), other)
    assert str(caught.value) == (
        "validate_drp.PA1 of hsc/validation_data_hsc/r: a run must hold one measurement of it, found one in r.json "
        "and one in b.json; tell the files apart with --dataset or --band"
    )
    assert not context.settings.runs.exists()


def test_a_date_of_the_future_is_refused(context: Context, tmp_path: Path) -> None:
    """The clock that wrote it was wrong, and a history sorts by it."""
    with pytest.raises(DocumentError, match=r"must be of a date that has come \(2026-03-01\), found 2031-01-01; mend"):
        gathered(context, written(tmp_path, date="2031-01-01T00:00:00"))


def test_a_file_without_date_is_as_old_as_it_is(
    context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is told; the user may say better."""
    path = written(tmp_path, meta={"instrument": "hsc"})
    os.utime(path, (1e9, 1e9))
    (one,) = gathered(context, path)
    assert one.when == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    assert "says no date: taken as of 2001-09-09 01:46 UTC" in capsys.readouterr().err
    (one,), _ = gather(context, [path], Kind.VERIFY, Asked(), when=LATER)
    assert one.when == LATER


def test_a_damaged_index_of_another_run_hides_nothing(context: Context, tmp_path: Path) -> None:
    """The file is imported."""
    broken = context.settings.runs / "old" / "imported.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    assert len(gathered(context, written(tmp_path))) == 1


def test_benchmarks_warn_and_carry_their_machine(context: Context, tmp_path: Path) -> None:
    """They are resources."""
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(a_benchmark()))
    ((one,), _) = gather(context, [path], Kind.BENCHMARK, Asked())
    folder = open_imported(context, one)
    record = conclude(with_imported(context, folder), folder)
    assert record.provenance["cpu"] == "A Processor"
    assert [str(one.scope) for one in record.results] == ["benchmarks/warp"]
    assert record.exit_code == 0
