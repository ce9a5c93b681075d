"""The two-part verdict on a result: change against the accepted baseline, and requirement level reached.

How a change is measured. Value and baseline come from the same exposures, so their sampling error is shared: a
night repeated with nothing changed gives the same bits. What may differ is the run-to-run spread, one standard
deviation stored with the baseline as its `tolerance`. `sigma` is the change in units of that spread, positive when
worse; the spread is never taken below `ROUNDING` of the value, which another processor may cost. A change within
`STEADY_WITHIN` spreads is none. For metrics that are best at zero, worse means larger in size, and a value that
moved without coming nearer to zero (a change of sign) is a step.

The decision table, G being the camera's gate level (`Status` before `gating`):

    change     now          baseline     status
    new        at G or up   -            pass
    new        below G      -            FAIL
    steady     at G or up   any          pass
    steady     below G      below G      warn   known deficit
    improved   at G or up   any          pass
    improved   below G      below G      warn   known deficit, smaller
    step       at G or up   any          warn   even when a level above G is lost
    any        below G      at G or up   FAIL   crossing below the gate, however small the change
    step       below G      below G      FAIL   a known deficit that grows is tonight's
    new, steady or improved, no requirement    pass
    step, no requirement    beyond `BREAKING` independent standard errors of both values: FAIL, else warn
    missing    a baseline exists, or nothing was reported at all: FAIL
    missing    never measured, and a reason is given: warn, until the absence is accepted
    steady     unmeasured, and the absence was accepted: pass

Resource metrics (family `resources`) are noisy and answer to no requirement: what would fail only warns. So does
everything of a camera that does not gate (`gating=False`: orphaned).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from qa import wording
from qa.errors import RequestError, UnknownNameError
from qa.metrics.base import Direction
from qa.model import Baseline, Change, Comparison, Ladder, Level, Measurement, Status, Unmeasured
from qa.requirements.ladder import convert, rank, reached

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.metrics.base import MetricDefinition
    from qa.model import Result, Scope
    from qa.requirements import Requirements

    Accepted = Baseline | Unmeasured
    Key = tuple[str, Scope]

STEADY_WITHIN = 3.0
"""Changes up to this many run-to-run spreads are none."""

BREAKING = 5.0
"""Without a requirement, a step of this many independent standard errors fails."""

ROUNDING = 1e-6
"""Least run-to-run spread, relative to the value: other processors and libraries round differently."""

RESOURCES = "resources"
"""The family of metrics that only ever warn."""

RESOURCE_SPREAD = {"peak_memory": 0.1}
OTHER_RESOURCE_SPREAD = 0.4
"""Run-to-run spread of resources as a fraction of the value: CPU time on shared machines varies more than memory."""

NOT_REPORTED = "nothing was reported"
"""Reason of an expected metric of which the run says nothing at all."""


class DuplicateResultError(RequestError):
    """A run holds two results of one metric and scope."""

    def __init__(self, metric: str, scope: Scope) -> None:
        self.metric, self.scope = metric, scope
        super().__init__(f"{metric} of {scope}: a run must hold one result of each metric and scope, found two")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a camera's results answer to: the requirements, its gate level, and whether it gates at all."""

    requirements: Requirements | None = None
    gate: Level = Level.MINIMUM
    gating: bool = True


def default_tolerance(measurement: Measurement, definition: MetricDefinition) -> float:
    """Return the run-to-run spread to assume when a baseline is accepted, in the measurement's unit.

    One object in n that comes or goes moves a mean by about its standard error over sqrt(n); a count or a time
    without an error gets none, resources a fraction of their value.
    """
    if definition.family == RESOURCES:
        return abs(measurement.value) * RESOURCE_SPREAD.get(measurement.metric, OTHER_RESOURCE_SPREAD)
    if measurement.stderr is None:
        return 0.0
    return measurement.stderr / math.sqrt(max(measurement.n, 1))


