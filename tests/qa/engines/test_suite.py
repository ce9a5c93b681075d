from __future__ import annotations

import contextlib
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from obs_registry.model import Lane, Runtime, Suite
from qa.engines.base import Job, StepReport
from qa.engines.commands import Command, Exit
from qa.engines.suite import SuiteEngine
from qa.model import Measurement, Stage, Step, StepStatus
from qa.testing import a_camera

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

GOOD = '<testsuite><testcase name="a"/></testsuite>'
BAD = '<testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>'


@dataclass
class Recorded:
    """A runner that leaves a report and ends as it is told."""

    report: str
    ends: Exit = field(default_factory=lambda: Exit(0, ""))
    ran: list[Command] = field(default_factory=list)

    def run(self, command: Command, *, stop: Event, line: object = None) -> Exit:
        """Leave the report."""
        self.ran.append(command)
        if self.report:
            (command.folder / "junit.xml").write_text(self.report)
        return self.ends


def _job(folder: Path, stage: Stage, runtime: Runtime | None = None, **suite: Any) -> Job:
    dataset = Suite(name="queries", lane=Lane.NIGHTLY, **{"command": ("true",), "results": ("*.xml",), **suite})
    camera = a_camera("archive").model_copy(update={"datasets": (dataset,), "runtime": runtime or Runtime()})
    folder.mkdir(exist_ok=True)
    return Job(Step("archive", "queries", stage), camera, dataset, folder, folder, folder)


def _run(engine: SuiteEngine, job: Job) -> StepReport:
    return engine.run(job, lambda _step, _done, _total: None)


def test_a_suite_is_run_and_measured(tmp_path: Path) -> None:
    """By a real command, in an empty folder of its own, with the path of its source where it asks for it."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "run.py").write_text(
        f"import os; print('cwd', os.listdir()); open('junit.xml', 'w').write({BAD!r}); raise SystemExit(1)"
    )
    more = {"source": str(source), "command": (sys.executable, "{source}/run.py")}
    left = tmp_path / "run" / "work" / "left.xml"
    left.parent.mkdir(parents=True)
    left.write_text(GOOD)
    tested = _run(SuiteEngine(), _job(tmp_path / "run", Stage.PROCESS, **more))
    assert tested.outcome.status is StepStatus.DONE, tested.outcome.message
    assert tested.outcome.message == "the command ended with exit code 1, with 1 of 2 tests failed: b: no"
    assert tested.outcome.cpu_seconds > 0
    assert "cwd []" in (tmp_path / "run" / "logs" / "process.log").read_text()
    measured = _run(SuiteEngine(), _job(tmp_path / "run", Stage.MEASURE, **more))
    assert measured.outcome.message == "1 of 2 tests failed: b: no"
    values = {one.metric: one.value for one in measured.results if isinstance(one, Measurement)}
    assert (values["tests_run"], values["tests_failed"]) == (2, 1)
    assert len(measured.definitions) == 4
    assert (tmp_path / "run" / "measurements.json").is_file()


@pytest.mark.parametrize(
    ("report", "ends", "told"),
    [
        ("", Exit(0, ""), r"must leave files named \*\.xml in .*, found none"),
        ("", Exit(2, "ended with exit code 2"), r"the command ended with exit code 2: the suite must leave files"),
        (GOOD, Exit(3, "ended with exit code 3"), "ended with exit code 3 though no test of its reports failed"),
        (BAD, Exit(-9, "killed by SIGKILL"), "^killed by SIGKILL$"),
        (BAD, Exit(1, "took longer than 5 s and was ended"), "^took longer than 5 s and was ended$"),
        (BAD, Exit(1, "out of memory"), "^out of memory$"),
        (BAD, Exit(127, "pytest was not found (exit code 127)"), "^pytest was not found"),
        (BAD[:50], Exit(1, "ended with exit code 1"), "must be JUnit XML"),
    ],
)
def test_a_suite_that_did_not_come_to_its_end_fails(tmp_path: Path, report: str, ends: Exit, told: str) -> None:
    """What it left may be half of it: no number of it counts."""
    engine = SuiteEngine(runner=lambda _runtime: Recorded(report, ends))
    outcome = _run(engine, _job(tmp_path, Stage.PROCESS)).outcome
    assert outcome.status is StepStatus.FAILED
    assert re.search(told, outcome.message), outcome.message
    assert "\n" not in outcome.message


def test_a_command_has_the_time_and_the_sources_of_its_entry(tmp_path: Path) -> None:
    """And nothing else to read."""
    recorded = Recorded(GOOD)
    job = _job(tmp_path / "run", Stage.PROCESS, source=str(tmp_path), command=("x", "{source}/y"))
    assert _run(SuiteEngine(runner=lambda _runtime: recorded), job).outcome.status is StepStatus.DONE
    (command,) = recorded.ran
    assert command.argv == ("x", f"{tmp_path}/y")
    assert command.reads == (tmp_path,)
    assert command.timeout == 4 * 3600


def test_a_source_that_is_not_there_and_a_step_of_another_kind_are_told(tmp_path: Path) -> None:
    """As failed steps, in one line."""
    lost = _run(SuiteEngine(), _job(tmp_path, Stage.PROCESS, source=str(tmp_path / "gone")))
    assert "must be a folder, found none" in lost.outcome.message
    assert "found archive/queries/draw" in _run(SuiteEngine(), _job(tmp_path, Stage.DRAW)).outcome.message


def test_a_bug_in_reading_is_a_failed_step_with_a_traceback_in_the_log(tmp_path: Path) -> None:
    """One service ends no night."""

    def broken(_runtime: Runtime) -> Recorded:
        raise ZeroDivisionError

    outcome = _run(SuiteEngine(runner=broken), _job(tmp_path, Stage.PROCESS)).outcome
    assert (outcome.status, outcome.message) == (StepStatus.FAILED, "ZeroDivisionError:")
    assert "Traceback" in (tmp_path / "logs" / "process.log").read_text()


def test_a_suite_runs_in_a_container(tmp_path: Path, docker_engine: Any, give_tools: Callable[[Any], str]) -> None:
    """With its source to read, and its reports owned by who asked."""
    from qa.engines.container import ContainerRunner
    from qa.engines.docker_client import connect

    with contextlib.closing(connect()) as client:
        runtime = Runtime(image=give_tools(client))
    source = tmp_path / "source"
    source.mkdir()
    (source / "run.sh").write_text(f"id -u; echo '{GOOD}' >junit.xml")
    more = {"source": str(source), "command": ("sh", "{source}/run.sh")}
    runner = ContainerRunner.of(runtime)
    tested = _run(SuiteEngine(runner=lambda _runtime: runner), _job(tmp_path / "run", Stage.PROCESS, runtime, **more))
    assert tested.outcome.status is StepStatus.DONE, tested.outcome.message
    measured = _run(SuiteEngine(), _job(tmp_path / "run", Stage.MEASURE, runtime, **more))
    assert measured.outcome.message == "1 tests, none failed"
