"""`bps submit` carried out and waited for, wherever the batch system runs the jobs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.batch.config import SERVICES
from qa.batch.ends import Listener
from qa.batch.queue import RUN_ID, in_words
from qa.drp.command import program
from qa.engines.commands import Command
from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from threading import Event

    from obs_registry.model import BatchService
    from qa.engines.commands import Runner

LOG = "bps.log"
CONFIG = "bps.yaml"
POLL_SECONDS = 30.0
# Exit codes of `bps status` are those of lsst.ctrl.bps.WmsStates.
_SUCCEEDED, _DELETED, _FAILED, _PRUNED = 0, 16, 19, 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a submission is waited for: by whom it is run, how long (seconds), and what may end it before."""

    runner: Runner
    timeout: float
    stop: Event
    tick: Callable[[int, int], None]
    poll: float = POLL_SECONDS


def submit(folder: Path, name: str, *, service: BatchService, jobs: int, waiting: Waiting) -> str:
    """Submit what the file `bps.yaml` in a folder says, wait until all jobs are over, and return what went wrong.

    That jobs failed is nothing wrong here: their quanta tell.

    Raises
    ------
    EngineError
        If it was ended before the jobs were over.
    """
    command = _bps(folder, waiting.timeout, "submit", CONFIG)
    return submit_command(command, name, service=service, waiting=waiting, jobs=jobs).fault


@dataclass(frozen=True, slots=True)
class Over:
    """A submission whose jobs are over: the exit code of `bps`, what may have gone wrong, and what `bps` cost here."""

    code: int
    fault: str
    cpu_seconds: float
    peak_mib: float


def submit_command(command: Command, name: str, *, service: BatchService, waiting: Waiting, jobs: int = 0) -> Over:
    """Submit by a command and wait until all jobs are over; if their number is not known, `bps` tells it.

    Raises
    ------
    EngineError
        If it was ended before the jobs were over.
    """
    folder, began, listener = command.folder, time.monotonic(), Listener(jobs, waiting.tick)
    exit_ = waiting.runner.run(command, stop=waiting.stop, line=listener)
    if listener.run_id:
        (folder / RUN_ID).write_text(listener.run_id)
        if _watch(folder, listener.run_id, service=service, deadline=began + waiting.timeout, waiting=waiting):
            (folder / RUN_ID).unlink()
    late = time.monotonic() - began >= waiting.timeout
    if late or waiting.stop.is_set():
        queue = in_words(service, name)
        why = f"took longer than {waiting.timeout:g} s and was ended" if late else "was ended with the night"
        msg = f"the submission {why}" + (f"; {queue}" if queue else "")
        raise EngineError(msg)
    fault = listener.fault or (f"bps {exit_.reason}" if exit_.reason else "")
    return Over(exit_.code, fault, exit_.cpu_seconds, exit_.peak_mib)


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what `bps` needs set: Parsl looks on PATH for programs of its own."""
    scripts = program("bps", extra="batch", module="lsst.ctrl.bps").parent
    return {"PATH": os.pathsep.join([str(scripts), environ.get("PATH", os.defpath)])}


def _bps(folder: Path, timeout: float, *arguments: str) -> Command:
    bps = str(program("bps", extra="batch", module="lsst.ctrl.bps"))
    argv = (bps, "--long-log", *arguments)
    return Command(argv, folder, log=folder / LOG, timeout=timeout, env=environment())


def _watch(folder: Path, run_id: str, *, service: BatchService, deadline: float, waiting: Waiting) -> bool:
    """Wait for a batch system that took a submission and went its way; tell whether it is over."""
    asking = ("status", "--wms-service-class", SERVICES[service], "--id", run_id)
    while time.monotonic() < deadline and not waiting.stop.is_set():
        state = waiting.runner.run(_bps(folder, POLL_SECONDS * 4, *asking), stop=waiting.stop).code
        if state in {_SUCCEEDED, _DELETED, _FAILED, _PRUNED}:
            return True
        waiting.stop.wait(waiting.poll)
    return False
