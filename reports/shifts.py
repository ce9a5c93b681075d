"""Marks of what happened to a series: step lines, drifts with their forecast, spikes, gaps, known breaks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import TYPE_CHECKING

from qa.judging.judged import ShiftKind
from qa.model import Level
from qa.requirements.ladder import target
from reports.states import forecast_sentence
from reports.wording import day, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from qa.judging.judged import Forecast, Shift
    from qa.model import HistoryPoint, Ladder
    from reports.axes import Axis

AHEAD = 0.75
"""A chart looks ahead to a forecast for this share of the time it shows at most."""


@dataclass(frozen=True, slots=True)
class ShiftMark:
    """One mark: SVG path data, the word that styles it, and what it says."""

    kind: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a series is drawn: places of times and values, and the edges of the plot.

    `at` gives the place of a time, cut at the edges; `now` is that of the last night.
    """

    at: Callable[[datetime], float]
    y: Axis
    left: float
    now: float
    top: float
    bottom: float


def shift_marks(shifts: Sequence[Shift], points: Sequence[HistoryPoint], frame: Frame) -> tuple[ShiftMark, ...]:
    """Return the marks of the shifts that began within the nights shown, and of the breaks between them."""
    shown = [one for one in sorted(shifts, key=lambda one: one.began) if one.found >= points[0].when]
    return (*_breaks(points, frame), *_shifts(shown, frame))


def _breaks(points: Sequence[HistoryPoint], frame: Frame) -> Iterator[ShiftMark]:
    for before, after in pairwise(point for point in points if point.value is not None):
        if before.epoch != after.epoch:
            middle = round((frame.at(before.when) + frame.at(after.when)) / 2, 1)
            text = f"{day(after.when)}: known break, the data set or machine changed"
            yield ShiftMark("break", f"M{middle} {frame.top:g}V{frame.bottom:g}", text)


def _shifts(shifts: Sequence[Shift], frame: Frame) -> Iterator[ShiftMark]:
    levels = [one for one in shifts if one.kind in {ShiftKind.STEP, ShiftKind.DRIFT}]
    for shift in shifts:
        before = max((one.began for one in levels if one.began < shift.began), default=None)
        after = min((one.began for one in levels if one.began > shift.began), default=None)
        start = frame.left if before is None else frame.at(before)
        end = frame.now if after is None else frame.at(after)
        yield ShiftMark(shift.kind.value, _path(shift, frame, start, end), shift_text(shift))


def _path(shift: Shift, frame: Frame, start: float, end: float) -> str:
    x = frame.at(shift.began)
    low, high = frame.y.clipped(shift.before), frame.y.clipped(shift.after)
    match shift.kind:
        case ShiftKind.STEP:
            return f"M{start:g} {low:g}H{x:g}V{high:g}H{end:g}"
        case ShiftKind.DRIFT:
            return f"M{start:g} {low:g}H{x:g}L{end:g} {high:g}"
        case ShiftKind.SPIKE:
            return f"M{x - 6:g} {high:g}a6 6 0 1 0 12 0a6 6 0 1 0-12 0z"
        case ShiftKind.GAP:
            until = max(frame.at(shift.found), x + 3)
            return f"M{x:g} {frame.top:g}H{until:g}V{frame.bottom:g}H{x:g}z"


def shift_text(shift: Shift) -> str:
    """Say what happened: `12 Feb 2026: step from 5.1 to 8.4`."""
    moved = f"from {number(shift.before)} to {number(shift.after)}"
    match shift.kind:
        case ShiftKind.STEP:
            return f"{day(shift.began)}: step {moved}"
        case ShiftKind.DRIFT:
            return f"since {day(shift.began)}: drift {moved}"
        case ShiftKind.SPIKE:
            return f"{day(shift.began)}: spike {moved}"
        case ShiftKind.GAP:
            return f"{day(shift.began)} to {day(shift.found)}: not measured"


def moment_of(when: date) -> datetime:
    """Return noon of a day, where a forecast's date is drawn."""
    return datetime.combine(when, time(12), tzinfo=UTC)


def crossing(forecast: Forecast, ladder: Ladder | None) -> float | None:
    """Return the value of the level that a drift will cross, in the ladder's unit."""
    if ladder is None or forecast.level in {Level.BELOW_MINIMUM, Level.NOT_APPLICABLE}:
        return None
    return target(ladder, forecast.level)


def forecast_mark(forecast: Forecast, value: float, *, start: tuple[datetime, float], x: Axis, y: Axis) -> ShiftMark:
    """Continue a drift, dashed, from `start` (a night and the drift's value there) to the level it will cross.

    What would lie beyond the edge of the chart is cut where the line crosses the edge.
    """
    began, level = start[0].timestamp(), start[1]
    crossed = max(moment_of(forecast.when).timestamp(), began + 1.0)
    end = min(crossed, x.high)
    reached = level + (end - began) / (crossed - began) * (value - level)
    path = f"M{x(began):g} {y.clipped(level):g}L{x(end):g} {y.clipped(reached):g}"
    if crossed <= x.high:
        last = x.high if forecast.latest is None else moment_of(forecast.latest).timestamp()
        first = max(began, moment_of(forecast.earliest).timestamp())
        path += f"M{x.clipped(first):g} {y.clipped(value):g}H{x.clipped(last):g}"
    return ShiftMark("forecast", path, f"It {forecast_sentence(forecast, start[0].date())}.")
