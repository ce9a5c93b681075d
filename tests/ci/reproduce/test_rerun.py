"""Reruns over an engine that replays: what is asked of it, and what its answer is taken for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
import yaml

from ci import lanes
from ci.console import LineConsole
from ci.lanes import Context
from ci.reproduce import contents
from ci.reproduce import rerun as module
from ci.reproduce.rerun import rerun
from ci.verbs.reproduce import _exit_code
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.model import Stage, Step, StepOutcome, StepStatus, Unmeasured
from qa.testing import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ci.settings import Settings
    from obs_registry.model import Camera
    from qa.engines.base import Job, Progress
    from qa.model import Result
    from qa.provenance.reproduction import Answer, Reproduction


class NotingEngine(RecordedEngine):
    """An engine that keeps the jobs it was given, and reads their recipes as long as they are there."""

    jobs: list[Job]
    recipes: list[dict[str, object]]

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Keep the job."""
        self.jobs.append(job)
        self.recipes.append(yaml.safe_load((job.recipes / "skies" / "hsc-quick.yaml").read_text()))
        return super().run(job, progress)


def report(stage: Stage, *results: Result, status: StepStatus = StepStatus.DONE, message: str = "") -> StepReport:
    """Build what a step reports."""
    return StepReport(StepOutcome(Step("hsc", "twin-quick", stage), status, 1.0, 2.0, 1.0, message), results)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> NotingEngine:
    """Put an engine in the place of all others."""
    used = NotingEngine({})
    used.jobs, used.recipes = [], []

    def make_context(settings: Settings, _asked: object, *, jobs: int | None) -> Context:
        return Context(settings, (), used, None, Clock(), LineConsole(), {}, jobs=jobs or 1)

    monkeypatch.setattr(module, "make_context", make_context)
    return used


@pytest.fixture
def asked(
    tmp_path: Path, what: Reproduction, hsc: Camera, recipes: Path, engine: NotingEngine
) -> Callable[..., Answer]:
    """Return what packs a value with changes, and reruns it over an engine that reports some result."""

    def rerun_with(*results: StepReport, **changes: object) -> Answer:
        engine.reports = {one.outcome.step.key: one for one in results}
        folder = tmp_path / "made"
        folder.mkdir()
        one = replace(what, **changes)
        contents.seal(folder, contents.write(folder, one, hsc, recipes))
        return rerun(folder, tmp_path / "work", trust=False)

    return rerun_with


def test_a_value_that_comes_out_again_is_the_same(
    asked: Callable[..., Answer], what: Reproduction, engine: NotingEngine, tmp_path: Path
) -> None:
    """All stages are carried out once, in the folder for the work, with a cache of its own."""
    found = asked(report(Stage.MEASURE, what.expected))
    assert found.same
    assert (found.cpu_seconds, _exit_code(found)) == (2.0, 0)
    assert [job.step.stage for job in engine.jobs] == list(Stage)
    assert {job.cache for job in engine.jobs} == {tmp_path / "work" / "cache"}
    assert all(job.folder.is_relative_to(tmp_path / "work") for job in engine.jobs)
    assert all("only" not in one for one in engine.recipes)


def test_only_the_exposures_that_are_asked_for_are_drawn(
    asked: Callable[..., Answer], what: Reproduction, engine: NotingEngine
) -> None:
    """The recipe is the same but for their list; the facts are those of the whole."""
    found = asked(
        report(Stage.MEASURE, what.expected), exposures=(136800, 137000), calibrations_as_of=date(2018, 1, 18)
    )
    assert {tuple(one["only"]) for one in engine.recipes} == {(136800, 137000)}  # type: ignore[arg-type]
    assert {job.calibrations_as_of for job in engine.jobs} == {date(2018, 1, 18)}
    assert found.same
    data = [one.after for one in found.changed if one.fact == "data hsc/twin-quick"]
    assert len(data) == 1


def test_another_value_is_a_difference(asked: Callable[..., Answer], what: Reproduction) -> None:
    """Exit code 1."""
    found = asked(report(Stage.MEASURE, replace(what.expected, value=1.5)))
    assert (found.same, found.difference, _exit_code(found)) == (False, 0.25, 1)


def test_what_could_not_be_measured_has_its_reason(asked: Callable[..., Answer], what: Reproduction) -> None:
    """Which is an answer."""
    found = asked(report(Stage.MEASURE, Unmeasured("PA1", what.expected.scope, "too few stars")))
    assert (found.found, found.reason, _exit_code(found)) == (None, "too few stars", 1)


def test_a_rerun_that_failed_is_no_answer(asked: Callable[..., Answer]) -> None:
    """The line names the step and what it said; exit code 3."""
    found = asked(report(Stage.PROCESS, status=StepStatus.FAILED, message="it broke"))
    assert (found.reason, found.failed, _exit_code(found)) == ("process failed: it broke", True, 3)


def test_what_a_stack_has_set_up_is_compared(
    asked: Callable[..., Answer], what: Reproduction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the run's own facts had it: what is found out when a run begins is not missing."""
    monkeypatch.setattr(lanes, "stack_facts", lambda *_: {"package afw@hsc": "g2", "package base@hsc": "g1"})
    facts = {**what.facts, "package afw@hsc": "g1", "package base@hsc": "g1"}
    found = asked(report(Stage.MEASURE, what.expected), facts=facts)
    of_stack = [(one.fact, one.before, one.after) for one in found.changed if one.fact.endswith("@hsc")]
    assert of_stack == [("package afw@hsc", "g1", "g2")]
