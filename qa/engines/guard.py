"""Stands between obsqa and a command: `python guard.py COMMAND...` ends all that the command began when it ends.

Also when obsqa is gone, however it went: then the standard input closes. Told to end by SIGTERM, it gives the command
some seconds. It is run as a file by itself and knows nothing of obsqa.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 5
NOT_STARTED = 127


def main(argv: list[str]) -> int:
    """Run a command and return its exit code, 128 and the number of the signal that ended it."""
    with contextlib.suppress(AttributeError):  # elsewhere than on Linux orphans are not given to us
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        return NOT_STARTED

    def ask_to_end(*_: object) -> None:
        _signal(child.pid, signal.SIGTERM)
        signal.alarm(GRACE_SECONDS)

    signal.signal(signal.SIGALRM, lambda *_: _signal(child.pid, signal.SIGKILL))
    signal.signal(signal.SIGTERM, ask_to_end)
    Thread(target=_watch, args=(child.pid,), daemon=True).start()
    code = child.wait()
    _end_orphans()
    return code if code >= 0 else 128 - code


def _watch(group: int) -> None:
    """End everything as soon as the other end of the standard input is closed."""
    while os.read(0, 1):
        pass
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _end_orphans() -> None:
    """End what the command left: the children of those that end become ours."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
        except ChildProcessError:
            return


def _children() -> list[int]:
    """Return the processes whose parent is this one, as Linux tells them; none elsewhere."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = path.read_text(errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append(int(path.parent.name))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
