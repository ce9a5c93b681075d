"""What the checks of the commit lane found: values that travel with a run's record. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How a check ended: FAILED, what it looked at is wrong; ERROR, it could not look; NOT_RUN, no time was left."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    NOT_RUN = "not-run"
    SKIPPED = "skipped"


BAD = frozenset({CheckStatus.FAILED, CheckStatus.ERROR, CheckStatus.NOT_RUN})
"""The ways to end after which a run does not pass."""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """How one check of a camera ended, why in one line, and how long it took (s), its data not counted."""

    camera: str
    name: str
    status: CheckStatus
    seconds: float
    message: str = ""

    @property
    def key(self) -> str:
        """Name of the check, unique within a run."""
        return f"{self.camera}::{self.name}"


def in_short(outcome: CheckOutcome) -> str:
    """Say in a line what is wrong: `headers_translate: no card DATE-OBS`."""
    return f"{outcome.name}: {outcome.message}" if outcome.message else outcome.name
