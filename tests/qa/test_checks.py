from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qa.checks import CheckOutcome, CheckStatus, in_short
from qa.journal import Journal, read_record
from qa.judging.verdict import ExitCode, verdict
from qa.model import Lane, Plan, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.record import Checked, RunStarted
from qa.testing import NOW, Clock

if TYPE_CHECKING:
    from pathlib import Path

DONE = StepOutcome(Step("testcam", "twin", Stage.DRAW), StepStatus.DONE, 1.0, 1.0, 1.0)


def a_check(status: CheckStatus = CheckStatus.PASSED, *, message: str = "") -> CheckOutcome:
    """Build a check of the test camera."""
    return CheckOutcome("testcam", "headers_translate", status, 1.0, message)


def test_the_latest_outcome_of_a_check_counts(tmp_path: Path) -> None:
    """A check that was made again, in a run that was continued, stands once in the record."""
    plan = Plan("20260301T0100", Lane.COMMIT, Trigger("commit"), NOW, (DONE.step,))
    with Journal(tmp_path / "journal.jsonl", Clock()) as journal:
        journal.append(RunStarted(plan, {}))
        journal.append(Checked(a_check(CheckStatus.FAILED)))
        journal.append(Checked(a_check()))
    assert list(read_record(tmp_path).checks.values()) == [a_check()]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (CheckStatus.PASSED, ExitCode.PASS),
        (CheckStatus.SKIPPED, ExitCode.PASS),
        (CheckStatus.FAILED, ExitCode.FAILED),
        (CheckStatus.ERROR, ExitCode.INFRASTRUCTURE),
    ],
)
def test_a_run_that_is_only_checked_ends_as_its_checks(status: CheckStatus, code: ExitCode) -> None:
    """Where nothing was to be measured, the checks decide."""
    assert verdict([], [DONE], planned=[DONE.step], checks=[a_check(status)]) is code


def test_a_check_of_a_camera_that_does_not_gate_counts_for_nothing() -> None:
    """An orphaned camera's failures are shown and do not fail the run."""
    failed = a_check(CheckStatus.FAILED)
    assert verdict([], [DONE], planned=[DONE.step], checks=[failed], not_gating={"testcam"}) is ExitCode.PASS


def test_checks_do_not_stand_for_measurements() -> None:
    """A run that was to measure and did not is incomplete, however well its checks went."""
    step = Step("testcam", "twin", Stage.MEASURE)
    assert verdict([], [DONE], planned=[DONE.step, step], checks=[a_check()]) is ExitCode.INCOMPLETE


def test_a_check_is_told_with_its_reason() -> None:
    """Name and message make one line."""
    assert in_short(a_check(message="no card DATE-OBS")) == "headers_translate: no card DATE-OBS"
    assert in_short(a_check()) == "headers_translate"
