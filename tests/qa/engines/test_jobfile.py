from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields, replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs_registry.model import OwnRaws, Runtime
from qa.engines.base import Job, StepReport
from qa.engines.jobfile import job_file_of, read_job, read_report, report_path, write_job, write_report
from qa.errors import DocumentError
from qa.model import Stage, Step, StepOutcome, StepStatus, Unmeasured
from qa.testing import a_camera, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

OUTCOME = StepOutcome(
    Step("testcam", "twin", Stage.MEASURE), StepStatus.CAVEATS, 2.5, 3.5, 512.0, "fine", "measure.log"
)


def a_job(folder: Path) -> Job:
    """Build a job in which nothing has its default."""
    camera = a_camera().model_copy(update={"runtime": Runtime(image="obsqa:night")})
    return Job(
        step=Step("testcam", "twin", Stage.PROCESS),
        camera=camera,
        dataset=camera.datasets[0],
        folder=folder / "work",
        cache=folder / "cache",
        recipes=folder / "recipes",
        keep_pixels=True,
        workers=3,
        calibrations_as_of=date(2026, 2, 1),
    )


def test_a_job_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """All of it: no field of a job may be forgotten."""
    job = a_job(tmp_path)
    write_job(tmp_path / "job.json", job)
    assert read_job(tmp_path / "job.json") == job
    plain = Job(job.step, a_camera(), a_camera().datasets[0], tmp_path, tmp_path, tmp_path)
    unset = [one.name for one in fields(Job) if getattr(job, one.name) == getattr(plain, one.name)]
    assert unset == ["step", "dataset"]


def test_a_users_own_raws_travel_with_the_job(tmp_path: Path) -> None:
    """No registry entry has them, and they keep what is special to them."""
    own = OwnRaws(name="m51", bands=("r",), reference=True)
    camera = a_camera().model_copy(update={"datasets": (own,)})
    job = replace(a_job(tmp_path), step=Step("testcam", "m51", Stage.INGEST), camera=camera, dataset=own)
    write_job(tmp_path / "job.json", job)
    assert read_job(tmp_path / "job.json").dataset == own


def test_paths_of_a_job_are_those_of_the_one_who_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever carries it out may be in another folder."""
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    assert job_file_of(replace(a_job(tmp_path), cache=Path("cache"))).cache == tmp_path / "cache"


def test_a_data_set_that_nobody_has_is_refused(tmp_path: Path) -> None:
    """The line says which there are."""
    write_job(tmp_path / "job.json", a_job(tmp_path))
    body = json.loads((tmp_path / "job.json").read_text())
    body["job"]["dataset"] = "nope"
    (tmp_path / "job.json").write_text(json.dumps(body))
    with pytest.raises(DocumentError, match="must be one of twin, twin-quick, found 'nope'"):
        read_job(tmp_path / "job.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda one: st.lists(one, max_size=3)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_wrong_with_a_job_file_is_one_line(tmp_path: Path, data: st.DataObject) -> None:
    """A file that was damaged, or written by somebody else, is refused or read, and never a traceback."""
    path = tmp_path / "job.json"
    write_job(path, a_job(tmp_path))
    body = json.loads(path.read_text())
    place = body["job"] if data.draw(st.booleans()) else body
    place[data.draw(st.sampled_from([*place, "more"]))] = data.draw(JSON)
    path.write_text(json.dumps(body))
    with suppress(DocumentError):
        read_job(path)


def test_a_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Results, what could not be measured, and caveats."""
    missing = Unmeasured("AM1", a_measurement().scope, "too few stars")
    report = StepReport(OUTCOME, (a_measurement(), missing), ("detector 3 left out",))
    write_report(tmp_path / "report.json", report)
    assert read_report(tmp_path / "report.json") == report


def test_a_report_lies_beside_its_job(tmp_path: Path) -> None:
    """Each job of a folder has its own."""
    assert report_path(tmp_path / "job.json") == tmp_path / "report.json"
    assert report_path(tmp_path / "draw.job.json") == tmp_path / "draw.report.json"
    assert report_path(tmp_path / "other.json") == tmp_path / "other.report.json"
