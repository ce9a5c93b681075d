"""The change detector: a history at once, or night by night with a small state in between."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import le
from typing import TYPE_CHECKING

import numpy as np

from qa.changes.budget import Budget
from qa.changes.follow import Found, Values, follow
from qa.changes.state import Level, State
from qa.errors import RequestError
from qa.judging.judged import Shift, ShiftKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from qa.metrics.base import Direction
    from qa.model import HistoryPoint, Scope

    Floats = NDArray[np.float64]

FEW, MANY = 128, 2048
"""Values followed at once: few after a change, more and more while there is none."""

DAY = 86400.0


class HistoryError(RequestError):
    """A series that cannot be judged: out of order, or with a value that is no number."""

    def __init__(self, run: str, *, required: str, found: str) -> None:
        self.run, self.required, self.found = run, required, found
        super().__init__(f"history, run {run}: {required}, got {found}")


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of a scope with its nights, oldest first."""

    metric: str
    scope: Scope
    direction: Direction
    points: Sequence[HistoryPoint]


def scan(series: Series, budget: Budget | None = None) -> tuple[Shift, ...]:
    """Return everything that changed in a history, in the order in which it was found.

    The same as to `advance` through it night by night.

    Raises
    ------
    HistoryError
        If the nights are not in order, or a value is infinite.
    """
    return extend(None, series, budget)[1]


def advance(
    state: State | None,
    point: HistoryPoint,
    *,
    metric: str,
    scope: Scope,
    direction: Direction,
    budget: Budget | None = None,
) -> tuple[State, tuple[Shift, ...]]:
    """Take one more night of a series: what is known after it, and what was found in it.

    Raises
    ------
    HistoryError
        If the night is not later than the last, or its value infinite; the state is as good as before.
    """
    return _take(state, Series(metric, scope, direction, (point,)), budget or Budget())


def extend(state: State | None, series: Series, budget: Budget | None = None) -> tuple[State | None, tuple[Shift, ...]]:
    """Take several more nights of a series; the state is None only where there was none and no night is given."""
    return _take(state, series, budget or Budget()) if series.points else (state, ())


def scan_many(many: Iterable[Series], budget: Budget | None = None) -> tuple[Shift, ...]:
    """Return everything that changed in many histories, series by series."""
    return tuple(shift for series in many for shift in scan(series, budget))


def _take(state: State | None, series: Series, budget: Budget) -> tuple[State, tuple[Shift, ...]]:
    """Take at least one night."""
    values = np.array([point.value for point in series.points], dtype=np.float64)
    _check(state, series, values)
    found: list[Found] = []
    for start, end in _epochs(series.points, values):
        state = _within_epoch(state, series.points[start:end], values[start:end], budget, found)
    assert state is not None  # noqa: S101 - there is a night
    return state, tuple(_shift(one, series) for one in sorted(found, key=lambda one: one.found))


def _check(state: State | None, series: Series, values: Floats) -> None:
    """Refuse nights out of order and infinite values, before anything is changed."""
    nights = [point.when for point in series.points]
    if state is not None:
        nights.insert(0, state.last)
    if any(map(le, nights[1:], nights)):
        late = next(at for at, (old, new) in enumerate(pairwise(nights)) if new <= old)
        run = series.points[late + len(series.points) + 1 - len(nights)].run_id
        raise HistoryError(run, required=f"must be later than {nights[late]}", found=str(nights[late + 1]))
    if np.isinf(values).any():
        at = int(np.argmax(np.isinf(values)))
        what = f"{series.metric} of {series.scope} must be finite"
        raise HistoryError(series.points[at].run_id, required=what, found=str(values[at]))


def _epochs(points: Sequence[HistoryPoint], values: Floats) -> list[tuple[int, int]]:
    """Return where the stretches of one epoch start and end; a night without a value belongs to the one before."""
    measured = np.flatnonzero(~np.isnan(values)).tolist()
    breaks = [new for old, new in pairwise(measured) if points[old].epoch != points[new].epoch]
    return [(start, end) for start, end in pairwise([0, *breaks, len(points)]) if start < end]


def _within_epoch(
    state: State | None, points: Sequence[HistoryPoint], values: Floats, budget: Budget, found: list[Found]
) -> State:
    """Take nights of one epoch; what is found is added to `found`."""
    missing = np.isnan(values)
    measured = np.flatnonzero(~missing)
    epoch = points[measured[0]].epoch if len(measured) else None
    if state is None or epoch not in {None, state.epoch}:
        state = State(points[0].when, epoch or "", missing=False, level=Level())
    found += _gaps(state, points, values)
    level = state.level
    if len(measured):
        there = Values(values[measured], [points[at].when for at in measured.tolist()])
        level, changes = _follow_all(level, there, budget)
        found += changes
    return State(points[-1].when, state.epoch, missing=bool(missing[-1]), level=level)


def _gaps(state: State, points: Sequence[HistoryPoint], values: Floats) -> list[Found]:
    """Return the nights at which a value that was there is missing: the first of several."""
    missing = np.isnan(values)
    before = np.concatenate([[state.missing], missing[:-1]])
    found = []
    for at in np.flatnonzero(missing & ~before).tolist():
        last = float(values[at - 1]) if at else (state.level.values[-1] if state.level.values else None)
        if last is not None:
            found.append(Found(ShiftKind.GAP, points[at].when, points[at].when, last, last, spread=0.0, chance=0.0))
    return found


def _follow_all(level: Level, new: Values, budget: Budget) -> tuple[Level, list[Found]]:
    """Follow a series through all its levels."""
    found: list[Found] = []
    start, size = 0, FEW
    while start < len(new):
        level, taken, more = follow(level, new.since(start).upto(size), budget)
        size = min(2 * size, MANY) if taken == size else FEW
        start += taken
        found += more
    return level, found


def _shift(found: Found, series: Series) -> Shift:
    days = (found.found - found.began).total_seconds() / DAY
    change = found.after - found.before
    return Shift(
        metric=series.metric,
        scope=series.scope,
        kind=found.kind,
        began=found.began,
        found=found.found,
        before=found.before,
        after=found.after,
        sigma=_worse(found.before, found.after, series.direction) / found.spread if found.spread else 0.0,
        chance=found.chance,
        slope=change / days if found.kind is ShiftKind.DRIFT else None,
    )


def _worse(before: float, after: float, direction: Direction) -> float:
    """Return how far a level moved, negative where that is for the better.

    A metric that is best at zero got worse unless it came nearer to zero.
    """
    match direction.value:
        case "lower":
            return after - before
        case "higher":
            return before - after
        case _:
            return abs(after - before) * (1.0 if abs(after) >= abs(before) else -1.0)
