"""Steps on this machine, each in a process of its own: what it breaks, it breaks alone.

The processes are forked from a server that has already imported the middleware, so that its
imports are paid once a night and not once a step.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from qa.engines.base import StepReport
from qa.model import StepOutcome, StepStatus

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext
    from multiprocessing.context import ForkServerProcess as Process

    from qa.engines.base import Job, Progress

# Without the extra `pipeline` it cannot be imported, which the fork server passes over in silence.
PRELOADED = ["qa.engines.preload"]
POLL_SECONDS = 0.5


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@dataclass(slots=True)
class LocalEngine:
    """Runs each step in a child process; `timeout` is in seconds, and `stop` ends what is running."""

    timeout: float = 4 * 3600.0
    context: ForkServerContext = field(default_factory=_context)
    stop: Event = field(default_factory=Event)

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step in a child process; a crash or a time-out is a failed outcome."""
        from qa.engines.worker import work  # noqa: PLC0415 - loads what only runs need

        receive, send = self.context.Pipe(duplex=False)
        child = self.context.Process(target=work, args=(job, send), daemon=False)
        began = time.monotonic()
        child.start()
        send.close()
        try:
            report = _listen(receive, job, progress, began + self.timeout, self.stop)
        except BaseException:
            _end(child)
            raise
        if report is None:
            late = time.monotonic() >= began + self.timeout
            _end(child) if late or self.stop.is_set() else child.join()
            reason = f"took longer than {self.timeout:g} s and was ended" if late else _death(child.exitcode)
            report = _failed(job, time.monotonic() - began, reason)
        child.join()
        return report


def _listen(receive: Connection, job: Job, progress: Progress, deadline: float, stop: Event) -> StepReport | None:
    """Pass progress on until the report comes; None when the child died, is late or is no longer wanted."""
    while time.monotonic() < deadline and not stop.is_set():
        try:
            message = receive.recv() if receive.poll(POLL_SECONDS) else None
        except EOFError:
            return None
        match message:
            case StepReport():
                return message
            case (int(done), int(total)):
                progress(job.step, done, total)
    return None


def _end(child: Process) -> None:
    child.terminate()
    child.join(5)
    if child.is_alive():
        child.kill()
        child.join()


def _death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = "; was the machine out of memory?" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {exitcode} and no report"


def _failed(job: Job, wall: float, reason: str) -> StepReport:
    log = job.folder / "logs" / f"{job.step.stage}.log"
    return StepReport(StepOutcome(job.step, StepStatus.FAILED, wall, 0.0, 0.0, reason, str(log)))
