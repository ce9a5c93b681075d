"""The sentences of verdicts: from the numbers of a comparison to one plain sentence saying why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.judging.judged import ShiftKind
from qa.model import Baseline, Change, Level, Unmeasured
from qa.requirements.ladder import OPERATORS, rank, target

if TYPE_CHECKING:
    from qa.judging.judged import Shift
    from qa.model import Ladder, Measurement
    from qa.requirements.waivers import Waiver

CROSSED = "this crosses below the camera's gate, which the baseline met"
DEFICIT_GREW = "a deficit below the camera's gate grew"
KNOWN_DEFICIT = "a known deficit, below the camera's gate since the baseline was accepted"
BELOW_AT_FIRST = "it is below the camera's gate from the start"
RESOURCES_WARN = "resources are noisy and only warn"
NOT_GATING = "this camera does not gate"


def sentence(*clauses: str) -> str:
    """Join clauses to one sentence, empty ones left out."""
    return "; ".join(clause for clause in clauses if clause) + "."


def appended(text: str, clause: str) -> str:
    """Add a clause to a finished sentence."""
    return sentence(text.removesuffix("."), clause)


def quantity(value: float, unit: str, *, digits: int = 4) -> str:
    """Write a value with its unit."""
    return f"{value:.{digits}g} {unit}".rstrip()


def pair(one: float, two: float, unit: str) -> tuple[str, str]:
    """Write two values with as many digits as it takes to tell them apart, four at least."""
    for digits in range(4, 17):
        written = quantity(one, unit, digits=digits), quantity(two, unit, digits=digits)
        if written[0] != written[1]:
            return written
    return quantity(one, unit), quantity(two, unit)


def absence(result: Unmeasured, accepted: Baseline | Unmeasured | None) -> str:
    """Say that a metric was not measured, and what was accepted."""
    why = result.reason.removesuffix(".")
    match accepted:
        case Baseline():
            return sentence(
                f"{result.metric} was not measured: {why}",
                f"its baseline is {quantity(accepted.value, accepted.unit)}",
            )
        case Unmeasured():
            return sentence(f"{result.metric} was not measured, as accepted: {why}")
        case _:
            return sentence(f"{result.metric} was not measured: {why}", "its absence has not been accepted")


def new(result: Measurement, accepted: Unmeasured | None) -> str:
    """Say that a metric has no baseline."""
    known = f"{result.metric} is {quantity(result.value, result.unit)}"
    if accepted is None:
        return f"{known} and has no baseline yet"
    return f"{known}, though its absence was accepted ({accepted.reason.removesuffix('.')})"


def moved(result: Measurement, baseline: Baseline, change: Change, *, worse: float, spread: float) -> str:
    """Say how a metric moved against its baseline; `worse` and `spread` in its unit."""
    before, now = pair(baseline.value, result.value, result.unit)
    if result.value == baseline.value:
        return f"{result.metric} is {now}, exactly its baseline"
    if change is Change.STEADY:
        return f"{result.metric} is {now}, within the run-to-run spread of its baseline {before}"
    verb = "improved" if change is Change.IMPROVED else "worsened" if worse > 0 else "moved without getting better"
    difference = f"{result.value - baseline.value:+.3g} {result.unit}".rstrip()
    times = abs(result.value - baseline.value) / spread
    if baseline.learned and baseline.tolerance == 0:
        return f"{result.metric} {verb} from {before} to {now} ({difference}, and repeated runs give the same bits)"
    return f"{result.metric} {verb} from {before} to {now} ({difference}, {times:.3g} times its run-to-run spread)"


def level(reached: Level, ladder: Ladder | None, gate: Level) -> str:
    """Say which level is reached, what it asks for and where that is written."""
    if ladder is None:
        return "nothing is required of it"
    if reached is Level.BELOW_MINIMUM:
        return f"it misses {_asked(Level.MINIMUM, ladder)}"
    if ladder.only is not None and rank(reached) < rank(ladder.only):
        return f"it misses {_asked(ladder.only, ladder)}"
    gap = f", and the camera's gate is {gate} ({_limit(gate, ladder)})" if rank(reached) < rank(gate) else ""
    return f"it reaches {_asked(reached, ladder)}{gap}"


def lost(now: Level, before: Level) -> str:
    """Name the level that was lost since the baseline, if one was."""
    if Level.NOT_APPLICABLE in (now, before) or rank(now) >= rank(before):
        return ""
    return f"{before} is lost"


def breaking(errors: float) -> str:
    """Say that sampling cannot explain a step."""
    return f"{errors:.3g} independent standard errors, so no sampling explains it"


def history(shift: Shift, unit: str) -> str:
    """Say what the nights before tell of a series."""
    before, after = pair(shift.before, shift.after, unit)
    began = shift.began.date().isoformat()
    match shift.kind:
        case ShiftKind.DRIFT:
            return f"over the nights it has drifted from {before} to {after} since {began}"
        case ShiftKind.STEP:
            return f"over the nights it stepped from {before} to {after} on {began}"
        case _:
            return f"it is a spike: the nights before it was {before}"


def waived(waiver: Waiver) -> str:
    """Say that a value below the gate is waived."""
    return f"waived until {waiver.expires}: {_excuse(waiver)}"


def expired(waiver: Waiver) -> str:
    """Say that a value below the gate was waived and is not any more."""
    return f"its waiver expired on {waiver.expires}: {_excuse(waiver)}"


def _excuse(waiver: Waiver) -> str:
    return waiver.reason.removesuffix(".") + (f" ({waiver.ticket})" if waiver.ticket else "")


def _asked(reached: Level, ladder: Ladder) -> str:
    return f"{reached} ({_limit(reached, ladder)}, {ladder.citation})"


def _limit(reached: Level, ladder: Ladder) -> str:
    return f"{OPERATORS[ladder.operator]} {quantity(target(ladder, reached), ladder.unit)}"
