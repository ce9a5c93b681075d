"""The port `Runner`: a command of somebody else's, such as `pipetask`, carried out here or in a container.

What the command does, also that it is not there, takes too long or dies, is an `Exit` and never an exception.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from obs_registry.model import Runtime

Line = Callable[[str], None]
"""Called with each line that a command prints, without its end."""

POLL_SECONDS = 0.1
NOT_STARTED = 127
"""Exit code of a command that could not be started, as shells have it."""
LATE, STOPPED = "late", "stopped"
_SIGNALLED = 128
_KIB = 1024.0
# What is set for this Python is not for that of another environment.
_OURS = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS"})
_GUARD = Path(__file__).with_name("guard.py")
# A set-up script that fails would leave the command to run with something else than what it sets up.
_SOURCE = 'source "$1" || { echo "obsqa: the set-up script $1 failed" >&2; exit 126; }; shift; exec "$@"'


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be run: an argument list, in a folder, with what it may read and write.

    `env` is added to the environment. What is printed goes to the end of the file `log`. After `timeout` seconds the
    command is ended. `reads` and `writes` are the folders and files it needs beside `folder`, which it may write:
    engines that shut a command off give it these and no others.
    """

    argv: tuple[str, ...]
    folder: Path
    _: KW_ONLY
    log: Path
    timeout: float
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended: `reason` is one line, empty where it ended well.

    CPU time in seconds and peak memory in MiB are 0 where they are not known.
    """

    code: int
    reason: str
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0


def ignore(_line: str) -> None:
    """Do nothing with a line."""


class Runner(Protocol):
    """Runs commands and waits for them."""

    def run(self, command: Command, *, stop: Event, line: Line = ignore) -> Exit:
        """Run a command until it ends, is late, or `stop` is set.

        Raises
        ------
        InfrastructureError
            If what carries out commands is not there at all.
        """
        ...


def runner_for(runtime: Runtime) -> Runner:
    """Return the runner for commands of a camera: in its image if it has one, else on this machine."""
    if runtime.image is not None:
        from qa.engines.container import ContainerRunner  # noqa: PLC0415 - the SDK is an extra

        return ContainerRunner.of(runtime)
    return LocalRunner(None if runtime.setup is None else Path(runtime.setup))


@dataclass(frozen=True, slots=True)
class LocalRunner:
    """Runs commands on this machine, behind a set-up script if there is one; what they began ends with them or with us.

    The set-up script is sourced by bash, and must end well.
    """

    setup: Path | None = None

    def run(self, command: Command, *, stop: Event, line: Line = ignore) -> Exit:
        """Run a command; all that it began is gone when this returns."""
        if self.setup is not None and not self.setup.is_file():
            return Exit(NOT_STARTED, f"the set-up script must be a file, found none at {self.setup}")
        began = time.monotonic()
        command.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            process = self._start(command)
        except OSError as error:
            return Exit(NOT_STARTED, f"{command.argv[0]} cannot be started in {command.folder}: {error.strerror}")
        with process, command.log.open("ab") as log:
            reading = Thread(target=copy_lines, args=(process.stdout, log, line))
            reading.start()
            reason, cost = _wait(process, began + command.timeout, stop)
            reading.join()
        code = process.returncode
        told = why_ended(command, code, late=reason == LATE, stopped=reason == STOPPED)
        return Exit(code, told, time.monotonic() - began, *cost)

    def _start(self, command: Command) -> subprocess.Popen[bytes]:
        argv = command.argv if self.setup is None else ("bash", "-c", _SOURCE, "obsqa", str(self.setup), *command.argv)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), *argv],
            cwd=command.folder,
            env={**environment(os.environ), **command.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what commands of others get of our environment: nothing of obsqa's own, which may hold passwords."""
    return {name: value for name, value in environ.items() if not name.startswith("OBSQA_") and name not in _OURS}


def copy_lines(stream: IO[bytes] | None, log: IO[bytes], line: Line) -> None:
    """Copy a stream to a log as it comes, and call `line` with each line; a full disk does not stop the command."""
    for raw in stream or ():
        with contextlib.suppress(OSError):
            log.write(raw)
            log.flush()
        line(raw.decode(errors="replace").rstrip("\r\n"))


def why_ended(command: Command, code: int, *, late: bool, stopped: bool) -> str:
    """Word how a command ended as one line; nothing where it ended well."""
    if late:
        return f"took longer than {command.timeout:g} s and was ended"
    if stopped:
        return "was ended with the night"
    if code == NOT_STARTED:
        return f"{command.argv[0]} was not found (exit code {code})"
    if code > _SIGNALLED and code - _SIGNALLED in set(signal.Signals):
        name = signal.Signals(code - _SIGNALLED).name
        return f"killed by {name}" + ("; was the machine out of memory?" if name == "SIGKILL" else "")
    return f"ended with exit code {code}" if code else ""


def _wait(process: subprocess.Popen[bytes], deadline: float, stop: Event) -> tuple[str, tuple[float, float]]:
    """Wait for a process or end it; return why it was ended, and CPU seconds and peak memory of it and its children."""
    reason = ""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return reason, (usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _KIB)
        if not reason and (time.monotonic() >= deadline or stop.is_set()):
            reason = LATE if not stop.is_set() else STOPPED
            process.terminate()
        stop.wait(POLL_SECONDS) if not stop.is_set() else time.sleep(POLL_SECONDS)
