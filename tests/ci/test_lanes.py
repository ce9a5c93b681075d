from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from ci.console import LineConsole
from ci.lanes import Context, find_run, measure_again, open_run, remember, run_steps
from ci.settings import Settings
from obs_registry.model import Stored
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.errors import InfrastructureError, RequestError
from qa.journal import FILE_NAME, Journal, read_record
from qa.lines import BusyError
from qa.model import Lane, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.record import RunFinished
from qa.testing import Clock, MemoryStore, a_camera, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

    from qa.engines.base import Job, Progress

MEASURE = "testcam/twin/measure"
REPORT = StepReport(
    StepOutcome(Step("testcam", "twin", Stage.MEASURE), StepStatus.DONE, 1.0, 1.0, 1.0), (a_measurement(),)
)
FAILED = StepReport(
    StepOutcome(Step("testcam", "twin", Stage.PROCESS), StepStatus.FAILED, 1.0, 1.0, 1.0, "it broke", "log")
)

OTHER = Step("other", "twin", Stage.PROCESS)


class KilledError(BaseException):
    """Stands for the end of the process: nothing catches it."""


class DyingEngine(RecordedEngine):
    """An engine whose process is killed before a step is told done."""

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Die at the processing step."""
        if job.step.stage is Stage.PROCESS:
            raise KilledError
        return super().run(job, progress)


def a_context(folder: Path, engine: RecordedEngine, *names: str) -> Context:
    """Build a context of test cameras over an engine."""
    return Context(
        settings=Settings(runs=folder / "runs", cache=folder / "cache", regression_data=folder),
        cameras=[a_camera(name) for name in names or ("testcam",)],
        engine=engine,
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={"package obsqa": "1"},
    )


def night(context: Context, *, fresh: bool = False) -> Path:
    """Open a nightly run."""
    return open_run(context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=fresh)


def test_a_night_takes_every_step_and_keeps_the_results(tmp_path: Path) -> None:
    """All steps run in order and what was measured is in the journal."""
    engine = RecordedEngine({MEASURE: REPORT})
    record = run_steps(context := a_context(tmp_path, engine), night(context))
    assert engine.ran == [f"testcam/twin/{stage}" for stage in Stage]
    assert record.results == (a_measurement(),)


def test_one_cameras_failure_stops_no_other(tmp_path: Path) -> None:
    """A failed step ends its camera's way; the others go on."""
    engine = RecordedEngine({"testcam/twin/process": FAILED})
    context = a_context(tmp_path, engine, "testcam", "other")
    record = run_steps(context, night(context))
    assert MEASURE not in engine.ran
    assert record.completed("other")
    failure = record.failure("testcam")
    assert failure is not None
    assert failure.message == "it broke"


def test_one_data_sets_failure_stops_no_other(tmp_path: Path) -> None:
    """A camera's data sets are apart: what others process may fail while the twin is well."""
    step = Step("testcam", "ci", Stage.PROCESS)
    engine = RecordedEngine({step.key: replace(FAILED, outcome=replace(FAILED.outcome, step=step))})
    context = a_context(tmp_path, engine)
    stored = {"kind": "butler", "repository": "/repo", "collections": ["a"], "pipeline": "/p", "bundles": ["*_metrics"]}
    first = Stored.model_validate(stored | {"name": "ci", "lane": "nightly", "bands": ["r"]})
    camera = a_camera().model_copy(update={"datasets": (first, *a_camera().datasets)})
    record = run_steps(context := replace(context, cameras=[camera]), night(context))
    assert engine.ran == [step.key, *(f"testcam/twin/{stage}" for stage in Stage)]
    assert not record.completed("testcam")


