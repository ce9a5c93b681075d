from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ci.console import LineConsole
from ci.lanes import Context
from ci.settings import Settings
from ci.suite.kernel import DATASET, METRIC
from ci.suite.night import Night, NotReachedError, NoTwinError, small_twin
from ci.suite.past import metric_name, past_of
from qa.checks import CheckOutcome, CheckStatus
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.model import Change, Measurement, Scope, Stage, Status, Step, StepOutcome, StepStatus
from qa.plan import NOT_ASKED
from qa.testing import Clock, MemoryStore, a_camera, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = StepReport(
    StepOutcome(Step("testcam", "twin-quick", Stage.MEASURE), StepStatus.DONE, 2.0, 1.0, 1.0),
    (replace(a_measurement(), scope=Scope("testcam", "twin-quick", "r", 0)),),
)
FAILED = StepReport(
    StepOutcome(Step("testcam", "twin-quick", Stage.CALIBRATIONS), StepStatus.FAILED, 1.0, 1.0, 1.0, "it broke", "log")
)
PASSED = CheckOutcome("testcam", "filters_map_to_bands", CheckStatus.PASSED, 0.5)


def a_night(
    folder: Path, reports: dict[str, StepReport] | None = None, *, needs: dict[str, Stage | None]
) -> tuple[Night, RecordedEngine]:
    """Build the night of a session over two cameras, and the engine that it asks."""
    engine = RecordedEngine(reports if reports is not None else {"testcam/twin-quick/measure": MEASURED})
    context = Context(
        settings=Settings(runs=folder / "runs", cache=folder / "cache", regression_data=folder),
        cameras=[a_camera(), a_camera("other")],
        engine=engine,
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={"package obsqa": "1"},
    )
    return Night(context, ("obs_testcam",), fresh=True, needs=needs), engine


def test_only_the_stages_that_checks_need_are_planned(tmp_path: Path) -> None:
    """A camera whose checks read headers is drawn and no more; one without checks takes no part, and why is said."""
    night, _ = a_night(tmp_path, needs={"testcam": Stage.DRAW})
    plan = night.record().plan
    assert [step.key for step in plan.steps] == ["testcam/twin-quick/draw"]
    assert [(one.camera, one.reason) for one in plan.not_run] == [("other", NOT_ASKED)]
    assert plan.trigger.packages == ("obs_testcam",)


def test_what_the_budget_leaves_out_is_named(tmp_path: Path) -> None:
    """A camera that does not fit is in the plan as not run, with that reason."""
    night, _ = a_night(tmp_path, needs={"testcam": None})
    night.left_out = {"other": "does not fit the budget of 10 min"}
    assert [one.reason for one in night.record().plan.not_run] == ["does not fit the budget of 10 min"]


def test_steps_are_carried_out_when_a_check_asks_and_once(tmp_path: Path) -> None:
    """The first check pays for a stage; the next finds it done."""
    night, engine = a_night(tmp_path, needs={"testcam": Stage.MEASURE})
    assert engine.ran == []
    night.reach("testcam", Stage.INGEST)
    assert engine.ran == ["testcam/twin-quick/draw", "testcam/twin-quick/ingest"]
    night.reach("testcam", Stage.MEASURE)
    night.reach("testcam", Stage.DRAW)
    assert engine.ran == [f"testcam/twin-quick/{stage}" for stage in Stage]


def test_a_failed_step_is_not_tried_for_every_check(tmp_path: Path) -> None:
    """It is told to each check that needs it, and carried out once."""
    night, engine = a_night(tmp_path, {"testcam/twin-quick/calibrations": FAILED}, needs={"testcam": Stage.MEASURE})
    for _ in range(3):
        with pytest.raises(NotReachedError, match="calibrations failed: it broke"):
            night.reach("testcam", Stage.MEASURE)
    assert engine.ran.count("testcam/twin-quick/calibrations") == 1


def test_a_cut_off_run_is_continued_and_its_failure_tried_again(tmp_path: Path) -> None:
    """The next session takes up what the last one did not finish, and gives a failed step another chance."""
    night, _ = a_night(tmp_path, {"testcam/twin-quick/calibrations": FAILED}, needs={"testcam": Stage.MEASURE})
    with pytest.raises(NotReachedError):
        night.reach("testcam", Stage.MEASURE)
    again, engine = a_night(tmp_path, needs={"testcam": Stage.MEASURE})
    again.fresh = False
    again.reach("testcam", Stage.MEASURE)
    assert again.folder == night.folder
    assert engine.ran == [f"testcam/twin-quick/{stage}" for stage in list(Stage)[2:]]


def test_metrics_are_judged_as_a_night_judges_them(tmp_path: Path) -> None:
    """The verdict that a check repeats is the run's."""
    night, _ = a_night(tmp_path, needs={"testcam": Stage.MEASURE})
    scope = Scope("testcam", "twin-quick", "r", 0)
    assert night.judged("testcam")["PA1", scope].change is Change.NEW
    assert night.unjudged("testcam") == ""
    record = night.finish()
    held = {(one.metric, one.scope): one for one in record.comparisons if one.scope.camera == "testcam"}
    assert held == night.judged("testcam")


