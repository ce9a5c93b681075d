"""The verdict on a whole run: from its comparisons and the outcomes of its steps to an exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from qa.checks import CheckStatus
from qa.model import Measurement, Stage, Status, StepStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from qa.checks import CheckOutcome
    from qa.model import Comparison, Step, StepOutcome


class ExitCode(IntEnum):
    """What a run ends with; 2 (the request or a file is wrong) and 130 (interrupted) are the command line's."""

    PASS = 0
    FAILED = 1
    INFRASTRUCTURE = 3
    INCOMPLETE = 4


def verdict(
    comparisons: Sequence[Comparison],
    outcomes: Sequence[StepOutcome],
    *,
    planned: Collection[Step] = (),
    not_gating: Collection[str] = (),
    invalid: Collection[str] = (),
    checks: Collection[CheckOutcome] = (),
) -> ExitCode:
    """Return how a run ended.

    A failed comparison or check comes first (no rerun mends it), then a failed step, then what is lacking: a planned
    step without outcome, a check that there was no time for, a data set of which no measurement was judged, a camera in
    `invalid` (it had an outage), a run in which nothing was measured although it was to be, or nothing was checked
    either. Cameras in `not_gating` are not counted against the run; their comparisons only warn already.
    """
    if any(comparison.status is Status.FAIL for comparison in comparisons):
        return ExitCode.FAILED
    made = [one for one in checks if one.camera not in not_gating]
    if any(one.status is CheckStatus.FAILED for one in made):
        return ExitCode.FAILED
    gating = [outcome for outcome in outcomes if outcome.step.camera not in not_gating]
    if any(outcome.status is StepStatus.FAILED for outcome in gating) or any(
        one.status is CheckStatus.ERROR for one in made
    ):
        return ExitCode.INFRASTRUCTURE
    done = {outcome.step for outcome in gating}
    lacking = [step for step in planned if step not in done and step.camera not in not_gating]
    enough = _anything_measured(comparisons) or (checks and not any(one.stage is Stage.MEASURE for one in planned))
    unbegun = any(one.status is CheckStatus.NOT_RUN for one in made)
    if lacking or unbegun or _unjudged(comparisons, gating) or not enough:
        return ExitCode.INCOMPLETE
    if any(camera not in not_gating for camera in invalid):
        return ExitCode.INCOMPLETE
    return ExitCode.PASS


def _unjudged(comparisons: Sequence[Comparison], outcomes: Sequence[StepOutcome]) -> set[tuple[str, str]]:
    """Return the data sets whose measuring ended and of which no measurement was judged."""
    judged = {(one.scope.camera, one.scope.dataset) for one in comparisons if isinstance(one.result, Measurement)}
    measured = {(one.step.camera, one.step.dataset) for one in outcomes if one.step.stage is Stage.MEASURE}
    return measured - judged


def _anything_measured(comparisons: Sequence[Comparison]) -> bool:
    return any(isinstance(comparison.result, Measurement) for comparison in comparisons)
