from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.model import Lane, Plan, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.record import Entry, Event, Measured, RunFinished, RunRecord, RunStarted, StepFinished, StepStarted, replay
from qa.testing import NOW, a_measurement

if TYPE_CHECKING:
    from collections.abc import Iterable

STEPS = tuple(Step("testcam", "twin", stage) for stage in Stage)
PLAN = Plan("run", Lane.NIGHTLY, Trigger(), NOW, STEPS)


def done(step: Step, status: StepStatus = StepStatus.DONE) -> StepFinished:
    """Build the end of a step."""
    return StepFinished(StepOutcome(step, status, 1.0, 1.0, 1.0, "why"))


def record_of(events: Iterable[Event]) -> RunRecord:
    """Sum events a second apart."""
    entries = [Entry(NOW + timedelta(seconds=i), event) for i, event in enumerate(events)]
    record = replay(entries)
    assert record is not None
    return record


def test_nothing_is_no_run() -> None:
    """Events without a start say nothing."""
    assert replay([]) is None
    assert replay([Entry(NOW, RunFinished(0))]) is None


def test_the_first_start_counts() -> None:
    """A resumed run keeps its plan and its beginning."""
    record = record_of([RunStarted(PLAN, {"host": "a"}), RunStarted(PLAN, {"host": "b"})])
    assert record.started == NOW
    assert record.provenance == {"host": "a"}


def test_a_step_begun_again_is_not_done() -> None:
    """Only the latest attempt at a step counts."""
    record = record_of([RunStarted(PLAN, {}), done(STEPS[0]), StepStarted(STEPS[0])])
    assert not record.is_done(STEPS[0])


def test_done_with_caveats_is_done() -> None:
    """A caveat does not undo a step; a failure does."""
    record = record_of([RunStarted(PLAN, {}), done(STEPS[0], StepStatus.CAVEATS), done(STEPS[1], StepStatus.FAILED)])
    assert record.is_done(STEPS[0])
    assert not record.is_done(STEPS[1])
    failure = record.failure("testcam")
    assert failure is not None
    assert failure.step == STEPS[1]


def test_coadds_count_as_measured_only_when_the_camera_came_through() -> None:
    """A camera that failed on the way was not measured on coadds."""
    measured = Measured("testcam", "twin", (a_measurement(),))
    halfway = [RunStarted(PLAN, {}), measured]
    assert record_of(halfway).coadds_measured("testcam") is None
    whole = record_of([*halfway, *map(done, STEPS)])
    assert whole.completed("testcam")
    assert whole.coadds_measured("testcam") == NOW + timedelta(seconds=1)


def test_what_is_of_no_tract_was_not_measured_on_coadds() -> None:
    """Others' pipelines may measure single visits alone."""
    one = a_measurement()
    visits = replace(one, scope=replace(one.scope, tract=None))
    whole = record_of([RunStarted(PLAN, {}), Measured("testcam", "twin", (visits,)), *map(done, STEPS)])
    assert whole.coadds_measured("testcam") is None