def test_a_speed_becomes_part_of_the_run_and_owes_nothing(tmp_path: Path) -> None:
    """It is measured, judged and remembered beside the metrics, and no other metric is missed in its data set."""
    night, _ = a_night(tmp_path, needs={"testcam": Stage.MEASURE})
    speeds = [Measurement(METRIC, Scope("testcam", DATASET, task=task), 2.0, "", 15, 0.1) for task in ("isr", "coadd")]
    assert [night.judge_speed(one).status for one in speeds] == [Status.PASS, Status.PASS]
    night.reach("testcam", Stage.MEASURE)
    record = night.finish()
    assert [one for one in record.results if one.metric == METRIC] == speeds
    own = [one for one in record.comparisons if one.scope.dataset == DATASET]
    assert [one.result for one in own] == sorted(speeds, key=lambda one: str(one.scope))


@pytest.mark.parametrize(
    ("ratio", "status"),
    [(2.0, Status.PASS), (2.8, Status.PASS), (3.2, Status.WARN), (3.6, Status.FAIL), (0.5, Status.PASS)],
)
def test_an_algorithm_that_became_much_slower_fails(tmp_path: Path, ratio: float, status: Status) -> None:
    """By half it warns, and less is what processors differ by; what was accepted and not timed is not missed."""
    known = [
        {"metric": METRIC, "band": None, "tract": None, "task": task, "value": 2.0, "unit": ""}
        | {"stderr": 0.02, "tolerance": 0.3, "run": "r"}
        for task in ("coadd", "isr")
    ]
    path = tmp_path / "baselines" / "testcam" / f"{DATASET}.json"
    path.parent.mkdir(parents=True)
    head = {"document": "baselines", "schema": 1, "camera": "testcam", "dataset": DATASET}
    path.write_text(json.dumps({**head, "accepted": known}))
    night, _ = a_night(tmp_path, needs={"testcam": Stage.CALIBRATIONS})
    night.reach("testcam", Stage.CALIBRATIONS)
    speed = Measurement(METRIC, Scope("testcam", DATASET, task="isr"), ratio, "", 15, 0.02)
    assert night.judge_speed(speed).status is status
    night.note(PASSED)
    record = night.finish()
    assert [one.status for one in record.comparisons if one.scope.dataset == DATASET] == [status]
    assert record.exit_code == int(status is Status.FAIL)


def test_a_run_that_is_only_checked_passes_and_has_a_report(tmp_path: Path) -> None:
    """Checks without data make a run of their own, with JUnit XML and Markdown that tell of them."""
    night, engine = a_night(tmp_path, needs={"testcam": None})
    night.note(PASSED)
    assert night.finish().exit_code == 0
    assert engine.ran == []
    report = night.folder / "report"
    assert 'classname="testcam.checks" name="filters_map_to_bands"' in (report / "junit.xml").read_text()
    text = (report / "summary.md").read_text()
    assert text.startswith("# PASS: Testcam passes.")
    assert "Changed: `obs_testcam`." in text
    assert "Checks: 1 passed." in text
    assert "Other" not in text


def test_a_failed_check_fails_the_run_and_is_told_everywhere(tmp_path: Path) -> None:
    """Exit code, headline, Markdown, JUnit XML and the camera's page say the same."""
    night, _ = a_night(tmp_path, needs={"testcam": None})
    night.note(CheckOutcome("testcam", "headers_translate", CheckStatus.FAILED, 0.5, "no card <DATE-OBS>"))
    assert night.finish().exit_code == 1
    report = night.folder / "report"
    text = (report / "summary.md").read_text()
    assert text.startswith("# FAIL: Testcam was the only camera to run; Testcam fails the check headers")
    assert "- Testcam headers\\_translate: no card &lt;DATE-OBS&gt;" in text
    assert '<failure message="no card &lt;DATE-OBS&gt;" />' in (report / "junit.xml").read_text()
    assert "no card &lt;DATE-OBS&gt;" in (report / "cameras" / "testcam.html").read_text()


def test_the_past_tells_of_failures_and_durations(tmp_path: Path) -> None:
    """Checks and metrics of earlier commits, the latest first, and what the stages took; a damaged run says nothing."""
    for status in (CheckStatus.FAILED, CheckStatus.PASSED):  # the second run is the later one
        night, _ = a_night(tmp_path, needs={"testcam": Stage.MEASURE})
        night.note(replace(PASSED, status=status, seconds=3.0))
        night.reach("testcam", Stage.MEASURE)
        night.finish()
    damaged = tmp_path / "runs" / "29990101T000000Z" / "journal.jsonl"
    damaged.parent.mkdir()
    damaged.write_text("no journal\n")
    past = past_of(tmp_path / "runs")
    assert past.failed["testcam", PASSED.name] == [False, True]
    assert past.failed["testcam", metric_name("PA1", Scope("testcam", "twin-quick", "r", 0))] == [False, False]
    assert past.check_seconds("testcam", PASSED.name, default=1.0) == 3.0
    assert past.check_seconds("testcam", "never made", default=1.0) == 1.0
    assert past.stage_seconds()["testcam", Stage.MEASURE] == 2.0


def test_a_camera_without_a_small_twin_is_told() -> None:
    """What reads a twin's files says so where there is none."""
    with pytest.raises(NoTwinError, match="testcam has no twin"):
        small_twin(a_camera(datasets=False))
    assert small_twin(a_camera()).name == "twin-quick"
