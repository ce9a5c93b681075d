from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from obs_registry.model import Runtime, Stored
from qa.engines.base import Job, StepReport
from qa.engines.commands import Exit
from qa.engines.stack import StackEngine
from qa.model import Measurement, Stage, Step, StepStatus
from qa.testing import a_camera

if TYPE_CHECKING:
    from threading import Event

    from qa.engines.commands import Command, Line

ENTRY: dict[str, Any] = {
    "name": "ci",
    "kind": "butler",
    "lane": "nightly",
    "bands": ["r"],
    "repository": "$CI_DIR/DATA",
    "collections": ["HSC/defaults"],
    "pipeline": "/p.yaml",
    "bundles": ["*_metrics"],
}
LOOKED = {"repository": "/ci/DATA", "pipeline": "/p.yaml", "collections": ["HSC/defaults"], "queries": [None]}
BUNDLE = {"sky": [{"metric": "depth", "value": 26.0, "unit": "mag"}], "__reference_package": "analysis_tools"}


@dataclass
class Stack:
    """Stands for the environment of a stack: what it answers, and what was asked of it."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    quanta: tuple[str, ...] = ("success",)
    asked: list[dict[str, Any]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    breaks: Exception | None = None

    def run(self, command: Command, *, stop: Event, line: Line = print) -> Exit:
        """Answer a question, or process."""
        if self.breaks is not None:
            raise self.breaks
        self.commands.append(command)
        if command.argv[0] == "pipetask":
            reports = [{"status": one, "taskLabel": "isr", "dataId": {"visit": 1}} for one in self.quanta]
            summary = Path(command.argv[command.argv.index("--summary") + 1])
            summary.write_text(json.dumps({"quantaReports": reports}))
            failed = "failure" in self.quanta
            return Exit(int(failed), "ended with exit code 1" if failed else "", cpu_seconds=5.0, peak_mib=200.0)
        request = json.loads(Path(command.argv[2]).read_text())
        self.asked.append(request)
        begun = [name for name in request.get("runs", ()) if any(name in one.argv for one in self.commands[:-1])]
        answer = self.answers.get(request["task"], LOOKED | {"begun": begun})
        Path(command.argv[3]).write_text(json.dumps(answer))
        return Exit(0, "", cpu_seconds=1.0, peak_mib=50.0)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Return an environment whose repository holds one bundle."""
    path = tmp_path / "fetched.json"
    path.write_text(json.dumps(BUNDLE))
    found = [{"type": "a_metrics", "data_id": {"band": "r", "tract": 1}, "file": str(path)}]
    return Stack({"harvest": {"types": ["a_metrics"], "found": found}})


def carry_out(stack: Stack, folder: Path, stage: Stage, **more: Any) -> StepReport:
    """Carry out one stage."""
    dataset = Stored.model_validate(ENTRY)
    camera = a_camera().model_copy(update={"datasets": (dataset,), "runtime": Runtime()})
    job = Job(Step("testcam", "ci", stage), camera, dataset, folder, folder, folder, **more)
    return StackEngine(runner=lambda _runtime: stack).run(job, lambda *_: None)


def test_a_data_set_is_processed_into_a_collection_of_its_own(stack: Stack, tmp_path: Path) -> None:
    """Named after camera, data set and time; what it cost is the sum of its commands."""
    report = carry_out(stack, tmp_path, Stage.PROCESS)
    assert report.outcome.status is StepStatus.DONE
    (run,) = stack.asked[0]["runs"]
    assert run.startswith("u/obsqa/testcam/ci/2")
    assert report.outcome.message == f"1 quantum done, outputs in {run} of /ci/DATA"
    assert (report.outcome.cpu_seconds, report.outcome.peak_mib) == (6.0, 200.0)


def test_a_second_attempt_goes_into_the_same_collection(stack: Stack, tmp_path: Path) -> None:
    """And one in another folder into another."""
    for _ in range(2):
        carry_out(stack, tmp_path, Stage.PROCESS)
    other = tmp_path / "other"
    other.mkdir()
    carry_out(stack, other, Stage.PROCESS)
    first, again, elsewhere = [one["runs"] for one in stack.asked]
    assert first == again != elsewhere
    assert ["--extend-run" in one.argv for one in stack.commands if one.argv[0] == "pipetask"] == [False, True, False]