def compare(
    result: Result, accepted: Accepted | None, ladder: Ladder | None, *, definition: MetricDefinition, policy: Policy
) -> Comparison:
    """Judge one result against what was accepted (a baseline, or an absence) and what is required.

    Result, baseline and ladder of the comparison are in the definition's unit.

    Raises
    ------
    UnitMismatchError
        If one of them has a unit that does not measure what the definition says.
    """
    ladder = _ladder_in(definition.unit, ladder)
    if isinstance(accepted, Baseline):
        accepted = _baseline_in(definition.unit, accepted)
    if isinstance(result, Unmeasured):
        judged = _judge_absence(result, accepted, ladder)
    elif isinstance(accepted, Baseline):
        judged = _judge_change(_measured_in(definition.unit, result), accepted, ladder, definition, policy.gate)
    else:
        judged = _judge_new(_measured_in(definition.unit, result), accepted, ladder, definition, policy.gate)
    return _softened(judged, definition, policy)


def compare_all(
    results: Iterable[Result],
    expected: Iterable[Key],
    accepted: Mapping[Key, Accepted],
    *,
    definitions: Mapping[str, MetricDefinition],
    policy: Policy,
) -> tuple[Comparison, ...]:
    """Judge everything that was measured, expected or once accepted for a camera, in the order of metric and scope.

    What is expected or has a baseline and is not among the results is missing. Not to be called for a camera that
    could not be processed: that is one outage, which `qa.verdict` reads from the outcomes, not a hundred regressions.

    Raises
    ------
    DuplicateResultError, UnknownNameError, UnitMismatchError
        If the results cannot be judged.
    """
    found: dict[Key, Result] = {}
    for result in results:
        if (result.metric, result.scope) in found:
            raise DuplicateResultError(result.metric, result.scope)
        found[result.metric, result.scope] = result
    comparisons = []
    for metric, scope in sorted({*found, *expected, *accepted}, key=lambda key: (key[0], str(key[1]))):
        if metric not in definitions:
            kind = "metric"
            raise UnknownNameError(kind, metric, definitions)
        outcome = found.get((metric, scope)) or Unmeasured(metric, scope, NOT_REPORTED)
        ladder = policy.requirements.ladder(metric, scope.band) if policy.requirements else None
        old = accepted.get((metric, scope))
        comparisons.append(compare(outcome, old, ladder, definition=definitions[metric], policy=policy))
    return tuple(comparisons)


def worse_by(now: float, before: float, direction: Direction) -> float:
    """Return how much worse `now` is than `before`, negative when better, in their unit."""
    match direction:
        case Direction.LOWER:
            return now - before
        case Direction.HIGHER:
            return before - now
        case Direction.ZERO:
            return abs(now) - abs(before)
        case _:
            assert_never(direction)


def level_of(value: float, ladder: Ladder | None, direction: Direction) -> Level:
    """Return the level a value in the ladder's unit reaches; a metric best at zero is judged by its size."""
    return reached(abs(value) if direction is Direction.ZERO else value, ladder)


def is_below(level: Level, gate: Level) -> bool:
    """Tell whether a level is below a gate; a metric without requirement is not."""
    return level is not Level.NOT_APPLICABLE and rank(level) < rank(gate)


def _judge_absence(result: Unmeasured, accepted: Accepted | None, ladder: Ladder | None) -> Comparison:
    change, status = Change.MISSING, Status.FAIL
    if isinstance(accepted, Unmeasured):
        change, status = Change.STEADY, Status.PASS
    elif accepted is None and result.reason != NOT_REPORTED:
        status = Status.WARN
    baseline = accepted if isinstance(accepted, Baseline) else None
    reason = wording.absence(result, accepted)
    return Comparison(result, baseline, ladder, change, Level.NOT_APPLICABLE, status, None, reason)


def _judge_new(
    result: Measurement, accepted: Unmeasured | None, ladder: Ladder | None, definition: MetricDefinition, gate: Level
) -> Comparison:
    level = level_of(result.value, ladder, definition.direction)
    below = is_below(level, gate)
    status, why = (Status.FAIL, wording.BELOW_AT_FIRST) if below else (Status.PASS, "")
    reason = wording.sentence(wording.new(result, accepted), wording.level(level, ladder, gate), why)
    return Comparison(result, None, ladder, Change.NEW, level, status, None, reason)


