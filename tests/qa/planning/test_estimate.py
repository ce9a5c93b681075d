from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from qa.model import Lane, Plan, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.planning.estimate import DEFAULT_HOURS, estimate, experience
from qa.record import RunRecord
from qa.testing import NOW, a_camera


def _night(
    *hours: float, number: int = 0, cpu: float = 0.0, last: StepStatus = StepStatus.DONE, lane: Lane = Lane.NIGHTLY
) -> RunRecord:
    """Build a run in which the twin's stages took these hours each."""
    steps = [Step("testcam", "twin", stage) for stage in list(Stage)[: len(hours)]]
    plan = Plan(f"night-{number}", lane, Trigger(), NOW, tuple(steps))
    ended = [StepStatus.DONE] * (len(steps) - 1) + [last]
    outcomes = {
        step.key: StepOutcome(step, status, took * 3600, cpu * 3600, 100.0)
        for step, status, took in zip(steps, ended, hours, strict=True)
    }
    started = NOW + timedelta(days=number)
    return RunRecord(plan, {}, started, finished=started, exit_code=0, outcomes=outcomes)


def test_a_camera_of_which_nothing_is_known_takes_the_default() -> None:
    """And says that this rests on nothing."""
    found = estimate(a_camera(), Lane.NIGHTLY, experience([]))
    assert (found.hours, found.passes) == (DEFAULT_HOURS, 0)


def test_a_camera_takes_the_median_of_its_last_five_nights() -> None:
    """One night that took ten times as long moves nothing, and what was longer ago is forgotten."""
    nights = [_night(0.5, took, number=-number) for number, took in enumerate((1.0, 1.2, 20.0, 1.1, 0.9, 9.0, 9.0))]
    found = estimate(a_camera(), Lane.NIGHTLY, experience(nights))
    assert (found.hours, found.passes) == (1.6, 5)


def test_steps_that_share_processors_count_for_all_of_them() -> None:
    """An hour of four workers is four hours of one slot; one that waits for others is what the clock says."""
    assert estimate(a_camera(), Lane.NIGHTLY, experience([_night(1.0, cpu=4.0)])).hours == 4.0
    assert estimate(a_camera(), Lane.NIGHTLY, experience([_night(1.0, cpu=0.1)])).hours == 1.0


def test_a_camera_that_only_failed_takes_at_least_what_it_took_in_vain() -> None:
    """Four hours until it was given up are four hours of the night."""
    nights = [_night(4.0, last=StepStatus.FAILED), _night(0.1, last=StepStatus.FAILED, number=-1)]
    found = estimate(a_camera(), Lane.NIGHTLY, experience(nights))
    assert (found.hours, found.passes) == (4.0, 0)


def test_a_failure_teaches_nothing_of_a_camera_that_came_through_before() -> None:
    """It may have failed at once."""
    nights = [_night(0.1, last=StepStatus.FAILED), _night(2.0, number=-1)]
    assert estimate(a_camera(), Lane.NIGHTLY, experience(nights)).hours == 2.0


def test_runs_that_were_cut_off_or_read_files_teach_nothing() -> None:
    """Neither what a camera takes nor that it was tried."""
    nights = [replace(_night(3.0), finished=None), _night(3.0, lane=Lane.IMPORTED)]
    known = experience(nights)
    assert not known.passes
    assert not known.tried


def test_a_camera_was_tried_when_the_last_run_that_had_it_began() -> None:
    """Whatever came of it."""
    nights = [_night(1.0, number=2, last=StepStatus.FAILED), _night(1.0)]
    assert experience(nights).tried == {"testcam": NOW + timedelta(days=2)}
