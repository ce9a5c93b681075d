"""What a trial may say, and what it is a trial of."""

from __future__ import annotations

from enum import StrEnum

Combination = dict[str, str]
"""The revision of each changed package, by its name."""


class Outcome(StrEnum):
    """How a combination of packages did; SKIPPED: it could not be built or did not run, and says nothing."""

    GOOD = "good"
    BAD = "bad"
    SKIPPED = "skipped"

    @property
    def opposite(self) -> Outcome:
        """Good for bad and bad for good; what says nothing goes on saying nothing."""
        turned = {Outcome.GOOD: Outcome.BAD, Outcome.BAD: Outcome.GOOD}
        return turned.get(self, self)
