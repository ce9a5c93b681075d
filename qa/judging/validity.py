"""Is what a run measured worth judging? Tells an outage, which is one finding of a camera, from regressions. Pure.

A data set is invalid when a step of it failed or was never reached, when it could not be judged, when nothing or less
than half of what it owes was measured, or when what was measured rests on much fewer exposures than the last time. What
it gave is then shown but not counted: neither its missing metrics nor its moved ones are regressions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from qa.judging import wording
from qa.judging.compare import NOT_REPORTED
from qa.model import Change, Measurement, Status, StepStatus, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qa.model import Comparison, NotRun, Scope, Step, StepOutcome

    Key = tuple[str, Scope]

MOST_MISSING = 0.5
"""Where more than this fraction of what a data set owes is missing at once, no single metric is at fault."""

FEW = 5
"""With fewer metrics than this, missing ones are counted one by one."""

FEWER_EXPOSURES = 0.75
"""A data set measured on less than this fraction of the last time's visits and detectors is not the same data."""

DISK_FULL = ("no space left on", "disk quota exceeded")
"""What the messages of a full disk have in common, in lower case."""


@dataclass(frozen=True, slots=True)
class Validity:
    """Whether a camera's data set can be judged; `reason` says why not."""

    camera: str
    dataset: str
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Tell whether the data set can be judged."""
        return not self.reason


def gate(
    comparisons: Sequence[Comparison],
    outcomes: Iterable[StepOutcome],
    *,
    planned: Iterable[Step],
    unjudged: Mapping[str, str] | None = None,
    exposures: Mapping[Key, int] | None = None,
) -> tuple[Validity, ...]:
    """Tell of every planned data set, in the order of the plan, whether it can be judged.

    Parameters
    ----------
    comparisons, outcomes
        What was judged, and how the steps ended.
    planned
        The steps of the plan.
    unjudged
        Why a camera was not judged, by name.
    exposures
        The number of visits and detectors that metrics of single visits rested on the last time.
    """
    ended = {outcome.step: outcome for outcome in outcomes}
    by_dataset: dict[tuple[str, str], list[Comparison]] = {}
    for one in comparisons:
        by_dataset.setdefault((one.scope.camera, one.scope.dataset), []).append(one)
    steps: dict[tuple[str, str], list[Step]] = {}
    for step in planned:
        steps.setdefault((step.camera, step.dataset), []).append(step)
    return tuple(
        Validity(
            *key,
            _not_run(own, ended)
            or (unjudged or {}).get(key[0], "")
            or _not_measured(by_dataset.get(key, ()))
            or _on_fewer_exposures(by_dataset[key], exposures or {}),
        )
        for key, own in steps.items()
    )


def outages(validities: Iterable[Validity], left_out: Iterable[NotRun] = ()) -> dict[str, Validity]:
    """Return one outage for each camera that has any: its first one; `left_out` are cameras that could not be run."""
    found: dict[str, Validity] = {}
    for one in (*validities, *(Validity(camera.camera, "registry", camera.reason) for camera in left_out)):
        if not one.valid:
            found.setdefault(one.camera, one)
    return found


def discount(comparisons: Iterable[Comparison], validities: Iterable[Validity]) -> tuple[Comparison, ...]:
    """Let the failures of data sets that cannot be judged warn, and say so: the outage is what counts."""
    reasons = {(one.camera, one.dataset): one.reason for one in validities if not one.valid}
    return tuple(_discounted(one, reasons.get((one.scope.camera, one.scope.dataset), "")) for one in comparisons)


def _discounted(one: Comparison, reason: str) -> Comparison:
    if not reason or one.status is not Status.FAIL:
        return one
    return replace(one, status=Status.WARN, reason=wording.appended(one.reason, f"not counted, an outage: {reason}"))


def _not_run(steps: Iterable[Step], ended: Mapping[Step, StepOutcome]) -> str:
    """Say which step failed or was never reached; a data set without a measuring step is asked for no more."""
    for step in steps:
        outcome = ended.get(step)
        if outcome is None:
            return f"{step.stage} was never reached: the run was cut off"
        if outcome.status is StepStatus.FAILED:
            full = any(text in outcome.message.lower() for text in DISK_FULL)
            return f"{step.stage} failed: {'the disk was full: ' if full else ''}{outcome.message}"
    return ""


def _not_measured(comparisons: Sequence[Comparison]) -> str:
    """Say that nothing, or too little at once, was measured; what never was, and says why, is owed by no one."""
    measured = sum(isinstance(one.result, Measurement) for one in comparisons)
    if not measured:
        return "nothing was measured"
    missing = sum(one.change is Change.MISSING and _is_owed(one) for one in comparisons)
    owed = measured + missing
    if owed >= FEW and missing > MOST_MISSING * owed:
        return f"{missing} of {owed} metrics are missing at once"
    return ""


def _is_owed(missing: Comparison) -> bool:
    return missing.baseline is not None or missing.result == Unmeasured(missing.metric, missing.scope, NOT_REPORTED)


def _on_fewer_exposures(comparisons: Iterable[Comparison], before: Mapping[Key, int]) -> str:
    """Say that the metrics of visits rest on much fewer of them, by the median of the ratios."""
    ratios = [
        one.result.n / known
        for one in comparisons
        if isinstance(one.result, Measurement) and (known := before.get((one.metric, one.scope)))
    ]
    if ratios and median(ratios) < FEWER_EXPOSURES:
        return f"measured on {median(ratios):.0%} of the visits and detectors of the last time"
    return ""
