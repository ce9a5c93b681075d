from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click
import pytest

from ci.budget import MOST_RUNS, same_night
from ci.console import LineConsole
from ci.lanes import Context, fresh_plan, open_run, run_steps
from ci.options import Hours
from ci.settings import Settings
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.journal import FILE_NAME, Journal, runs_under
from qa.model import Lane, Measurement, Scope, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.plan import NO_ROOM
from qa.record import RunFinished
from qa.testing import Clock, MemoryStore, a_camera

if TYPE_CHECKING:
    from pathlib import Path

    from qa.engines.base import Job, Progress

NAMES = ("a", "b", "c")


class _Slow(RecordedEngine):
    """An engine whose steps took an hour each, except that camera a is four times as fast."""

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out nothing."""
        name, step = job.step.camera, job.step
        self.ran.append(step.key)
        seconds = 900.0 if name == "a" else 3600.0
        results = (
            (Measurement("PA1", Scope(name, "twin", "r", 0), 5.0, "mmag", 9),) if step.stage is Stage.MEASURE else ()
        )
        return StepReport(StepOutcome(step, StepStatus.DONE, seconds, seconds, 1.0), results)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Return a context of three cameras and one slot."""
    return Context(
        settings=Settings(runs=tmp_path / "runs", cache=tmp_path / "cache", regression_data=tmp_path),
        cameras=[a_camera(name) for name in NAMES],
        engine=_Slow({}),
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={"package obsqa": "1"},
        jobs=1,
    )


def _night(context: Context, *, end: bool = True) -> Path:
    folder = open_run(context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=False)
    record = run_steps(context, folder)
    if end:
        with Journal(folder / FILE_NAME, context.clock) as journal:
            journal.append(RunFinished(0))
        assert context.store is not None
        context.store.save(replace(record, finished=context.clock()))
    return folder


def test_a_night_with_a_budget_takes_what_earlier_nights_say_fits(context: Context) -> None:
    """Five steps of an hour are five hours; the camera that is least due waits, and its reason says so."""
    _night(context)
    later = replace(context, budget_hours=6.5, clock=Clock(context.clock() + timedelta(days=1)))
    plan = fresh_plan(later, Lane.NIGHTLY, Trigger())
    assert set(plan.cameras) in ({"a", "b"}, {"a", "c"})
    (left,) = [one for one in plan.not_run if one.reason.startswith(NO_ROOM)]
    assert "takes about 5 h, 0.25 h are left" in left.reason
    assert {one.camera: one.hours for one in plan.promises} == {"a": 1.25, "b": 5.0, "c": 5.0}
    assert all(one.kept for one in plan.promises)


def test_nights_take_turns(context: Context) -> None:
    """With room for one of two long cameras each is measured every other night."""
    _night(context)
    took = []
    for number in range(1, 5):
        night = replace(context, budget_hours=6.5, clock=Clock(context.clock() + timedelta(days=number)))
        _night(night)
        took.append(fresh_plan(night, Lane.NIGHTLY, Trigger()).cameras)
    assert [{"b", "c"} & set(one) for one in took] in ([{"b"}, {"c"}] * 2, [{"c"}, {"b"}] * 2)


def test_a_night_without_a_budget_takes_all_and_knows_its_promises(context: Context) -> None:
    """A commit's small run promises nothing."""
    assert set(fresh_plan(context, Lane.NIGHTLY, Trigger()).cameras) == set(NAMES)
    assert len(fresh_plan(context, Lane.NIGHTLY, Trigger()).promises) == 3
    assert fresh_plan(context, Lane.COMMIT, Trigger()).promises == ()


def test_a_night_with_a_budget_that_was_cut_off_is_continued(context: Context) -> None:
    """For a day, though others would be chosen by now; a camera that is gone, or another budget, begins anew."""
    budgeted = replace(context, budget_hours=9.0)
    cut = _night(budgeted, end=False)
    assert _night(replace(budgeted, clock=Clock(budgeted.clock() + timedelta(hours=8))), end=False) == cut
    old = fresh_plan(budgeted, Lane.NIGHTLY, Trigger())
    assert same_night(budgeted, old, old)
    assert not same_night(budgeted, old, replace(old, created=old.created + timedelta(days=1)))
    assert not same_night(budgeted, old, replace(old, budget_hours=8.0))
    assert not same_night(budgeted, old, replace(old, lane=Lane.COMMIT))
    assert not same_night(replace(budgeted, cameras=[]), old, old)
    assert not same_night(replace(budgeted, asked=("b",)), replace(old, steps=(Step("a", "twin", Stage.DRAW),)), old)


def test_a_journal_that_cannot_be_read_teaches_nothing_and_stops_nothing(context: Context) -> None:
    """As the judging tells of it."""
    folder = _night(context)
    broken = folder.parent / "20990101T000000Z"
    broken.mkdir()
    (broken / FILE_NAME).write_text("{broken\n{}\n")
    assert len(runs_under(folder.parent)) == 2 < MOST_RUNS
    plan = fresh_plan(replace(context, budget_hours=6.5), Lane.NIGHTLY, Trigger())
    assert {one.camera: one.hours for one in plan.promises}["b"] == 5.0


@pytest.mark.parametrize(("text", "hours"), [("8", 8.0), ("8h", 8.0), ("90m", 1.5), ("1.5d", 36.0), (" 0.5 ", 0.5)])
def test_a_budget_is_read_in_hours(text: str, hours: float) -> None:
    """Unless it says otherwise."""
    assert Hours().convert(text, None, None) == hours


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "8 hours", "nan"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(click.BadParameter, match="such as 90m or 2h"):
        Hours().convert(text, None, None)
