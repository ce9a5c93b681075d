"""Data sets of the kind `suite`: a command of somebody else's that leaves JUnit XML or metrics in JSON.

The command runs as the camera's or service's runtime says, on this machine or in a container, in an empty folder.
"""

from __future__ import annotations

import contextlib
import shutil
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from obs_registry.model import Suite
from qa.documents import write_document
from qa.engines.base import StepReport
from qa.engines.commands import NOT_STARTED, Command, Exit, runner_for
from qa.errors import EngineError, ObsqaError
from qa.model import Result, Scope, Stage, StepOutcome, StepStatus
from qa.suites.results import Left, collect, files_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_registry.model import Runtime
    from qa.engines.base import Job, Progress
    from qa.engines.commands import Runner

WORK = "work"
"""Folder, in the data set's own, in which the command runs."""

SOURCE = "{source}"
MEASUREMENTS = "measurements.json"
_HOUR = 3600.0
_SIGNALLED = 128


@dataclass(frozen=True, slots=True)
class SuiteEngine:
    """Runs suites and reads what they left; `stop` ends what is running."""

    stop: Event = field(default_factory=Event)
    runner: Callable[[Runtime], Runner] = runner_for

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step; whatever goes wrong is a failed outcome."""
        began = time.monotonic()
        ended, left, status, message = Exit(0, ""), None, StepStatus.DONE, ""
        try:
            suite = _suite(job)
            if job.step.stage is Stage.PROCESS:
                ended = self._tested(job, suite)
                message = _judged(ended, job, suite)
            else:
                left = _measured(job, suite)
                message, status = left.message, StepStatus.CAVEATS if left.caveats else StepStatus.DONE
            progress(job.step, 1, 1)
        except ObsqaError as error:
            status, message = StepStatus.FAILED, " ".join(str(error).split())
        except Exception as error:  # noqa: BLE001 - one service's bug must not end the night; the log has the traceback
            _note_traceback(job)
            status, message = StepStatus.FAILED, " ".join(f"{type(error).__name__}: {error}".split())
        wall = time.monotonic() - began
        outcome = StepOutcome(job.step, status, wall, ended.cpu_seconds, ended.peak_mib, message, str(_log(job)))
        if left is None:
            return StepReport(outcome)
        return StepReport(outcome, left.results, left.caveats, left.definitions)

    def _tested(self, job: Job, suite: Suite) -> Exit:
        folder = job.folder / WORK
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        source = Path(suite.source) if suite.source is not None else None
        if source is not None and not source.is_dir():
            msg = f"the source of the suite must be a folder, found none at {source}"
            raise EngineError(msg)
        command = Command(
            tuple(one.replace(SOURCE, str(source)) if source else one for one in suite.command),
            folder,
            log=_log(job),
            timeout=job.camera.runtime.limits.hours * _HOUR,
            reads=(source,) if source else (),
        )
        return self.runner(job.camera.runtime).run(command, stop=self.stop)


def _suite(job: Job) -> Suite:
    if not isinstance(job.dataset, Suite) or job.step.stage not in {Stage.PROCESS, Stage.MEASURE}:
        msg = f"a step of a suite must process or measure a data set of the kind suite, found {job.step.key}"
        raise EngineError(msg)
    return job.dataset


def _judged(ended: Exit, job: Job, suite: Suite) -> str:
    """Say how a command ended that left what it should: failed tests make most end badly, which is no fault of theirs.

    Raises
    ------
    EngineError
        If it was not started, was killed or late, left nothing, or ended badly though no test failed.
    """
    if ended.code == 0 and not ended.reason:
        files_of(job.folder / WORK, suite.results)
        return ""
    if ended.code < 0 or ended.code >= _SIGNALLED or ended.code == NOT_STARTED or not _only_failed(ended):
        raise EngineError(ended.reason)
    left = collect(_left_by(ended, job, suite), Scope(job.step.camera, job.step.dataset))
    if left.tests is None or not left.tests.failures:
        msg = f"the command {ended.reason} though no test of its reports failed"
        raise EngineError(msg)
    return f"the command {ended.reason}, with {left.message}"


def _only_failed(ended: Exit) -> bool:
    """Tell a command that ended by itself from one that was ended."""
    return ended.reason == f"ended with exit code {ended.code}"


def _left_by(ended: Exit, job: Job, suite: Suite) -> tuple[Path, ...]:
    try:
        return files_of(job.folder / WORK, suite.results)
    except EngineError as error:
        msg = f"the command {ended.reason}: {error}"
        raise EngineError(msg) from None


def _measured(job: Job, suite: Suite) -> Left:
    left = collect(files_of(job.folder / WORK, suite.results), Scope(job.step.camera, job.step.dataset))
    write_document(job.folder / MEASUREMENTS, "measurements", left.results, tuple[Result, ...])
    return left


def _log(job: Job) -> Path:
    return job.folder / "logs" / f"{job.step.stage}.log"


def _note_traceback(job: Job) -> None:
    with contextlib.suppress(OSError):
        _log(job).parent.mkdir(parents=True, exist_ok=True)
        with _log(job).open("a") as stream:
            traceback.print_exc(file=stream)
