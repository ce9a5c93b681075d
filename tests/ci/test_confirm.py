"""Confirmation by a second processing, with the real pipeline: `tests/ci/test_judging.py` has the other cases."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("galsim")

from ci.cli import run
from ci.confirm import FOLDER
from ci.lanes import open_run, run_steps
from ci.publish import conclude
from ci.settings import Settings
from ci.wiring import WORKERS, make_context
from qa.journal import read_record
from qa.judging.judged import Cause
from qa.locations import regression_data
from qa.model import Lane, Measurement, Stage, Status, Trigger

if TYPE_CHECKING:
    from pathlib import Path

    from ci.lanes import Context
    from qa.engines.base import Engine, Job, Progress, StepReport
    from qa.model import Result
    from qa.record import RunRecord

pytestmark = pytest.mark.pipeline
METRIC = "psf_fwhm"


@dataclass
class Disturbed:
    """The real engine, whose next so many measurements of seeing are of a worse night."""

    engine: Engine
    times: int

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out a step."""
        report = self.engine.run(job, progress)
        if job.step.stage is not Stage.MEASURE or self.times == 0:
            return report
        self.times -= 1
        return replace(report, results=tuple(map(_worse, report.results)))


def _worse(result: Result) -> Result:
    if isinstance(result, Measurement) and result.metric == METRIC:
        return replace(result, value=2 * result.value)
    return result


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Return what a night of LATISS uses, which asks for a second processing; one night has been accepted."""
    for name, value in WORKERS.items():
        monkeypatch.setenv(name, value)
    data = tmp_path / "regression_data"
    shutil.copytree(regression_data(), data)
    shutil.rmtree(data / "baselines")
    (data / "ledger.yaml").unlink()
    made = make_context(Settings(tmp_path / "runs", tmp_path / "cache", data), ("latiss",))
    camera = made.camera("latiss")
    asking = camera.model_copy(update={"judging": camera.judging.model_copy(update={"confirm": "rerun"})})
    made = replace(made, cameras=[asking])
    night(made)
    monkeypatch.setenv("OBSQA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", str(data))
    accept = ("baseline", "accept", "latest", "--why", "first night", "--who", "A Tester <tester@example.org>")
    assert run((*accept, "--waiver", "a tiny data set")) == 0
    return made


def night(context: Context) -> tuple[Path, RunRecord]:
    """Run and judge a night."""
    folder = open_run(context, lane=Lane.COMMIT, trigger=Trigger(), fresh=True)
    run_steps(context, folder)
    return folder, conclude(context, folder, process=True)


def test_only_what_repeats_fails_the_night(context: Context) -> None:
    """The same pixels are processed a second time: seeing that was bad once is noise, seeing that stays bad fails."""
    folder, once = night(replace(context, engine=Disturbed(context.engine, 1)))
    assert once.exit_code == 0
    (incident,) = once.incidents
    assert incident.cause is Cause.NOISE
    moved = [one for one in once.comparisons if one.metric == METRIC]
    assert {one.status for one in moved} == {Status.WARN}
    assert all("a second processing tonight gave" in one.reason for one in moved)
    first, second = (read_record(place).outcomes for place in (folder, folder / FOLDER))
    assert set(first) == set(second)

    _, twice = night(replace(context, engine=Disturbed(context.engine, 2)))
    assert twice.exit_code == 1
    assert Status.FAIL in {one.status for one in twice.comparisons if one.metric == METRIC}