def _judge_change(
    result: Measurement, baseline: Baseline, ladder: Ladder | None, definition: MetricDefinition, gate: Level
) -> Comparison:
    worse = worse_by(result.value, baseline.value, definition.direction)
    spread = max(baseline.tolerance, ROUNDING * max(abs(result.value), abs(baseline.value)), sys.float_info.min)
    change = _change(result.value - baseline.value, worse, STEADY_WITHIN * spread)
    level = level_of(result.value, ladder, definition.direction)
    was = level_of(baseline.value, ladder, definition.direction)
    independent = _independent_errors(result, baseline, spread)
    if ladder is None:
        status, why = _without_requirement(change, independent)
    else:
        status, why = _with_requirement(change, below=is_below(level, gate), was_below=is_below(was, gate))
    moved = wording.moved(result, baseline, change, worse=worse, spread=spread)
    reason = wording.sentence(moved, wording.level(level, ladder, gate), wording.lost(level, was), why)
    return Comparison(result, baseline, ladder, change, level, status, worse / spread, reason)


def _change(moved: float, worse: float, within: float) -> Change:
    if abs(moved) <= within:
        return Change.STEADY
    return Change.IMPROVED if worse < -within else Change.STEP


def _with_requirement(change: Change, *, below: bool, was_below: bool) -> tuple[Status, str]:
    """Read the decision table for a metric with a requirement and a baseline."""
    if not below:
        return (Status.WARN if change is Change.STEP else Status.PASS), ""
    if not was_below:
        return Status.FAIL, wording.CROSSED
    if change is Change.STEP:
        return Status.FAIL, wording.DEFICIT_GREW
    return Status.WARN, wording.KNOWN_DEFICIT


def _without_requirement(change: Change, independent: float | None) -> tuple[Status, str]:
    """Read the decision table for a metric nothing is required of; `independent` as `_independent_errors`."""
    if change is not Change.STEP:
        return Status.PASS, ""
    if independent is not None and independent > BREAKING:
        return Status.FAIL, wording.breaking(independent)
    return Status.WARN, ""


def _independent_errors(result: Measurement, baseline: Baseline, spread: float) -> float | None:
    """Return the change in units of both values' standard errors, as if the exposures had been different ones."""
    errors = [error for error in (result.stderr, baseline.stderr) if error]
    return abs(result.value - baseline.value) / math.hypot(spread, *errors) if errors else None


def _softened(judged: Comparison, definition: MetricDefinition, policy: Policy) -> Comparison:
    """Let resources, and cameras that do not gate, warn where others fail."""
    if judged.status is not Status.FAIL:
        return judged
    if definition.family == RESOURCES:
        return replace(judged, status=Status.WARN, reason=wording.appended(judged.reason, wording.RESOURCES_WARN))
    if not policy.gating:
        return replace(judged, status=Status.WARN, reason=wording.appended(judged.reason, wording.NOT_GATING))
    return judged


def _measured_in(unit: str, result: Measurement) -> Measurement:
    if result.unit == unit:
        return result
    scale = partial(convert, unit=result.unit, to=unit, what=f"{result.metric} of {result.scope}")
    stderr = None if result.stderr is None else scale(result.stderr)
    return replace(result, value=scale(result.value), unit=unit, stderr=stderr)


def _baseline_in(unit: str, baseline: Baseline) -> Baseline:
    if baseline.unit == unit:
        return baseline
    scale = partial(convert, unit=baseline.unit, to=unit, what=f"baseline of {baseline.metric} of {baseline.scope}")
    stderr = None if baseline.stderr is None else scale(baseline.stderr)
    return replace(baseline, value=scale(baseline.value), unit=unit, stderr=stderr, tolerance=scale(baseline.tolerance))


def _ladder_in(unit: str, ladder: Ladder | None) -> Ladder | None:
    if ladder is None or ladder.unit == unit:
        return ladder
    scale = partial(convert, unit=ladder.unit, to=unit, what=f"requirement of {ladder.metric}")
    minimum, design, stretch = scale(ladder.minimum), scale(ladder.design), scale(ladder.stretch)
    return replace(ladder, unit=unit, minimum=minimum, design=design, stretch=stretch)
