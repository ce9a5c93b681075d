"""The two-part verdict on a result: change against the accepted baseline, and requirement level reached.

How a change is measured. Value and baseline come from the same exposures, so their sampling error is shared: a
night repeated with nothing changed gives the same bits. What may differ is the run-to-run spread, one standard
deviation stored with the baseline as its `tolerance`. `sigma` is the change in units of that spread, positive when
worse; the spread is never taken below `ROUNDING` of the value, which another processor may cost. A change within
`STEADY_WITHIN` spreads is none. For metrics that are best at zero, worse means larger in size, and a value that
moved without coming nearer to zero (a change of sign) is a step. A tolerance that was *learned* from repeated runs
needs no such floor where the baseline was measured on the same processor (`Policy.same_processor`): learned to be
zero, any difference is a change.

The decision table, G being the camera's gate level (`Status` before leave is given, see below):

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

What the history adds. A `Shift` for the worse changes the first half of the verdict and makes a pass a warning; it
fails nothing by itself, because the value is still within what was accepted. It counts while the value is nearer to the
new level than to the old one, and until a baseline within half the shift of the new level is accepted:

    step by the baseline    drift by the history            drift      status as of the step
    new, steady, improved   drift by the history            drift      warn where it would pass
    new, steady, improved   step or spike by the history    step       warn where it would pass

Leave. Resource metrics (family `resources`) are noisy and answer to no requirement: what would fail only warns. So does
everything of a camera that does not gate (`gating=False`: orphaned), and a value below the gate while a waiver of it
holds - unless a deficit that was accepted grew: a waiver is leave to be below, not to get worse.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from qa.errors import RequestError, UnknownNameError
from qa.judging import in_unit, wording
from qa.judging.judged import Shift, ShiftKind
from qa.judging.policy import Policy, facing, is_below, level_of, soften
from qa.judging.spread import default_tolerance, repeats, run_to_run
from qa.metrics.base import Direction
from qa.model import Baseline, Change, Comparison, Ladder, Level, Measurement, Status, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.metrics.base import MetricDefinition
    from qa.model import Result, Scope

    Accepted = Baseline | Unmeasured
    Key = tuple[str, Scope]

__all__ = [
    "BREAKING",
    "NOT_REPORTED",
    "STEADY_WITHIN",
    "DuplicateResultError",
    "Policy",
    "compare",
    "compare_all",
    "default_tolerance",
    "is_below",
    "level_of",
    "worse_by",
]

STEADY_WITHIN = 3.0
"""Changes up to this many run-to-run spreads are none."""

BREAKING = 5.0
"""Without a requirement, a step of this many independent standard errors fails."""

NOT_REPORTED = "nothing was reported"
"""Reason of an expected metric of which the run says nothing at all."""


class DuplicateResultError(RequestError):
    """A run holds two results of one metric and scope."""

    def __init__(self, metric: str, scope: Scope) -> None:
        self.metric, self.scope = metric, scope
        super().__init__(f"{metric} of {scope}: a run must hold one result of each metric and scope, found two")


def compare(
    result: Result,
    accepted: Accepted | None,
    ladder: Ladder | None,
    *,
    definition: MetricDefinition,
    policy: Policy,
    shift: Shift | None = None,
) -> Comparison:
    """Judge one result against what was accepted (a baseline, or an absence), what is required, and its history.

    Result, baseline and ladder of the comparison are in the definition's unit.

    Raises
    ------
    UnitMismatchError
        If one of them has a unit that does not measure what the definition says.
    """
    unit = definition.unit
    ladder = in_unit.ladder(unit, ladder)
    policy = facing(ladder, policy)
    if isinstance(accepted, Baseline):
        accepted = in_unit.baseline(unit, accepted)
    if isinstance(result, Unmeasured):
        return soften(_judge_absence(result, accepted, ladder), definition, policy)
    result = in_unit.measured(unit, result)
    if isinstance(accepted, Baseline):
        judged = _judge_change(result, accepted, ladder, definition, policy)
    else:
        judged = _judge_new(result, accepted, ladder, definition, policy.gate)
    return soften(_by_history(judged, result, shift, definition.direction), definition, policy)


def compare_all(
    results: Iterable[Result],
    expected: Iterable[Key],
    accepted: Mapping[Key, Accepted],
    *,
    definitions: Mapping[str, MetricDefinition],
    policy: Policy,
    shifts: Iterable[Shift] = (),
) -> tuple[Comparison, ...]:
    """Judge everything that was measured, expected or once accepted for a camera, in the order of metric and scope.

    What is expected or has a baseline and is not among the results is missing. Not to be called for a camera that
    could not be processed: that is one outage, which `qa.judging.verdict` reads from the outcomes, not a hundred
    regressions.

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
    latest = {(one.metric, one.scope): one for one in sorted(shifts, key=lambda one: one.found)}
    comparisons = []
    for metric, scope in sorted({*found, *expected, *accepted}, key=lambda key: (key[0], str(key[1]))):
        if metric not in definitions:
            kind = "metric"
            raise UnknownNameError(kind, metric, definitions)
        outcome = found.get((metric, scope)) or Unmeasured(metric, scope, NOT_REPORTED)
        ladder = policy.requirements.ladder(metric, scope.band) if policy.requirements else None
        old, shift = accepted.get((metric, scope)), latest.get((metric, scope))
        definition = definitions[metric]
        comparisons.append(compare(outcome, old, ladder, definition=definition, policy=policy, shift=shift))
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
    result: Measurement, baseline: Baseline, ladder: Ladder | None, definition: MetricDefinition, policy: Policy
) -> Comparison:
    worse = worse_by(result.value, baseline.value, definition.direction)
    here = baseline.run in policy.same_processor
    spread = run_to_run(result, baseline, same_processor=here)
    # Learned repeats may be exact, while the spread to count in is never zero.
    tolerance = baseline.tolerance if repeats(baseline, same_processor=here) else spread
    change = _change(result.value - baseline.value, worse, STEADY_WITHIN * tolerance)
    level = level_of(result.value, ladder, definition.direction)
    was = level_of(baseline.value, ladder, definition.direction)
    if ladder is None:
        status, why = _without_requirement(change, _independent_errors(result, baseline, spread))
    else:
        below, was_below = is_below(level, policy.gate), is_below(was, policy.gate)
        status, why = _with_requirement(change, below=below, was_below=was_below)
    moved = wording.moved(result, baseline, change, worse=worse, spread=spread)
    reason = wording.sentence(moved, wording.level(level, ladder, policy.gate), wording.lost(level, was), why)
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


def _by_history(judged: Comparison, result: Measurement, shift: Shift | None, direction: Direction) -> Comparison:
    """Let the history speak: of a drift, and of a step or spike within what was accepted."""
    if shift is None or not _stands(shift, result, judged.baseline, direction):
        return judged
    change = Change.DRIFT if shift.kind is ShiftKind.DRIFT else Change.STEP
    status = Status.WARN if judged.status is Status.PASS else judged.status
    reason = wording.appended(judged.reason, wording.history(shift, result.unit))
    return replace(judged, change=change, status=status, reason=reason)


def _stands(shift: Shift, result: Measurement, baseline: Baseline | None, direction: Direction) -> bool:
    """Tell whether a shift is for the worse, the value has not come back, and the new level was not accepted."""
    if shift.kind is ShiftKind.GAP or shift.after == shift.before:
        return False
    if worse_by(shift.after, shift.before, direction) < 0:
        return False
    came_back = abs(result.value - shift.before) < abs(result.value - shift.after)
    accepted = baseline is not None and abs(baseline.value - shift.after) <= abs(shift.after - shift.before) / 2
    return not came_back and not accepted
