"""Children of runs, and runs repeated as of a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ci.console import LineConsole
from ci.lanes import Context, find_run, open_run, run_steps
from ci.lineage import nights_around, settings_as_of
from ci.settings import Settings
from qa.engines.recorded import RecordedEngine
from qa.errors import RequestError
from qa.journal import FILE_NAME, Journal, read_record
from qa.model import Lane, Trigger
from qa.record import RunFinished
from qa.testing import Clock, a_camera

if TYPE_CHECKING:
    from pathlib import Path

    from qa.engines.base import Job, Progress, StepReport

DAY = date(2018, 1, 18)


class NotingEngine(RecordedEngine):
    """An engine that writes down which day's calibrations it was given."""

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Note the day instead of the step."""
        report = super().run(job, progress)
        self.ran[-1] = str(job.calibrations_as_of)
        return report


def a_context(folder: Path, config: str = "1", *, day: date | None = None) -> Context:
    """Build a context in which the test camera is configured in some way."""
    facts = {"package obsqa": "1", "config testcam/twin": config}
    settings = Settings(runs=folder, cache=folder / "cache", regression_data=folder)
    return Context(
        settings, [a_camera()], NotingEngine({}), None, Clock(), LineConsole(), facts, calibrations_as_of=day
    )


def a_night(context: Context, *, finished: bool = True) -> Path:
    """Carry out a night."""
    folder = open_run(context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=False)
    run_steps(context, folder)
    if finished:
        with Journal(folder / FILE_NAME, context.clock) as journal:
            journal.append(RunFinished(0))
    return folder


def test_a_changed_configuration_makes_a_child(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The parent is in the plan and said on the console; the next night of the same configuration has none."""
    first = a_night(a_context(tmp_path))
    second = a_night(a_context(tmp_path, "2"))
    third = a_night(a_context(tmp_path, "2"))
    assert [read_record(run).plan.parent for run in (first, second, third)] == ["", first.name, ""]
    said = f"the configuration of testcam/twin changed since {first.name}: this is a child of it"
    assert said in capsys.readouterr().err


def test_a_night_that_was_cut_off_is_not_continued_with_another_configuration(tmp_path: Path) -> None:
    """Its child begins anew, and leaves it as it is."""
    first = a_night(a_context(tmp_path), finished=False)
    before = (first / FILE_NAME).read_bytes()
    child = a_night(a_context(tmp_path, "2"))
    assert child != first
    assert read_record(child).plan.parent == first.name
    assert (first / FILE_NAME).read_bytes() == before


def test_damaged_runs_are_no_parents(tmp_path: Path) -> None:
    """They are passed over."""
    first = a_night(a_context(tmp_path))
    damaged = a_night(a_context(tmp_path))
    (damaged / FILE_NAME).write_text("nonsense\n{}\n")
    assert read_record(a_night(a_context(tmp_path, "2"))).plan.parent == first.name


def test_a_day_reaches_every_step_and_is_in_the_plan(tmp_path: Path) -> None:
    """Also of a night that is continued: the plan is what counts."""
    context = a_context(tmp_path, day=DAY)
    run = a_night(context, finished=False)
    assert read_record(run).plan.calibrations_as_of == DAY
    assert set(context.engine.ran) == {str(DAY)}  # type: ignore[attr-defined]
    today = a_context(tmp_path)
    a_night(today)
    assert set(today.engine.ran) <= {"None", str(DAY)}  # type: ignore[attr-defined]


def test_runs_as_of_a_day_are_kept_apart(tmp_path: Path) -> None:
    """In a folder of that day, in which they are found by their path; what moved is looked for among all nights."""
    night = a_night(a_context(tmp_path))
    context = a_context(tmp_path, day=DAY)
    context = replace(context, settings=settings_as_of(context.settings, DAY))
    run = a_night(context)
    assert run == tmp_path / "as-of" / "2018-01-18" / run.name
    assert find_run(tmp_path, "latest") == night
    assert find_run(tmp_path, f"as-of/2018-01-18/{run.name}") == run
    assert nights_around(run, read_record(run)) == tmp_path
    assert nights_around(night, read_record(night)) == tmp_path
    with pytest.raises(RequestError, match="no run is called"):
        find_run(tmp_path, "as-of/2018-01-18")
