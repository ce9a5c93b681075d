"""What child processes do for their parents: end with them, and look for garbage rarely. Knows no middleware."""

from __future__ import annotations

import gc
import os
import select
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def die_with(parent: Connection) -> None:
    """End this process as soon as nobody listens to it any more, so that a killed night leaves nobody behind."""
    poll = select.poll()
    poll.register(parent.fileno(), 0)  # no event asked for: what is left are errors, such as a closed other end

    def watch() -> None:
        poll.poll()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def collect_less_often() -> None:
    """Spare what was imported before the fork, and look for garbage rarely: a fifth of a step's time went into it."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def describe_death(exitcode: int | None) -> str:
    """Say how a process ended that had more to do: `died (SIGKILL)`, `ended with exit code 3`."""
    if exitcode is not None and exitcode < 0:
        return f"died ({signal.Signals(-exitcode).name})"
    return f"ended with exit code {exitcode}"
