"""Commands of others: started from an argument list, never by a shell, logged, and ended with all they started."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.errors import EngineError
from qa.processes import describe_death

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LONGEST = 200
_SECRET = re.compile(r"(\w+://)[^/\s@]+@|((?:token|password|passwd|secret|api_?key)\s*[=:]\s*)\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: `ending` is '' for exit code 0, else in words. CPU and wall time in seconds."""

    exit_code: int
    ending: str
    cpu_seconds: float
    wall_seconds: float


def run_logged(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path, timeout: float | None = None
) -> Ended:
    """Run a command to its end and count its time and that of its children.

    Raises
    ------
    EngineError
        If there is no such command.
    """
    began, before = time.monotonic(), _children()
    with log.open("wb") as stream:
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            msg = f"{command[0]}: must be a command that can be started, found: {error.strerror}"
            raise EngineError(msg) from error
        code = _wait(process, timeout)
    ending = f"took longer than {timeout:g} s" if code is None else describe_death(code) if code else ""
    return Ended(-1 if code is None else code, ending, _children() - before, time.monotonic() - began)


def last_words(log: Path) -> str:
    """Return the last line of a log, without what looks like a password."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return without_secrets(lines[-1])[:LONGEST] if lines else "it said nothing"


def without_secrets(text: str) -> str:
    """Black out user names and passwords of addresses, and the values of tokens and passwords."""
    return _SECRET.sub(lambda match: f"{match.group(1) or match.group(2)}***" + ("@" if match.group(1) else ""), text)


def _wait(process: subprocess.Popen[bytes], timeout: float | None) -> int | None:
    """Wait for the end; one that takes too long, or outlives our interest, is ended with its children."""
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # Its own group: what it left running in the background goes, too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
