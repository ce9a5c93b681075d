"""How much requirement margin accepted changes have spent, and whether many small ones add up to a large one. Pure.

Every accepted worsening is small against the one before it. What it all comes to is seen against the FIRST accepted
level of a series, or the level that a decision named as the reference since (`Decision.reference`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from qa.baselines.ledger import Value
from qa.baselines.standing import standing
from qa.judging.compare import worse_by
from qa.model import Baseline
from qa.requirements.ladder import UnitMismatchError, convert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from qa.baselines.ledger import Entry, Move
    from qa.judging.compare import Accepted, Key
    from qa.metrics.base import MetricDefinition
    from qa.model import Scope

MARGIN_SHARE = 0.25
"""Share of the reference level's margin that accepted changes may spend before it is called ratcheting."""

ERRORS = 3.0
"""Where nothing is required: how many independent standard errors, run-to-run spread included, they may come to."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The requirement margin that one series spent in one quarter of a year, in `unit`; negative when it was won.

    `start` is the margin there was before the quarter's first change, `left` the one after its last, `share` the part
    of `start` that was spent (None where there was none to spend), `moves` how many changes it took.
    """

    metric: str
    scope: Scope
    quarter: str
    unit: str
    spent: float
    start: float
    left: float
    moves: int

    @property
    def share(self) -> float | None:
        """Part of the margin at the start that was spent."""
        return self.spent / self.start if self.start > 0 else None


@dataclass(frozen=True, slots=True)
class CameraSpent:
    """The requirement margin that a camera spent in a quarter: the mean share over its series that have one.

    A series that did not move counts with a share of zero; `worst` is the series that spent the largest share.
    """

    camera: str
    quarter: str
    series: int
    moved: int
    mean: float
    worst: Spent


@dataclass(frozen=True, slots=True)
class Ratchet:
    """A series whose accepted level got worse since its reference level, in `unit`.

    `worse` is by how much; `moves` how many of the changes since made it worse; `allowed` by how much it may be worse,
    None where neither a requirement nor an error gives a measure. `share` is `worse` as a part of the margin at the
    reference level, None where nothing is required or the reference itself was below the minimum. `exceeded` tells
    that several changes together passed `allowed`.
    """

    metric: str
    scope: Scope
    unit: str
    first: float
    since: datetime
    now: float
    worse: float
    allowed: float | None
    share: float | None
    moves: int
    entries: tuple[str, ...]

    @property
    def exceeded(self) -> bool:
        """Tell whether more than one accepted change together passed the limit."""
        return self.moves > 1 and self.allowed is not None and self.worse > self.allowed


@dataclass(frozen=True, slots=True)
class _Step:
    """One move to a value, and the entry it is of."""

    entry: Entry
    move: Move
    value: Value


def quarter_of(when: datetime) -> str:
    """Name the quarter of a year, as 2026-Q4; in the time's own zone."""
    return f"{when.year}-Q{(when.month + 2) // 3}"


def spent(entries: Iterable[Entry]) -> tuple[Spent, ...]:
    """Return the margin spent by series and quarter, oldest quarter first, then by metric and scope.

    What an undone decision had spent is given back in the quarter in which it was undone.
    """
    found: dict[tuple[str, str, Scope, str], Spent] = {}
    for entry, move, by, left in _margins(entries):
        scope = move.place.scope(entry.camera, entry.dataset)
        unit = next(state.unit for state in (move.new, move.old) if isinstance(state, Value))
        key = quarter_of(entry.decision.when), move.place.metric, scope, unit
        before = found.get(key)
        found[key] = Spent(
            metric=move.place.metric,
            scope=scope,
            quarter=key[0],
            unit=unit,
            spent=by + (before.spent if before else 0.0),
            start=before.start if before else left + by,
            left=left,
            moves=1 + (before.moves if before else 0),
        )
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0], key[1], str(key[2]), key[3])))


def by_camera(entries: Iterable[Entry]) -> tuple[CameraSpent, ...]:
    """Return the margin spent by camera and quarter, oldest quarter first, quarters without a change left out."""
    all_ = tuple(entries)
    groups: dict[tuple[str, str], list[Spent]] = defaultdict(list)
    for one in spent(all_):
        if one.share is not None:
            groups[one.quarter, one.scope.camera].append(one)
    return tuple(
        CameraSpent(
            camera=camera,
            quarter=quarter,
            series=(series := len(_required(all_, camera, quarter))),
            moved=len(ones),
            mean=math.fsum(one.share or 0.0 for one in ones) / series,
            worst=max(ones, key=lambda one: one.share or 0.0),
        )
        for (quarter, camera), ones in sorted(groups.items())
    )


