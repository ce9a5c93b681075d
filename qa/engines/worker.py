"""The child's half of the local engine: one step, its log file, its cost, its report."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import resource
import shutil
import sys
import time
import traceback
from typing import TYPE_CHECKING

from qa.engines.base import StepReport
from qa.engines.stages import STAGES, Produced
from qa.errors import ObsqaError
from qa.model import StepOutcome, StepStatus
from qa.processes import collect_less_often, die_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from qa.engines.base import Job
    from qa.engines.stages import Tick

_KIB = 1024.0
# With less free space than the images of a detector take, it is the disk that a failure comes from.
_LOW_MIB = 16.0


def work(job: Job, send: Connection) -> None:
    """Carry out a step and send its progress and its report."""
    die_with(send)
    collect_less_often()
    send.send(carry_out(job, lambda done, total: send.send((done, total))))


def carry_out(job: Job, tick: Tick) -> StepReport:
    """Carry out a step in this process, which does nothing else; what it prints goes to the step's log."""
    log = job.folder / "logs" / f"{job.step.stage}.log"
    began, before = time.monotonic(), _cpu_seconds()
    try:
        with _logging_to(log), _alone_in(job.folder):
            produced = STAGES[job.step.stage](job, tick)
        status = StepStatus.CAVEATS if produced.caveats else StepStatus.DONE
        message = produced.message or _in_short(produced.caveats)
    except ObsqaError as error:
        produced, status, message = Produced(), StepStatus.FAILED, _reason(str(error), job.folder)
    except Exception as error:  # noqa: BLE001 - one camera's bug must not end the night; the log has the traceback
        with contextlib.suppress(OSError), log.open("a") as stream:  # a full disk takes no traceback
            traceback.print_exc(file=stream)
        produced, status = Produced(), StepStatus.FAILED
        message = _reason(f"{type(error).__name__}: {error}", job.folder)
    outcome = StepOutcome(
        step=job.step,
        status=status,
        wall_seconds=time.monotonic() - began,
        cpu_seconds=_cpu_seconds() - before,
        peak_mib=_peak_mib(),
        message=message,
        log=str(log),
    )
    return StepReport(outcome, produced.results, produced.caveats)


def _reason(text: str, folder: Path) -> str:
    """Word a failure as one line, which begins with the disk where that is full: libraries word it in many ways."""
    line = " ".join(text.split("\n(Background on this error", maxsplit=1)[0].split())
    free = shutil.disk_usage(folder).free / _KIB**2
    if free > _LOW_MIB:
        return line
    return f"disk full ({free:.1f} MiB left in {folder}), free some or choose another folder; it failed with: {line}"


def _in_short(caveats: Sequence[str]) -> str:
    """Word caveats as one line; all of them are in the journal with the measurements."""
    more = f" (and {len(caveats) - 1} more)" if len(caveats) > 1 else ""
    return f"{caveats[0]}{more}" if caveats else ""


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Send logging, stdout and stderr, also of grandchildren, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno() if sys.stdout else 1)
        os.dup2(stream.fileno(), sys.stderr.fileno() if sys.stderr else 2)
        logging.basicConfig(level=logging.INFO, force=True, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        yield


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a data set's folder; waits for a process of an earlier, killed night to be gone."""
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_mib() -> float:
    """Return the peak memory of this process or its largest child, in MiB."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(usage.ru_maxrss for usage in usages) / _KIB
