"""Geometry of a series in time: points with errors, the baseline with its tolerance, the requirement ladder."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from qa.judging.compare import STEADY_WITHIN
from qa.judging.judged import ShiftKind
from reports.axes import Axis, Span, Tick, nice_ticks, polylines, rungs, time_ticks, tolerance_band, value_axis
from reports.shifts import AHEAD, Frame, ShiftMark, crossing, forecast_mark, moment_of, shift_marks, shift_text
from reports.wording import day, number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from qa.judging.judged import Forecast, Shift
    from qa.model import Comparison, HistoryPoint

CHART = (460.0, 190.0)
_MARGIN = (50.0, 14.0, 74.0, 26.0)
_POINTS = 60
_WIDEST = 3.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A night in a history; `low` and `high` are the ends of its error bar, `text` names it."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The history of one series: values, baseline, what counts as steady, ladder. `beyond`: levels off the scale."""

    marks: tuple[Mark, ...]
    lines: tuple[str, ...]
    missing: tuple[Mark, ...]
    levels: tuple[Tick, ...]
    baseline: float | None
    band: Span | None
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    beyond: tuple[str, ...]
    label: str
    shifts: tuple[ShiftMark, ...] = ()


def chart(
    points: Sequence[HistoryPoint],
    comparison: Comparison,
    *,
    shifts: Sequence[Shift] = (),
    forecast: Forecast | None = None,
) -> Chart | None:
    """Draw a series in time with what happened to it; None where no night has a value."""
    shown = points[-_POINTS:]
    measured = [(point, point.value) for point in shown if point.value is not None]
    if not measured:
        return None
    left, _, right, bottom = _MARGIN
    limits = tuple(rungs(comparison.ladder)) if comparison.ladder else ()
    goal = crossing(forecast, comparison.ladder) if forecast else None
    levels = [one.after for one in shifts] + ([] if goal is None else [goal])
    y = _chart_axis([value for _, value in measured] + levels, comparison, [limit for _, limit in limits])
    x = _time_axis(shown, left + 8, CHART[0] - right - 8, ahead=forecast if goal is not None else None)
    marks = {id(point): _mark(point, value, x, y) for point, value in measured}
    floor = CHART[1] - bottom - 5
    return Chart(
        marks=tuple(marks.values()),
        lines=polylines([(marks[id(point)].x, marks[id(point)].y) if id(point) in marks else None for point in shown]),
        missing=tuple(
            Mark(x(point.when.timestamp()), floor, floor, floor, f"{day(point.when)}: not measured")
            for point in shown
            if point.value is None
        ),
        levels=tuple(Tick(y(limit), name) for name, limit in _distinct(limits) if y.holds(limit)),
        baseline=None if comparison.baseline is None else y.clipped(comparison.baseline.value),
        band=tolerance_band(y, comparison),
        x_ticks=time_ticks(shown[0].when, shown[-1].when, x),
        y_ticks=_value_ticks(y),
        beyond=tuple(f"{name} {number(limit)}" for name, limit in limits if not y.holds(limit)),
        label=_label(shown, len(measured), shifts),
        shifts=(
            *shift_marks(shifts, shown, _frame(shown, x, y)),
            *_ahead(shifts, forecast, goal, shown[-1].when, x=x, y=y),
        ),
    )


def _label(shown: Sequence[HistoryPoint], measured: int, shifts: Sequence[Shift]) -> str:
    said = "".join(f"; {shift_text(one)}" for one in shifts)
    return f"{measured} nights from {day(shown[0].when)} to {day(shown[-1].when)}{said}"


def _frame(shown: Sequence[HistoryPoint], x: Axis, y: Axis) -> Frame:
    left, top, _, bottom = _MARGIN
    return Frame(
        at=lambda when: x.clipped(when.timestamp()),
        y=y,
        left=left,
        now=x(shown[-1].when.timestamp()),
        top=top,
        bottom=CHART[1] - bottom,
    )


def _ahead(
    shifts: Sequence[Shift], forecast: Forecast | None, goal: float | None, now: datetime, *, x: Axis, y: Axis
) -> tuple[ShiftMark, ...]:
    """Continue the last drift to where it will cross a level."""
    drifts = [one for one in shifts if one.kind is ShiftKind.DRIFT]
    if forecast is None or goal is None or not drifts:
        return ()
    return (forecast_mark(forecast, goal, start=(now, drifts[-1].after), x=x, y=y),)


def _chart_axis(values: Sequence[float], comparison: Comparison, limits: Sequence[float]) -> Axis:
    """Span the values and their baseline, and the levels that lie near enough not to flatten them."""
    base = comparison.baseline
    seen = [*values, *([base.value] if base else [])]
    spread = max(seen) - min(seen)
    if base and (steady := STEADY_WITHIN * base.tolerance) <= _WIDEST * spread:
        seen += [base.value - steady, base.value + steady]
    reach = 1.5 * (max(seen) - min(seen)) or 0.5 * abs(seen[0])
    near = [limit for limit in limits if min(seen) - reach <= limit <= max(seen) + reach]
    return value_axis([*seen, *near], margin=0.08, start=CHART[1] - _MARGIN[3], end=_MARGIN[1])


def _time_axis(points: Sequence[HistoryPoint], start: float, end: float, ahead: Forecast | None = None) -> Axis:
    """Span the nights, and some days more where a forecast is to be drawn."""
    first, last = points[0].when.timestamp(), points[-1].when.timestamp()
    if last <= first:
        return Axis(first - 1, first + 1, start, end)
    if ahead is not None:
        wanted = moment_of(ahead.when).timestamp()
        last = max(last, min(wanted + 0.1 * (wanted - first), last + AHEAD * (last - first)))
    return Axis(first, last, start, end)


def _mark(point: HistoryPoint, value: float, x: Axis, y: Axis) -> Mark:
    error = point.stderr or 0.0
    text = f"{day(point.when)}: {number(value, point.stderr)} ({point.run_id})"
    return Mark(x(point.when.timestamp()), y(value), y.clipped(value - error), y.clipped(value + error), text)


def _distinct(limits: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Join the names of levels that share a value, shortened to fit beside the plot."""
    names: dict[float, str] = {}
    for name, limit in limits:
        names[limit] = f"{name[:3]}, {names[limit]}" if limit in names else name
    return [(name, limit) for limit, name in names.items()]


def _value_ticks(y: Axis) -> tuple[Tick, ...]:
    """Mark round values, all with the decimals that tell neighbours apart."""
    values = nice_ticks(y.low, y.high)
    step = min((later - value for value, later in pairwise(values)), default=0.0)
    return tuple(Tick(y(value), number(value, 10 * step or None)) for value in values)
