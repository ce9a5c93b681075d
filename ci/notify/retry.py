"""Trying again: a few times with pauses that grow, within one span of patience for all notices of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ci.notify.channels import UndeliveredError

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSES = (2.0, 8.0)
"""Seconds between two tries, unless a server asks for more."""

PATIENCE = 180.0
"""Seconds after which nothing is tried again: notices must not hold up a night."""


@dataclass(slots=True)
class Patience:
    """What is left of the time for trying again."""

    seconds: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        self._end = self.clock() + self.seconds

    def attempt(self, send: Callable[[], None]) -> UndeliveredError | None:
        """Send, several times if need be; return why it did not come to be."""
        for pause in (*PAUSES, None):
            try:
                send()
            except UndeliveredError as error:
                if pause is None or not error.again or not self._wait(max(pause, error.pause)):
                    return error
            except Exception as error:  # noqa: BLE001 - what is odd about one notice must not stop the others
                return UndeliveredError(f"{type(error).__name__}: {error}")
            else:
                return None
        return None

    def _wait(self, pause: float) -> bool:
        """Pause, unless that would take longer than there is patience for."""
        if self.clock() + pause > self._end:
            return False
        self.sleep(pause)
        return True