def ratchets(
    entries: Iterable[Entry],
    accepted: Mapping[Key, Accepted],
    *,
    definitions: Mapping[str, MetricDefinition],
    margin_share: float = MARGIN_SHARE,
    errors: float = ERRORS,
) -> tuple[Ratchet, ...]:
    """Return the series that are worse than their reference level, the fullest first.

    With a requirement, the limit is `margin_share` of the margin at the reference level (of the latest known minimum);
    a reference below the minimum has none to spend. Where nothing is required it is `errors` times the independent
    error of the two levels, hypot(standard errors, run-to-run spread): no less than what their sampling could explain.
    What the processing costs has no sampling, and is held against its run-to-run spread alone.
    """
    found = []
    for key, steps in _paths(entries).items():
        now = accepted.get(key)
        if key[0] in definitions and isinstance(now, Baseline):
            one = _ratchet(key, steps, definitions[key[0]], margin_share, errors)
            found += [one] if one is not None else []
    return tuple(sorted(found, key=lambda one: (-_fullness(one), one.metric, str(one.scope))))


def _margins(entries: Iterable[Entry]) -> Iterable[tuple[Entry, Move, float, float]]:
    """Yield every move that spent or won margin: its entry, how much it spent, and what it left."""
    known: dict[tuple[str, Key], Move] = {}
    for entry in entries:
        for move in entry.moves:
            key = move.place.metric, move.place.scope(entry.camera, entry.dataset)
            if entry.undoes is None:
                known[entry.id, key] = move
                by, left = move.margin_spent, move.margin_left
            else:
                done = known.get((entry.undoes, key))
                by = None if done is None or done.margin_spent is None else -done.margin_spent
                left = None if by is None or done is None or done.margin_left is None else done.margin_left - by
            if by and left is not None:
                yield entry, move, by, left


def _required(entries: Iterable[Entry], camera: str, quarter: str) -> set[Key]:
    """Return the series of a camera that had a requirement margin by the end of a quarter."""
    return {
        (move.place.metric, move.place.scope(entry.camera, entry.dataset))
        for entry in entries
        if entry.camera == camera and quarter_of(entry.decision.when) <= quarter
        for move in entry.moves
        if move.margin_left is not None
    }


def _paths(entries: Iterable[Entry]) -> dict[Key, list[_Step]]:
    """Return the way of each series since its reference level, decisions that were taken back left out."""
    paths: dict[Key, list[_Step]] = {}
    for one in standing(entries):
        if one.entry.action == "noise":
            continue
        for move in one.left:
            key = move.place.metric, move.place.scope(one.entry.camera, one.entry.dataset)
            if isinstance(move.new, Value):
                path = [] if one.entry.decision.reference else paths.get(key, [])
                paths[key] = [*path, _Step(one.entry, move, move.new)]
            elif move.new is None:
                paths.pop(key, None)
    return paths


def _ratchet(
    key: Key, steps: list[_Step], definition: MetricDefinition, margin_share: float, errors: float
) -> Ratchet | None:
    unit = steps[-1].value.unit
    try:
        values = [convert(one.value.value, unit=one.value.unit, to=unit) for one in steps]
    except UnitMismatchError:  # it became another quantity: levels before and after cannot be compared
        return None
    worse = worse_by(values[-1], values[0], definition.direction)
    if worse <= 0:
        return None
    changes = [worse_by(after, before, definition.direction) for before, after in pairwise(values)]
    margin = _reference_margin(steps, values, definition)
    if margin is not None:
        allowed: float | None = margin_share * max(margin, 0.0)
    else:
        allowed = errors * _independent(steps, unit) or None
    return Ratchet(
        metric=key[0],
        scope=key[1],
        unit=unit,
        first=values[0],
        since=steps[0].entry.decision.when,
        now=values[-1],
        worse=worse,
        allowed=allowed,
        share=None if margin is None or margin <= 0 else worse / margin,
        moves=sum(change > 0 for change in changes),
        entries=tuple(one.entry.id for one in steps),
    )


def _reference_margin(steps: list[_Step], values: list[float], definition: MetricDefinition) -> float | None:
    """Return the margin of the reference level against the latest known minimum, None where nothing is required."""
    for step, value in reversed(list(zip(steps, values, strict=True))):
        if step.move.margin_left is not None:
            return step.move.margin_left + worse_by(value, values[0], definition.direction)
    return None


def _independent(steps: list[_Step], unit: str) -> float:
    """Return the error of the difference of first and last level, as if their exposures had been different ones."""
    first, last = steps[0].value, steps[-1].value
    errors = [first.stderr or 0.0, first.tolerance]
    converted = [convert(error, unit=first.unit, to=unit) for error in errors]
    return math.hypot(*converted, last.stderr or 0.0)


def _fullness(one: Ratchet) -> float:
    """Return how much of what is allowed was taken."""
    if one.allowed is None:
        return 0.0
    return one.worse / one.allowed if one.allowed else math.inf
