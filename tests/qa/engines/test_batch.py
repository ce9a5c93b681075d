from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Batch, BatchService, Limits, Runtime
from qa.batch import queue
from qa.engines.base import Job, StepReport
from qa.engines.batch import BESIDE_SECONDS, BatchEngine, name_of, process_on
from qa.errors import EngineError
from qa.judging.epochs import is_resource
from qa.locations import regression_data
from qa.model import Lane, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.testing import a_camera

if TYPE_CHECKING:
    from threading import Event

    from qa.engines.base import Progress

SLURM = Batch(service=BatchService.SLURM)


@dataclass
class Local:
    """Stands for this machine: says how each step ended, and keeps what it was given."""

    status: StepStatus = StepStatus.DONE
    timeouts: list[float] = field(default_factory=list)

    def begin(self, timeout: float, _stop: Event) -> Local:
        """Be made anew for a step."""
        self.timeouts.append(timeout)
        return self

    def run(self, job: Job, _progress: Progress) -> StepReport:
        """Say how it ended."""
        return StepReport(StepOutcome(job.step, self.status, 1.0, 1.0, 1.0, "it broke"))


def a_job(folder: Path, stage: Stage = Stage.PROCESS, *, image: str | None = None) -> Job:
    """Build a job of a camera that runs on Slurm."""
    runtime = Runtime(batch=SLURM, image=image, limits=Limits(hours=2.0))
    camera = a_camera("hsc").model_copy(update={"runtime": runtime})
    return Job(Step("hsc", "twin", stage), camera, camera.datasets[0], folder, folder, folder)


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[BatchService, str, Path]]:
    """Return what is cancelled, which does not answer."""
    told: list[tuple[BatchService, str, Path]] = []

    def cancel(service: BatchService, name: str, folder: Path) -> None:
        told.append((service, name, folder))
        msg = "the batch system does not answer"
        raise EngineError(msg)

    monkeypatch.setattr(queue, "cancel", cancel)
    return told


def run(local: Local, job: Job) -> StepReport:
    """Carry out a step."""
    return BatchEngine(local=local.begin).run(job, lambda *_: None)


def test_every_step_is_steered_from_here(tmp_path: Path, cancelled: list[object]) -> None:
    """For as long as the limits say, and a while beside; nothing is cancelled after what went well."""
    local = Local()
    for stage in Stage:
        assert run(local, a_job(tmp_path, stage)).outcome.status is StepStatus.DONE
    assert local.timeouts == [7200.0 + BESIDE_SECONDS] * len(Stage)
    assert cancelled == []


def test_what_a_failed_step_left_in_the_queue_is_cancelled(tmp_path: Path, cancelled: list[object]) -> None:
    """That this fails as well does not hide why the step failed."""
    job = a_job(tmp_path)
    assert run(Local(StepStatus.FAILED), job).outcome.message == "it broke"
    assert cancelled == [(BatchService.SLURM, name_of(job), tmp_path / "batch")]
    assert run(Local(StepStatus.FAILED), a_job(tmp_path, Stage.DRAW)).outcome.status is StepStatus.FAILED
    assert len(cancelled) == 1


def test_an_image_on_a_batch_system_is_refused(tmp_path: Path) -> None:
    """One line says that only one of them can be had."""
    with pytest.raises(EngineError, match="hsc: runtime must name an image or a batch system, found both; leave one"):
        run(Local(), a_job(tmp_path, image="obsqa:night"))


def test_jobs_have_a_name_that_stays_and_is_theirs_alone(tmp_path: Path) -> None:
    """A night that is taken up again finds its jobs; two nights at once do not meet."""
    assert name_of(a_job(tmp_path / "a")) == name_of(a_job(tmp_path / "a", Stage.MEASURE))
    assert name_of(a_job(tmp_path / "a")) != name_of(a_job(tmp_path / "b"))
    assert name_of(a_job(tmp_path)).startswith("hsc-twin-")


def test_a_step_that_is_asked_to_end_stops_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM sets the event that ends what `bps` does; afterwards it means what it meant."""
    run_ = pytest.importorskip("qa.batch.run", exc_type=ImportError)
    job, before = a_job(tmp_path), signal.getsignal(signal.SIGTERM)

    def distribute(_what: object, place: object) -> str:
        signal.raise_signal(signal.SIGTERM)
        return "stopped" if place.waiting.stop.is_set() else "not stopped"  # type: ignore[attr-defined]

    monkeypatch.setattr(run_, "distribute", distribute)
    told: object = process_on(None, job, lambda *_: None, SLURM)  # type: ignore[arg-type]
    assert told == "stopped"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.pipeline
@pytest.mark.usefixtures("slurm")
def test_the_night_of_a_camera_runs_on_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its small data set goes from raw exposures to the same numbers, bit for bit, as on this machine alone."""
    pytest.importorskip("galsim")
    from ci.lanes import open_run, run_steps
    from ci.settings import Settings
    from ci.wiring import WORKERS, make_context

    for name, value in WORKERS.items():
        monkeypatch.setenv(name, value)
    cache = Path(os.environ.get("OBSQA_CACHE", tmp_path / "cache"))
    options: dict[str, str | int | float] = {"partition": "debug", "walltime": "00:30:00", "cores_per_node": 2}
    slurm = Runtime(batch=Batch(service=BatchService.SLURM, options=options))
    measured = []
    for name, runtime in (("here", Runtime()), ("slurm", slurm)):
        settings = Settings(runs=tmp_path / name, cache=cache, regression_data=regression_data())
        context = make_context(settings, ("latiss",))
        camera = context.camera("latiss").model_copy(update={"runtime": runtime})
        context = replace(context, cameras=[camera], store=None)
        run_ = open_run(context, lane=Lane.COMMIT, trigger=Trigger(), fresh=True)
        record = run_steps(context, run_)
        assert {one.status for one in record.outcomes.values()} == {StepStatus.DONE}, record.outcomes
        measured.append([result for result in record.results if not is_resource(result.metric)])
    assert measured[0] == measured[1] != []
    assert (run_ / "latiss" / "twin-quick" / "batch" / "001" / "bps.log").is_file()
