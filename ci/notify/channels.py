"""The port through which notices leave, with its null and its recording form; `mail` and `web` hold the real ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from qa.notices.model import Notice


class UndeliveredError(Exception):
    """A notice was not taken.

    `again` says that it may be tried again, after `pause` seconds where the server asks for that; `everybody`, that
    no other notice would be taken either.
    """

    def __init__(self, reason: str, *, again: bool = False, everybody: bool = False, pause: float = 0.0) -> None:
        self.reason, self.again, self.everybody, self.pause = reason, again, everybody, pause
        super().__init__(reason)


class Channel(Protocol):
    """A way by which notices leave."""

    def send(self, to: str, notice: Notice) -> None:
        """Hand a notice over.

        Raises
        ------
        UndeliveredError
            If it was not taken.
        """
        ...


class NullChannel:
    """Takes every notice and sends none."""

    def send(self, to: str, notice: Notice) -> None:
        """Do nothing."""


@dataclass(slots=True)
class RecordingChannel:
    """Takes every notice and keeps it: for tests, and to show what would be sent. `faults` are raised first."""

    sent: list[tuple[str, Notice]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def send(self, to: str, notice: Notice) -> None:
        """Keep the notice."""
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append((to, notice))
