"""When a drift will cross the next requirement level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.judging.judged import Forecast, ShiftKind
from qa.model import Level

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from qa.changes.series import Series
    from qa.judging.judged import Shift
    from qa.model import Ladder

NEAR = 1.0
"""Standard deviations about the day of crossing that hold 68 % of a normal distribution."""

FARTHEST = 3650.0
"""Days beyond which nobody wants to know."""

FEWEST = 4
"""Nights of a drift that a line is drawn through."""

DAY = 86400.0


def forecast(
    shift: Shift, series: Series, *, ladder: Ladder | None, now: datetime, gate: Level | None = None
) -> Forecast | None:
    """Return when a drift will lose the level its series is at, or the gate's where one is given.

    A line is drawn by least squares through the nights since the drift began; series and ladder are in one unit. The
    day of crossing is where the line meets the target. Its 68 % interval holds the days at which the line with its
    error can be the target (Fieller 1954, J. R. Stat. Soc. B 16, 175); it has no end where the slope may be zero.
    Nights are taken as independent. A metric that is best at zero is judged by its size.

    None where there is no level to lose, the line does not go that way, or it takes more than ten years.
    """
    from qa.requirements.ladder import reached, target  # noqa: PLC0415 - a fifth of a second that a scan does not need

    nights = [one for one in series.points if one.value is not None and shift.began <= one.when <= now]
    if shift.kind is not ShiftKind.DRIFT or ladder is None or len(nights) < FEWEST:
        return None
    days = [(one.when - now).total_seconds() / DAY for one in nights]
    sign = -1.0 if series.direction.value == "zero" and shift.after < 0 else 1.0
    line = _Line.through(days, [sign * one.value for one in nights if one.value is not None])
    level = reached(line.at(0.0), ladder)
    if level is Level.BELOW_MINIMUM:
        return None
    lost = gate or level
    crossing = line.meets(target(ladder, lost))
    if crossing is None:
        return None
    when, earliest, latest = crossing
    last = None if latest is None or latest > FARTHEST else _day(now, latest)
    return Forecast(lost, _day(now, when), _day(now, max(earliest, 0.0)), last)


def _day(now: datetime, days: float) -> date:
    return (now + timedelta(days=days)).date()


@dataclass(frozen=True, slots=True)
class _Line:
    """A least-squares line through `n` points: `mean` at the middle day, `slope` a day, and the scatter about it."""

    middle: float
    mean: float
    slope: float
    scatter: float
    n: int
    width: float

    @classmethod
    def through(cls, days: Sequence[float], values: Sequence[float]) -> _Line:
        n = len(days)
        middle, mean = math.fsum(days) / n, math.fsum(values) / n
        width = math.fsum((day - middle) ** 2 for day in days)
        slope = math.fsum((day - middle) * value for day, value in zip(days, values, strict=True)) / width
        left = (value - mean - slope * (day - middle) for day, value in zip(days, values, strict=True))
        scatter = math.sqrt(math.fsum(one * one for one in left) / (n - 2))
        return cls(middle, mean, slope, scatter, n, width)

    def at(self, day: float) -> float:
        """Return the line's value on a day."""
        return self.mean + self.slope * (day - self.middle)

    def meets(self, value: float) -> tuple[float, float, float | None] | None:
        """Return the day the line will meet a value, and the first and last day it may; None if not in ten years."""
        if self.slope == 0:
            return None
        away = self.mean - value
        when = self.middle - away / self.slope
        if not 0 <= when <= FARTHEST:
            return None
        # The roots of a quadratic in the days since the middle, in the form that bears a slope of no significance.
        error = (NEAR * self.scatter) ** 2
        square, rest = self.slope**2 - error / self.width, away * away - error / self.n
        towards = -self.slope * away
        root = towards + math.sqrt(max(towards * towards - square * rest, 0.0))
        return when, self.middle + rest / root, self.middle + root / square if square > 0 else None