def test_a_killed_night_is_continued_without_redoing_steps(tmp_path: Path) -> None:
    """The next night takes up the run that was cut off, where it was cut off."""
    context = a_context(tmp_path, DyingEngine({}))
    with pytest.raises(KilledError):
        run_steps(context, night(context))
    second = RecordedEngine({MEASURE: REPORT})
    again = replace(context, engine=second)
    again.stop.clear()
    folder = night(again)
    record = run_steps(again, folder)
    assert second.ran == ["testcam/twin/process", MEASURE]
    assert record.completed("testcam")
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_a_finished_night_is_not_continued(tmp_path: Path) -> None:
    """A night that ended is history; the next one is a new run."""
    context = a_context(tmp_path, RecordedEngine({}))
    first = night(context)
    run_steps(context, first)
    with Journal(first / "journal.jsonl", context.clock) as journal:
        journal.append(RunFinished(0))
    assert night(context) != first


@pytest.mark.parametrize("change", ["asked", "software", "cameras"])
def test_another_night_is_not_continued(tmp_path: Path, change: str) -> None:
    """A run that was cut off is left alone when a new one is asked for, or is another night."""
    context = a_context(tmp_path, RecordedEngine({}))
    first = night(context)
    other = {
        "asked": context,
        "software": replace(context, provenance={"package obsqa": "2"}),
        "cameras": replace(context, cameras=[a_camera("other")]),
    }[change]
    assert night(other, fresh=change == "asked") != first


def test_a_run_killed_before_its_first_line_does_not_block(tmp_path: Path) -> None:
    """An empty journal is told and passed over."""
    context = a_context(tmp_path, RecordedEngine({}))
    first = night(context)
    (first / "journal.jsonl").write_bytes(b"")
    assert night(context) != first


def test_a_history_that_cannot_be_written_costs_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The night stands when its history is lost."""

    class BrokenStore(MemoryStore):
        def save(self, record: object) -> None:
            text = "the database is away"
            raise InfrastructureError(text)

    context = replace(a_context(tmp_path, RecordedEngine({})), store=BrokenStore())
    remember(context, read_record(night(context)))
    assert "warning: the database is away" in capsys.readouterr().err


def test_runs_are_found_by_id_path_and_latest(tmp_path: Path) -> None:
    """A run can be named in the ways people name it, and a wrong name is answered with the known ones."""
    context = a_context(tmp_path, RecordedEngine({}))
    first, second = night(context), night(context, fresh=True)
    runs = context.settings.runs
    assert find_run(runs, "latest") == second
    assert find_run(runs, first.name) == first
    assert find_run(runs, str(first)) == first
    with pytest.raises(RequestError, match=rf"no run is called 'x'.*{second.name}"):
        find_run(runs, "x")


def test_a_processed_run_can_be_measured_again(tmp_path: Path) -> None:
    """Measuring is repeated alone, for the cameras that were processed; nothing else is done again."""
    failing = RecordedEngine({"other/twin/process": replace(FAILED, outcome=replace(FAILED.outcome, step=OTHER))})
    context = a_context(tmp_path, failing, "testcam", "other")
    folder = night(context)
    run_steps(context, folder)
    again = RecordedEngine({MEASURE: REPORT})
    measure_again(replace(context, engine=again), folder)
    assert again.ran == [MEASURE]
    assert read_record(folder).results == (a_measurement(),)


def test_a_night_that_another_process_works_on_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second night beside one that runs is told so, and not that the first was cut off."""
    context = a_context(tmp_path, RecordedEngine({}))
    with Journal(night(context) / FILE_NAME, Clock()), pytest.raises(BusyError, match="another obsqa is working"):
        night(context)
    assert "cut off" not in capsys.readouterr().err


class CountingEngine(RecordedEngine):
    """An engine that notes how many workers each step has."""

    workers: ClassVar[dict[str, int]] = {}

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Note, and succeed."""
        self.workers[job.step.key] = job.workers
        return super().run(job, progress)


def test_a_lone_camera_has_all_slots_for_its_pipelines(tmp_path: Path) -> None:
    """Steps that run a pipeline share the free slots, other steps have one."""
    context = replace(a_context(tmp_path, engine := CountingEngine({})), jobs=3)
    run_steps(context, night(context))
    shared = {key.rpartition("/")[2] for key, workers in engine.workers.items() if workers == 3}
    assert shared == {Stage.CALIBRATIONS, Stage.PROCESS}
    assert set(engine.workers.values()) == {1, 3}
