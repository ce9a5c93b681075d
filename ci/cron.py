"""A night begun by a clock: alone, into a log of its own, silent when all is well, and heard of when it is not."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obs_registry.errors import RegistryError
from qa.errors import InfrastructureError, ObsqaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ci.settings import Settings

LOCK = "night.lock"
LOGS = "logs"
_LONGEST_HOLDER = 300
_REGISTRY_WRONG = 2
_BUG = 3


class NightRunningError(InfrastructureError):
    """Another night that a clock began is still at it; `holder` says which."""

    def __init__(self, lock: Path, holder: str) -> None:
        self.lock, self.holder = lock, holder
        super().__init__(
            f"{lock}: the night before must have ended, found {holder or 'it running'}; wait for it or end it, "
            "and give a night fewer hours (--budget) if this happens again"
        )


class NoLogError(InfrastructureError):
    """What a night needs to be begun by a clock cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        self.path = path
        reason = (error.strerror or str(error)).lower()
        super().__init__(f"{path}: must be a file that can be written, found: {reason}; choose another --runs")


def under_cron(settings: Settings, night: Callable[[], int], *, now: Callable[[], datetime] | None = None) -> int:
    """Run a night that nobody watches and return its exit code.

    All that it prints goes to its log. What is said here, which a cron daemon mails, is one line, and nothing at all
    when the night passed. Who asked for alarms in the file of subscriptions is told when a night leaves no run to
    report: it could not begin, or was cut short.

    Raises
    ------
    NightRunningError
        If the night before has not ended.
    NoLogError
        If the lock or the log cannot be written.
    """
    clock = now or (lambda: datetime.now(UTC))
    try:
        with alone(settings.runs / LOCK, clock()):
            log = settings.runs / LOGS / f"night-{clock():%Y%m%dT%H%M%SZ}.log"
            with _into(log):
                code = _watched(settings, night)
    except InfrastructureError as error:
        _alarm(settings, [str(error)])
        raise
    if code:
        print(f"obsqa: the night ended with exit code {code}; log: {log}", file=sys.stderr)  # noqa: T201 - for cron's mail
    return code


@contextlib.contextmanager
def alone(lock: Path, since: datetime) -> Iterator[None]:
    """Hold a lock, in which it stands who holds it. It goes with the process, however that ends.

    Raises
    ------
    NightRunningError
        If another process holds it.
    NoLogError
        If it cannot be written.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = lock.open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise NoLogError(lock, error) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NightRunningError(lock, _holder(lock)) from None
        handle.truncate(0)
        handle.write(f"process {os.getpid()} on {platform.node()}, since {since:%Y-%m-%d %H:%M:%S} UTC\n")
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


def _holder(lock: Path) -> str:
    """Return what stands in a lock as one line of printable characters."""
    text = lock.read_text(encoding="utf-8", errors="replace")[:_LONGEST_HOLDER]
    return "".join(one if one.isprintable() else " " for one in text).strip()


@contextlib.contextmanager
def _into(log: Path) -> Iterator[None]:
    """Send stdout and stderr, also those of children, to the end of a file."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        stream = log.open("ab")
    except OSError as error:
        raise NoLogError(log, error) from None
    with stream, contextlib.ExitStack() as kept:
        for number, text in ((1, sys.stdout), (2, sys.stderr)):
            text.flush()
            own = os.dup(number)
            kept.callback(os.close, own)
            kept.callback(os.dup2, own, number)
            kept.callback(text.flush)
            os.dup2(stream.fileno(), number)
        yield


def _watched(settings: Settings, night: Callable[[], int]) -> int:
    """Run a night; what ends it goes to its log and, as it leaves nothing to report, to those who asked for alarms."""
    print(f"process {os.getpid()} on {platform.node()}, runs in {settings.runs.absolute()}", file=sys.stderr)  # noqa: T201
    try:
        return night()
    except RegistryError as error:
        return _ended(settings, str(error), _REGISTRY_WRONG)
    except ObsqaError as error:
        return _ended(settings, str(error), error.exit_code)
    except KeyboardInterrupt:
        _ended(settings, "the night was interrupted; what was finished is kept, and the next one goes on from there", 0)
        raise
    except Exception as error:  # noqa: BLE001 - nobody watches: a bug must be heard of, too
        traceback.print_exc()
        return _ended(settings, f"a bug: {type(error).__name__}: {error}", _BUG)


def _ended(settings: Settings, line: str, code: int) -> int:
    print(f"obsqa: {line}", file=sys.stderr)  # noqa: T201 - the log
    _alarm(settings, line.splitlines())
    return code


def _alarm(settings: Settings, lines: list[str]) -> None:
    from ci.notify import send_alarm  # noqa: PLC0415 - only when something is wrong

    for fault in send_alarm(settings, f"the night on {platform.node()} left no report", lines):
        print(f"warning: {fault}", file=sys.stderr)  # noqa: T201 - to the log, or to cron's mail
