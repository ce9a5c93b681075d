"""Geometry of the small graphics drawn inside pages: value on its ladder, sparkline.

Pure numbers in SVG user units; `templates/graphics.svg.j2` turns them into marks and the style sheet gives the
colours, so that one drawing serves light, dark and paper. Whole plots to take away are drawn by `reports.figures`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.judging.compare import STEADY_WITHIN
from qa.metrics.base import Direction
from qa.model import Measurement
from reports.axes import Axis, Span, polylines, rungs, tolerance_band, value_axis
from reports.shifts import Frame, ShiftMark, shift_marks, shift_text
from reports.wording import number, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qa.judging.judged import Shift
    from qa.model import Comparison, HistoryPoint

BULLET = (200.0, 24.0)
SPARK = (120.0, 28.0)
_LEVELS = ("stretch", "design", "minimum", "below-minimum")
_INSET = 0.0
_POINTS = 60


@dataclass(frozen=True, slots=True)
class Bullet:
    """A value on its ladder; better is always to the left. `beyond`: the value lies outside, on that side."""

    spans: tuple[Span, ...]
    value: float | None
    whisker: tuple[float, float] | None
    baseline: float | None
    beyond: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Spark:
    """A series as lines (one per uninterrupted stretch) with its last point and the baseline's height."""

    lines: tuple[str, ...]
    last: tuple[float, float] | None
    baseline: float | None
    band: Span | None
    label: str
    shifts: tuple[ShiftMark, ...] = ()


def badness(value: float, direction: Direction) -> float:
    """Map a value to a scale on which more is worse."""
    match direction:
        case Direction.LOWER:
            return value
        case Direction.HIGHER:
            return -value
        case Direction.ZERO:
            return abs(value)


def _ladder_axis(steps: Sequence[float], values: Iterable[float]) -> Axis:
    """Span an axis of badness over a ladder, stretched a little to hold the values; what lies further is clipped."""
    best, worst = steps[0], steps[-1]
    span = (worst - best) or abs(worst) or 1.0
    low = 0.0 if best >= 0 else best - 0.6 * span
    high = worst + max(0.6 * span, 0.35 * abs(worst) if best >= 0 else 0.0)
    for value in values:
        high = max(high, min(value * 1.05 if best >= 0 else value + 0.1 * span, worst + 2.5 * span))
        low = min(low, max(value - 0.1 * span, best - 2.5 * span)) if best < 0 else low
    return Axis(low, high, _INSET, BULLET[0] - _INSET)


def _ladder_spans(axis: Axis, steps: Sequence[float], names: Sequence[str]) -> Iterator[Span]:
    """Yield the stretches of the levels named, and of the one below the last of them."""
    edges = [axis.low, *steps, axis.high]
    lower = _LEVELS[_LEVELS.index(names[-1]) + 1]
    for kind, start, end in zip((*names, lower), edges, edges[1:], strict=False):
        if end > start:
            yield Span(axis(start), round(axis(end) - axis(start), 1), kind)


def bullet(comparison: Comparison, direction: Direction) -> Bullet | None:
    """Place a value, its error and its baseline on the ladder, or about the baseline where there is no ladder.

    None where there is nothing to compare a value with.
    """
    result, baseline, ladder = comparison.result, comparison.baseline, comparison.ladder
    value = badness(result.value, direction) if isinstance(result, Measurement) else None
    stderr = result.stderr or 0.0 if isinstance(result, Measurement) else 0.0
    base = badness(baseline.value, direction) if baseline else None
    if ladder:
        steps = [badness(limit, direction) for _, limit in rungs(ladder)]
        axis = _ladder_axis(steps, [one for one in (value, base) if one is not None])
        spans = tuple(_ladder_spans(axis, steps, [name for name, _ in rungs(ladder)]))
    elif baseline and base is not None:
        steady = STEADY_WITHIN * baseline.tolerance
        reach = max(
            3 * steady, 1.5 * stderr, 1.3 * abs((base if value is None else value) - base), 0.02 * abs(base), 1e-12
        )
        axis = Axis(base - reach, base + reach, _INSET, BULLET[0] - _INSET)
        spans = (
            Span(_INSET, BULLET[0] - 2 * _INSET, "open"),
            Span(axis(base - steady), round(2 * (axis(base) - axis(base - steady)), 1), "steady"),
        )
    else:
        return None
    return Bullet(
        spans=tuple(span for span in spans if span.size),
        value=None if value is None else axis.clipped(value),
        whisker=_whisker(axis, value, stderr),
        baseline=axis(base) if base is not None and axis.holds(base) else None,
        beyond=None if value is None or axis.holds(value) else ("right" if value > axis.high else "left"),
        label=_bullet_label(comparison),
    )


def _whisker(axis: Axis, value: float | None, stderr: float) -> tuple[float, float] | None:
    if value is None or not stderr:
        return None
    return axis.clipped(value - stderr), axis.clipped(value + stderr)


def _bullet_label(comparison: Comparison) -> str:
    result, baseline, ladder = comparison.result, comparison.baseline, comparison.ladder
    parts = [quantity(result.value, result.unit, result.stderr) if isinstance(result, Measurement) else "not measured"]
    if baseline:
        parts.append(f"baseline {quantity(baseline.value, baseline.unit, baseline.stderr)}")
    if ladder:
        parts += [f"{name} {quantity(limit, ladder.unit)}" for name, limit in reversed(rungs(ladder))]
    return ", ".join(parts)


def spark(points: Sequence[HistoryPoint], comparison: Comparison, *, shifts: Sequence[Shift] = ()) -> Spark | None:
    """Draw the last nights of a series small; None for fewer than two measured nights."""
    recent = points[-_POINTS:]
    values = [point.value for point in recent if point.value is not None]
    if len(values) < 2:  # noqa: PLR2004 - one point is no trend
        return None
    base = comparison.baseline.value if comparison.baseline else None
    y = value_axis([*values, *([base] if base is not None else [])], margin=0.08, start=SPARK[1] - 3, end=3)
    x = Axis(0, len(recent) - 1, 3, SPARK[0] - 5)
    places = [None if point.value is None else (x(i), y(point.value)) for i, point in enumerate(recent)]
    return Spark(
        lines=polylines(places),
        last=places[-1],
        baseline=None if base is None else y(base),
        band=tolerance_band(y, comparison),
        label=f"{len(values)} nights, {number(min(values))} to {number(max(values))}, last {number(values[-1])}"
        + "".join(f"; {shift_text(one)}" for one in shifts),
        shifts=shift_marks(shifts, recent, _frame(recent, x, y))
        if shifts or recent[0].epoch != recent[-1].epoch
        else (),
    )


def _frame(recent: Sequence[HistoryPoint], x: Axis, y: Axis) -> Frame:
    """Place times by the nights of a sparkline, which are equally far apart."""
    whens = [point.when for point in recent]
    return Frame(
        at=lambda when: x(min(bisect_left(whens, when), len(whens) - 1)),
        y=y,
        left=3.0,
        now=x(len(whens) - 1),
        top=1.0,
        bottom=SPARK[1] - 1,
    )