def test_bundles_become_results_with_their_definitions(stack: Stack, tmp_path: Path) -> None:
    """They are asked for in the collections that the processing made."""
    carry_out(stack, tmp_path, Stage.PROCESS)
    report = carry_out(stack, tmp_path, Stage.MEASURE)
    assert report.outcome.message == "1 bundle, 1 result"
    (one,) = report.results
    assert isinstance(one, Measurement)
    assert (one.metric, one.scope.tract, one.value) == ("analysis_tools.sky_depth", 1, 26.0)
    assert [one.name for one in report.definitions] == ["analysis_tools.sky_depth"]
    assert stack.asked[1]["repository"] == "/ci/DATA"
    assert stack.asked[1]["runs"] == stack.asked[0]["runs"]
    assert (tmp_path / "measurements.json").is_file()


def test_failed_quanta_are_caveats_of_both_steps(stack: Stack, tmp_path: Path) -> None:
    """The night's page tells them with what was measured nevertheless."""
    stack.quanta = ("success", "failure")
    processed = carry_out(stack, tmp_path, Stage.PROCESS)
    assert processed.outcome.status is StepStatus.CAVEATS
    assert processed.caveats == ("isr visit 1: failure",)
    assert carry_out(stack, tmp_path, Stage.MEASURE).caveats == ("isr visit 1: failure",)


def test_no_bundle_names_what_went_wrong_before(stack: Stack, tmp_path: Path) -> None:
    """The first quantum that failed is the likely reason."""
    stack.quanta = ("success", "failure")
    stack.answers["harvest"] = {"types": ["a_metrics"], "found": []}
    carry_out(stack, tmp_path, Stage.PROCESS)
    report = carry_out(stack, tmp_path, Stage.MEASURE)
    assert report.outcome.status is StepStatus.FAILED
    assert "found dataset types a_metrics without data; isr visit 1: failure" in report.outcome.message


def test_what_the_stack_finds_wrong_is_the_message(stack: Stack, tmp_path: Path) -> None:
    """As it is, in one line."""
    stack.answers["look"] = {"fault": "the repository must be there, found nothing at /ci/DATA"}
    report = carry_out(stack, tmp_path, Stage.PROCESS)
    assert report.outcome.status is StepStatus.FAILED
    assert report.outcome.message == "the repository must be there, found nothing at /ci/DATA"


def test_calibrations_as_of_a_day_are_asked_for(stack: Stack, tmp_path: Path) -> None:
    """Of the collections that the entry names; the pipeline takes what the environment answers."""
    stack.answers["dated"] = {"collections": ["dated"], "caveats": ["no flat then"]}
    report = carry_out(stack, tmp_path, Stage.PROCESS, calibrations_as_of=date(2026, 1, 1))
    assert report.caveats == ("no flat then",)
    output = stack.asked[0]["runs"][0]
    asked = {"repository": "/ci/DATA", "collections": ["HSC/defaults"], "day": "2026-01-01", "task": "dated"}
    assert stack.asked[1] == asked | {"into": f"{output}/calibrations-as-of-2026-01-01"}
    argv = stack.commands[-1].argv
    assert argv[argv.index("--input") + 1] == "dated"


def test_a_bug_is_a_failed_step_with_its_traceback_in_the_log(stack: Stack, tmp_path: Path) -> None:
    """One camera's trouble never ends the night."""
    stack.breaks = ZeroDivisionError("two\nlines")
    report = carry_out(stack, tmp_path, Stage.PROCESS)
    assert report.outcome.message == "ZeroDivisionError: two lines"
    assert "Traceback" in Path(report.outcome.log).read_text()


@pytest.mark.parametrize("stage", [Stage.DRAW, Stage.INGEST, Stage.CALIBRATIONS])
def test_other_stages_are_not_of_the_stack(stack: Stack, tmp_path: Path, stage: Stage) -> None:
    """There is nothing to draw, to ingest or to calibrate."""
    assert "must process or measure" in carry_out(stack, tmp_path, stage).outcome.message
