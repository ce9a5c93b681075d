"""What a run's results would change if they were accepted as baselines: pure, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.compare import NOT_REPORTED, Policy, compare, default_tolerance
from qa.errors import UnknownNameError
from qa.ledger import Absent, Move, Place, Value, state_of
from qa.metrics.base import Direction
from qa.model import Baseline, Change, Comparison, Level, Measurement, Unmeasured
from qa.requirements.ladder import margin

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from qa.compare import Accepted, Key
    from qa.metrics.base import MetricDefinition
    from qa.model import Result


def propose(
    results: Sequence[Result],
    old: Mapping[Key, Accepted],
    metrics: Collection[str],
    definitions: Mapping[str, MetricDefinition],
    policy: Policy,
) -> list[Comparison]:
    """Judge what may become a baseline of a data set, in the order of metric and scope.

    Without `metrics`, what is steady and what has a baseline and was not measured now is left out. With them,
    everything of these metrics is taken, also baselines of which the run says nothing: they become absences.
    """
    found = {(one.metric, one.scope): one for one in results}
    silent = [Unmeasured(*key, NOT_REPORTED) for key in old if key not in found and key[0] in metrics]
    judged = []
    for result in sorted([*found.values(), *silent], key=lambda one: (one.metric, str(one.scope))):
        if result.metric not in definitions:
            kind = "metric"
            raise UnknownNameError(kind, result.metric, definitions)
        ladder = policy.requirements.ladder(result.metric, result.scope.band) if policy.requirements else None
        accepted = old.get((result.metric, result.scope))
        one = compare(result, accepted, ladder, definition=definitions[result.metric], policy=policy)
        if result.metric in metrics or (not metrics and _moves(one)):
            judged.append(one)
    return judged


def _moves(one: Comparison) -> bool:
    lost = one.change is Change.MISSING and one.baseline is not None
    return one.change is not Change.STEADY and not lost


def passes_below(one: Comparison) -> bool:
    """Tell whether a new baseline would be below the minimum, unless the old one was and is not made worse."""
    return one.level is Level.BELOW_MINIMUM and (one.baseline is None or (one.sigma or 0.0) > 0)


def make_move(one: Comparison, old: Mapping[Key, Accepted], *, run: str, definition: MetricDefinition) -> Move:
    """Make the ledger's line of a baseline that becomes what was measured."""
    scope = one.scope
    left, before = _margin(one, one.result, definition), _margin(one, one.baseline, definition)
    return Move(
        place=Place(metric=one.metric, band=scope.band, tract=scope.tract, task=scope.task),
        old=state_of(old.get((one.metric, scope))),
        new=_state(one.result, run, definition),
        sigma=_short(one.sigma),
        level=None if one.level is Level.NOT_APPLICABLE else one.level.value,
        margin_left=_short(left),
        margin_spent=None if left is None or before is None else _short(before - left),
    )


def _state(result: Result, run: str, definition: MetricDefinition) -> Value | Absent:
    if isinstance(result, Unmeasured):
        return Absent(absent=result.reason)
    tolerance = default_tolerance(result, definition)
    return Value(value=result.value, unit=result.unit, stderr=result.stderr, tolerance=tolerance, run=run)


def _margin(one: Comparison, of: Result | Baseline | None, definition: MetricDefinition) -> float | None:
    """Return the distance of a value from the minimum of its requirement, None where there is neither."""
    if one.ladder is None or not isinstance(of, Measurement | Baseline):
        return None
    value = abs(of.value) if definition.direction is Direction.ZERO else of.value
    return margin(value, one.ladder, Level.MINIMUM)


def _short(value: float | None) -> float | None:
    """Round to six digits: derived numbers should not make a line of the ledger unreadable."""
    return None if value is None else float(f"{value:.6g}")
