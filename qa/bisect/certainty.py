"""Whether the two ends can be told apart, on which side of the middle a trial lies, and how sure that makes the answer.

Both ends are run several times before anything is searched. What they scatter by is the run-to-run spread; a spread
learned from repeated runs (`obsqa baseline noise`) is used instead where it is larger.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.bisect.outcome import Outcome
from qa.errors import ObsqaError
from qa.judging.compare import STEADY_WITHIN
from qa.judging.spread import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

APART = 2 * STEADY_WITHIN
"""The ends must differ by more than this many spreads: then no value within `STEADY_WITHIN` of one is so of both."""

REPRODUCED = 0.5
"""Least part of the change between the two runs that the ends must show again."""


class NotReproducedError(ObsqaError):
    """The two ends, run again, do not show the change: there is nothing to search for."""

    exit_code = 4

    def __init__(self, what: str, *, required: str, found: str, action: str) -> None:
        self.what, self.required, self.found, self.action = what, required, found, action
        super().__init__(f"{what}: must {required}, found {found}; {action}")


@dataclass(frozen=True, slots=True)
class Ends:
    """The levels of the good and the bad end, and the spread of one run, in the metric's unit.

    `freedom` is the number of degrees of freedom the spread was estimated with: 0 if every end was run once and nothing
    is known of it, None if it is known from elsewhere.
    """

    good: float
    bad: float
    spread: float
    freedom: int | None

    @property
    def middle(self) -> float:
        """Where good ends and bad begins."""
        return (self.good + self.bad) / 2

    def outcome(self, value: float) -> Outcome:
        """Tell on which side of the middle a value lies; exactly half of the change is good."""
        return Outcome.BAD if (value - self.good) / (self.bad - self.good) > 1 / 2 else Outcome.GOOD

    def mistake(self, value: float) -> float:
        """Return the chance that scatter alone put a value on the wrong side of the middle."""
        if self.spread == 0:
            return 0.0
        return _tail(abs(value - self.middle) / self.spread, self.freedom)


@dataclass(frozen=True, slots=True)
class Certainty:
    """The chance that no trial was misjudged, None when nothing is known of the scatter; and that in a sentence."""

    chance: float | None
    reason: str


def verify(
    good: Sequence[float],
    bad: Sequence[float],
    *,
    what: str,
    learned: float | None = None,
    expected: float | None = None,
) -> Ends:
    """Make the ends from repeated runs of both (equally many, in the metric's unit).

    Parameters
    ----------
    what
        The metric and what it is measured on, for messages.
    learned
        The run-to-run spread, where it is known from repeated runs.
    expected
        The change between the two runs, bad minus good, where they measured the same data.

    Raises
    ------
    NotReproducedError
        If the ends do not differ by more than `APART` spreads, or by less than half of what the runs did.
    """
    mean_good, mean_bad = math.fsum(good) / len(good), math.fsum(bad) / len(bad)
    spread, freedom = _scatter(good, bad)
    ends = Ends(mean_good, mean_bad, max(spread, learned or 0.0), freedom if learned is None else None)
    _check_apart(ends, what)
    if expected is not None and (mean_bad - mean_good) / expected < REPRODUCED:
        raise NotReproducedError(
            what,
            required=f"move by {expected:+.4g} as between the two runs when both are run again",
            found=f"{mean_good:.6g} and {mean_bad:.6g}, {mean_bad - mean_good:+.4g}",
            action="what else differs between the runs brought it",
        )
    return ends


def certainty(ends: Ends, values: Iterable[float]) -> Certainty:
    """Return the chance that none of the trials with these values was misjudged."""
    if ends.freedom == 0:
        return Certainty(None, "each end was run once, so that nothing is known of the scatter; repeat them")
    if ends.spread == 0:
        return Certainty(1.0, "repeated runs of both ends agree bit for bit")
    chance = math.prod(1 - ends.mistake(value) for value in values)
    known = "learned from repeated runs" if ends.freedom is None else f"from {ends.freedom + 2} runs of the ends"
    apart = abs(ends.bad - ends.good) / ends.spread
    return Certainty(chance, f"the ends are {apart:.3g} run-to-run spreads apart ({ends.spread:.3g}, {known})")


def _check_apart(ends: Ends, what: str) -> None:
    # Both ends run on this one machine: what repeats bit for bit differs when its last place does.
    rounding = sys.float_info.epsilon if ends.freedom != 0 else ROUNDING
    least = APART * max(ends.spread, rounding * max(abs(ends.good), abs(ends.bad)))
    if abs(ends.bad - ends.good) > least:
        return
    raise NotReproducedError(
        what,
        required=f"differ between the good and the bad end by more than {APART:g} run-to-run spreads ({least:.3g})",
        found=f"{ends.good:.6g} and {ends.bad:.6g}",
        action="look at what else differs between the runs, or choose another metric or data set",
    )


def _scatter(good: Sequence[float], bad: Sequence[float]) -> tuple[float, int]:
    """Return the pooled standard deviation of one run, and its degrees of freedom."""
    freedom = len(good) + len(bad) - 2
    squares = math.fsum((value - math.fsum(end) / len(end)) ** 2 for end in (good, bad) for value in end)
    return (math.sqrt(squares / freedom) if freedom else 0.0), freedom


def _tail(deviation: float, freedom: int | None) -> float:
    """Return the chance to exceed a deviation: of a normal or, with `freedom` (even), of Student's distribution.

    The series is equation 26.7.4 of Abramowitz and Stegun, Handbook of Mathematical Functions (1964).
    """
    if freedom is None:
        return math.erfc(deviation / math.sqrt(2)) / 2
    angle = math.atan2(deviation, math.sqrt(freedom))
    term = total = 1.0
    for number in range(1, freedom // 2):
        term *= (2 * number - 1) / (2 * number) * math.cos(angle) ** 2
        total += term
    return (1 - math.sin(angle) * total) / 2
