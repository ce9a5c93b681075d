"""Cameras whose pipeline runs on a batch system: it is steered from here, and carried out where BPS brings it.

All but the processing is small beside it, and done on this machine. The folder of runs must be seen under the same name
where the jobs run.
"""

from __future__ import annotations

import contextlib
import hashlib
import signal
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from qa.batch import queue
from qa.engines.local import LocalEngine
from qa.errors import EngineError, ObsqaError
from qa.model import Stage, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_registry.model import Batch
    from qa.batch.run import Place
    from qa.drp.command import PipelineRun
    from qa.drp.executor.hands import Execution
    from qa.engines.base import Engine, Job, Progress, StepReport

FOLDER = "batch"
"""Where the submissions of a data set are, each in a folder of its own."""

# Graph, registry and cancellation have this long beside the jobs' own time.
BESIDE_SECONDS = 1800.0


@dataclass(slots=True)
class BatchEngine:
    """Processes on the batch systems that cameras name, each for as long as the camera's limits say."""

    stop: Event = field(default_factory=Event)
    local: Callable[[float, Event], Engine] = lambda timeout, stop: LocalEngine(timeout=timeout, stop=stop)

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step and wait for it; what a step that failed left in a queue is cancelled.

        Raises
        ------
        EngineError
            If the camera asks for what no batch system is given.
        """
        batch, runtime = job.camera.runtime.batch, job.camera.runtime
        assert batch is not None  # noqa: S101 - the job would not have come here
        if runtime.image is not None:
            msg = f"{job.camera.name}: runtime must name an image or a batch system, found both; leave one out"
            raise EngineError(msg)
        engine = self.local(runtime.limits.hours * 3600 + BESIDE_SECONDS, self.stop)
        report = engine.run(job, progress)
        if job.step.stage is Stage.PROCESS and report.outcome.status is StepStatus.FAILED:
            with contextlib.suppress(ObsqaError):  # told when the step is done again
                queue.cancel(batch.service, name_of(job), job.folder / FOLDER)
        return report


def process_on(what: PipelineRun, job: Job, tick: Callable[[int, int], None], batch: Batch) -> Execution:
    """Run a pipeline of a step on a batch system; called in the step's own process, which a SIGTERM asks to end."""
    from qa.batch.run import distribute  # noqa: PLC0415 - loads the middleware

    stop = Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        return distribute(what, place_for(job, batch, stop, tick))
    finally:
        signal.signal(signal.SIGTERM, before)


def place_for(job: Job, batch: Batch, stop: Event, tick: Callable[[int, int], None]) -> Place:
    """Return where the quanta of a job are carried out."""
    from qa.batch.run import Place  # noqa: PLC0415
    from qa.batch.submit import Waiting  # noqa: PLC0415
    from qa.engines.commands import LocalRunner  # noqa: PLC0415

    runtime = job.camera.runtime
    setup = None if runtime.setup is None else Path(runtime.setup)
    waiting = Waiting(LocalRunner(setup), runtime.limits.hours * 3600, stop, tick)
    return Place(batch, runtime.limits, name_of(job), job.folder / FOLDER, waiting, setup)


def name_of(job: Job) -> str:
    """Return the name of a data set's jobs in a queue, which no other run's have and which stays when it is resumed."""
    digest = hashlib.sha256(str(job.folder.absolute()).encode()).hexdigest()[:10]
    return f"{job.step.camera}-{job.step.dataset}-{digest}"
