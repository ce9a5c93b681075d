"""Axes, round ticks and the parts shared by the graphics inside pages; pure numbers in SVG user units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.judging.compare import STEADY_WITHIN
from qa.requirements.ladder import target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from qa.model import Comparison, Ladder

_DAY = timedelta(days=1)
_TICK = 52.0


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear map of values to user units."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value lies, to a tenth of a unit."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def clipped(self, value: float) -> float:
        """Return where a value lies, the nearest end of the axis where it lies outside."""
        return self(min(max(value, self.low), self.high))

    def holds(self, value: float) -> bool:
        """Tell whether a value lies within the axis."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an axis with the word that styles it."""

    start: float
    size: float
    kind: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A position on an axis and what is written there."""

    at: float
    text: str


def rungs(ladder: Ladder) -> tuple[tuple[str, float], ...]:
    """Return the names and values of a ladder, best first; of one with a single target that one."""
    if ladder.only is not None:
        return ((ladder.only.value, target(ladder, ladder.only)),)
    return (("stretch", ladder.stretch), ("design", ladder.design), ("minimum", ladder.minimum))


def polylines(points: Iterable[tuple[float, float] | None]) -> tuple[str, ...]:
    """Write uninterrupted stretches of two points or more as the `points` of SVG polylines."""
    stretches: list[list[str]] = [[]]
    for point in points:
        if point is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{point[0]:g},{point[1]:g}")
    return tuple(" ".join(one) for one in stretches if len(one) > 1)


def value_axis(values: Sequence[float], *, margin: float, start: float, end: float) -> Axis:
    """Span an axis over some values with a margin on either side, wide enough to be drawn where all are equal."""
    low, high = min(values), max(values)
    pad = max(margin * (high - low), 1e-3 * max(abs(low), abs(high))) or 1.0
    return Axis(low - pad, high + pad, start, end)


def tolerance_band(axis: Axis, comparison: Comparison) -> Span | None:
    """Return what counts as steady about the baseline as a vertical stretch, cut at the ends of the axis."""
    if comparison.baseline is None or not comparison.baseline.tolerance:
        return None
    centre, tolerance = comparison.baseline.value, STEADY_WITHIN * comparison.baseline.tolerance
    top, bottom = axis.clipped(centre + tolerance), axis.clipped(centre - tolerance)
    return Span(top, round(bottom - top, 1), "tolerance")


def nice_ticks(low: float, high: float, count: int = 4) -> tuple[float, ...]:
    """Return round values (1, 2 or 5 times a power of ten apart) within an interval, about `count` of them."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))


def time_ticks(first: datetime, last: datetime, x: Axis) -> tuple[Tick, ...]:
    """Mark days: every so many that six fit at most, fewer on a short axis; the only one where there is one."""
    room = max(1, min(6, int((x(last.timestamp()) - x(first.timestamp())) / _TICK)))
    days = (last - first) / _DAY
    if days < 1:
        return (Tick(x(last.timestamp()), f"{last.day} {last:%b}"),)
    step = next((size for size in (1, 2, 7, 14, 28, 56, 91, 182, 365) if days / size <= room), int(days / room))
    ticks, when = [], last
    while when >= first:
        ticks.append(Tick(x(when.timestamp()), f"{when.day} {when:%b}"))
        when -= step * _DAY
    return tuple(reversed(ticks))
