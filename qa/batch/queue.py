"""What a submission left in the queue of a batch system: found by its name, and cancelled before another one begins."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from obs_registry.model import BatchService
from qa.batch.config import PROJECT, SERVICES
from qa.drp.command import program
from qa.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

RUN_ID = "run-id"
"""File of a submission that holds its id, in systems that give one."""

ANSWER_SECONDS = 60.0
GONE_SECONDS = 120.0
_POLL_SECONDS = 0.5


def cancel(service: BatchService, name: str, folder: Path) -> None:
    """Cancel what runs of the submissions called `name`, whose folders are in `folder`, and wait until it is gone.

    Raises
    ------
    EngineError
        If the batch system is not there, or does not cancel.
    """
    match service:
        case BatchService.SLURM:
            _cancel_slurm(f"{PROJECT}.{name}")
        case BatchService.HTCONDOR:
            _cancel_condor(folder)
        case BatchService.PARSL:
            pass  # what runs on this machine ends with the process that began it


def in_words(service: BatchService, name: str) -> str:
    """Say what the queue says of the submissions called `name`; nothing where it is not known."""
    if service is not BatchService.SLURM:
        return ""
    try:
        told = _ask("squeue", "--me", "--noheader", "--name", f"{PROJECT}.{name}", "--format", "%T %r")
    except EngineError as error:
        return str(error)
    lines = dict.fromkeys(" ".join(line.split()) for line in told.splitlines())
    return f"the queue says {', '.join(lines)}" if lines else "nothing of it is in the queue"


def _cancel_slurm(name: str) -> None:
    named = ("--me", "--name", name)
    if not _ask("squeue", *named, "--noheader", "--format", "%i").split():
        return
    _ask("scancel", *named)
    deadline = time.monotonic() + GONE_SECONDS
    while left := _ask("squeue", *named, "--noheader", "--format", "%i").split():
        if time.monotonic() > deadline:
            msg = f"Slurm has not ended job {left[0]} of {name}, which was cancelled {GONE_SECONDS:g} s ago; look at it"
            raise EngineError(msg)
        time.sleep(_POLL_SECONDS)


def _cancel_condor(folder: Path) -> None:
    for path in sorted(folder.glob(f"*/{RUN_ID}")):
        bps = str(program("bps", extra="batch", module="lsst.ctrl.bps"))
        _ask(bps, "cancel", "--wms-service-class", SERVICES[BatchService.HTCONDOR], "--id", path.read_text().strip())
        path.unlink()


def _ask(*command: str) -> str:
    """Return what a program of the batch system answers."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS)
    except FileNotFoundError:
        msg = f"the batch system needs the program {command[0]} on PATH, found none; submit from where it is"
        raise EngineError(msg) from None
    except subprocess.TimeoutExpired:
        msg = f"the batch system does not answer: {command[0]} took longer than {ANSWER_SECONDS:g} s"
        raise EngineError(msg) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        msg = f"the batch system does not answer: {lines[-1]}"
        raise EngineError(msg)
    return done.stdout
