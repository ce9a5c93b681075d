from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from qa.judging.findings import UNMEASURED, advance
from qa.judging.judged import FindingState
from qa.model import (
    Change,
    Comparison,
    Lane,
    Level,
    Plan,
    Promise,
    Stage,
    Status,
    Step,
    StepOutcome,
    StepStatus,
    Trigger,
)
from qa.planning.findings import unmeasured
from qa.record import Measured, RunRecord
from qa.testing import NOW, a_measurement

STEP = Step("testcam", "twin", Stage.MEASURE)
LATE = NOW - timedelta(days=9)


def _promise(**changes: object) -> Promise:
    known = Promise(
        "testcam", LATE, LATE + timedelta(days=7), 1.0, tonight=False, kept=False, reason="it was in no run"
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def _record(promise: Promise, *, measured: bool = False, status: StepStatus = StepStatus.DONE) -> RunRecord:
    plan = Plan("r", Lane.NIGHTLY, Trigger(), NOW, (STEP,), promises=(promise,))
    outcomes = {STEP.key: StepOutcome(STEP, status, 1.0, 1.0, 1.0)}
    key = ("testcam", "twin")
    found = {key: Measured(*key, (a_measurement(),))} if measured else {}
    return RunRecord(plan, {}, NOW, outcomes=outcomes, measured=found, measured_at=dict.fromkeys(found, NOW))


def test_a_sponsored_camera_whose_week_is_over_is_a_finding_with_the_reason() -> None:
    """Which warns, and is the camera's and no data set's."""
    (seen,) = unmeasured(_record(_promise()), NOW)
    assert (seen.kind, seen.status, str(seen.scope)) == (UNMEASURED, Status.WARN, "testcam/coadds")
    assert seen.reason == (
        "A sponsored camera must be measured on coadds within 7 days; this one was not since 2026-02-20 01:00 UTC: "
        "it was in no run."
    )


def test_a_camera_that_never_was_measured_is_one_too() -> None:
    """As one that was to be measured tonight and did not come through."""
    never = _promise(last=None, due=None, reason="", tonight=True)
    (seen,) = unmeasured(_record(never, status=StepStatus.FAILED), NOW)
    assert "this one never was: it was planned for tonight and did not come through" in seen.reason
    assert not [*unmeasured(_record(never), NOW, out=("testcam",))]  # its outage says so already
    assert [*unmeasured(_record(_promise()), NOW, out=("testcam",))]


def test_a_camera_that_was_measured_tonight_or_whose_week_lasts_is_none() -> None:
    """However late it was; and a week that ends while the night runs is over."""
    assert not [*unmeasured(_record(_promise(), measured=True), NOW)]
    soon = _promise(due=NOW + timedelta(hours=1))
    assert not [*unmeasured(_record(soon), NOW)]
    assert [*unmeasured(_record(soon), NOW + timedelta(hours=2))]


def test_a_service_is_held_to_run_to_its_end() -> None:
    """It has no coadds."""
    assert not [*unmeasured(_record(_promise(coadds=False)), NOW)]
    (seen,) = unmeasured(_record(_promise(coadds=False), status=StepStatus.FAILED), NOW)
    assert seen.reason.startswith("A sponsored service must run to its end within 7 days")


def test_the_finding_lasts_until_the_camera_is_measured() -> None:
    """Nights that do not have the camera say nothing of it; the one that measures it mends it."""
    first = advance((), (), when=NOW, more=unmeasured(_record(_promise()), NOW))
    second = advance(first, (), when=NOW + timedelta(days=1))
    assert [one.state for one in second] == [FindingState.OPEN]
    result = a_measurement()
    judged = Comparison(result, None, None, Change.NEW, Level.NOT_APPLICABLE, Status.PASS, None, "")
    third = advance(second, (judged,), when=NOW + timedelta(days=2))
    assert [one.state for one in third] == [FindingState.FIXED]
