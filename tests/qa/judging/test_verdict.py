"""The exit code of a whole run."""

from __future__ import annotations

import pytest

from qa.checks import CheckOutcome, CheckStatus
from qa.judging.verdict import ExitCode, verdict
from qa.model import (
    Change,
    Comparison,
    Level,
    Measurement,
    Scope,
    Stage,
    Status,
    Step,
    StepOutcome,
    StepStatus,
    Unmeasured,
)


def a_comparison(status: Status, *, camera: str = "hsc", measured: bool = True) -> Comparison:
    """Make a comparison of a status."""
    scope = Scope(camera, "twin", "r", 0)
    result = Measurement("PA1", scope, 4.0, "mmag", 10) if measured else Unmeasured("PA1", scope, "no stars")
    return Comparison(result, None, None, Change.NEW, Level.NOT_APPLICABLE, status, None, "because.")


def an_outcome(
    status: StepStatus = StepStatus.DONE, *, camera: str = "hsc", stage: Stage = Stage.MEASURE
) -> StepOutcome:
    """Make the outcome of a step."""
    return StepOutcome(Step(camera, "twin", stage), status, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN])
@pytest.mark.parametrize("ended", [StepStatus.DONE, StepStatus.CAVEATS])
def test_passes_and_warnings_are_green(status: Status, ended: StepStatus) -> None:
    """A warning fails nothing, and a step with caveats is done."""
    assert verdict([a_comparison(status)], [an_outcome(ended)]) is ExitCode.PASS


def test_one_failed_verdict_fails_the_run() -> None:
    """Among any number that pass."""
    comparisons = [a_comparison(Status.PASS), a_comparison(Status.FAIL)]
    assert verdict(comparisons, [an_outcome()]) is ExitCode.FAILED


def test_a_failed_step_is_infrastructure() -> None:
    """One camera's outage is no regression of the others."""
    outcomes = [an_outcome(), an_outcome(StepStatus.FAILED, camera="decam", stage=Stage.PROCESS)]
    assert verdict([a_comparison(Status.PASS)], outcomes) is ExitCode.INFRASTRUCTURE


def test_a_regression_outranks_an_outage() -> None:
    """No rerun mends a regression."""
    outcomes = [an_outcome(), an_outcome(StepStatus.FAILED, camera="decam")]
    assert verdict([a_comparison(Status.FAIL)], outcomes) is ExitCode.FAILED


def test_a_planned_step_without_outcome_leaves_the_run_incomplete() -> None:
    """A camera that was planned and never ran is not green."""
    planned = [Step("hsc", "twin", Stage.MEASURE), Step("decam", "twin", Stage.MEASURE)]
    code = verdict([a_comparison(Status.PASS)], [an_outcome()], planned=planned)
    assert code is ExitCode.INCOMPLETE


def test_a_night_in_which_nothing_ran_is_never_green() -> None:
    """No comparison, no outcome: incomplete."""
    assert verdict([], []) is ExitCode.INCOMPLETE


@pytest.mark.parametrize("comparisons", [[], [a_comparison(Status.WARN, measured=False)]])
def test_a_data_set_without_a_measurement_is_incomplete(comparisons: list[Comparison]) -> None:
    """A camera that ran and gave nothing is not green, nor is one that gave reasons only."""
    others = [a_comparison(Status.PASS, camera="decam")]
    outcomes = [an_outcome(), an_outcome(camera="decam")]
    assert verdict([*comparisons, *others], outcomes) is ExitCode.INCOMPLETE


def test_a_camera_that_does_not_gate_fails_nothing() -> None:
    """Neither by a failed step nor by a step that never ran."""
    planned = [Step("hsc", "twin", Stage.MEASURE), Step("sdss", "twin", Stage.MEASURE)]
    outcomes = [an_outcome(), an_outcome(StepStatus.FAILED, camera="sdss", stage=Stage.INGEST)]
    code = verdict([a_comparison(Status.PASS)], outcomes, planned=planned, not_gating={"sdss"})
    assert code is ExitCode.PASS


def test_a_night_of_ungated_failures_only_is_not_green() -> None:
    """If the only camera is orphaned and its step failed, nothing was measured."""
    outcomes = [an_outcome(StepStatus.FAILED, camera="sdss")]
    assert verdict([], outcomes, not_gating={"sdss"}) is ExitCode.INCOMPLETE


def test_a_camera_that_could_not_be_judged_leaves_the_run_incomplete() -> None:
    """Unless it does not gate; a regression of another camera comes first."""
    done = [an_outcome(), an_outcome(camera="decam")]
    both = [a_comparison(Status.PASS), a_comparison(Status.WARN, camera="decam")]
    assert verdict(both, done, invalid=["decam"]) is ExitCode.INCOMPLETE
    assert verdict(both, done, invalid=["decam"], not_gating=["decam"]) is ExitCode.PASS
    assert verdict([*both, a_comparison(Status.FAIL)], done, invalid=["decam"]) is ExitCode.FAILED


def test_a_check_that_there_was_no_time_for_leaves_the_run_incomplete() -> None:
    """It is neither passed nor failed; one that failed or could not be made comes first."""
    good = [a_comparison(Status.PASS)]
    late, lost, wrong = (
        CheckOutcome("hsc", status.value, status, 0.0)
        for status in (CheckStatus.NOT_RUN, CheckStatus.ERROR, CheckStatus.FAILED)
    )
    assert verdict(good, [an_outcome()], checks=[late]) is ExitCode.INCOMPLETE
    assert verdict(good, [an_outcome()], checks=[late], not_gating=["hsc"]) is ExitCode.PASS
    assert verdict(good, [an_outcome()], checks=[late, lost]) is ExitCode.INFRASTRUCTURE
    assert verdict(good, [an_outcome()], checks=[late, lost, wrong]) is ExitCode.FAILED
