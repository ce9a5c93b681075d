from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from qa.engines import stages
from qa.engines.base import Job
from qa.engines.local import LocalEngine
from qa.engines.stages import Produced
from qa.engines.worker import work
from qa.errors import EngineError
from qa.model import Stage, Step, StepStatus
from qa.testing import a_camera, a_measurement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from qa.engines.base import StepReport


def a_job(folder: Path) -> Job:
    """Build a drawing job in a folder of its own."""
    camera = a_camera()
    (folder / "work").mkdir()
    return Job(Step("testcam", "twin", Stage.DRAW), camera, camera.datasets[0], folder / "work", folder, folder)


def run_stage(
    stage: Callable[[Job, stages.Tick], Produced],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    timeout: float = 60.0,
) -> tuple[StepReport, list[tuple[int, int]]]:
    """Run a stage of our own in a real child process, forked so that the child sees it."""
    import multiprocessing

    monkeypatch.setitem(stages.STAGES, Stage.DRAW, stage)
    ticks: list[tuple[int, int]] = []
    engine = LocalEngine(timeout, multiprocessing.get_context("fork"))  # type: ignore[arg-type]
    report = engine.run(a_job(folder), lambda _, done, total: ticks.append((done, total)))
    return report, ticks


def test_a_step_reports_results_progress_and_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process tells how far it is, what came of it and what it cost."""

    def stage(job: Job, tick: stages.Tick) -> Produced:
        print("a line for the log")  # noqa: T201 - stdout goes to the log
        tick(1, 2)
        return Produced("fine", (a_measurement(),), (f"caveat of {job.step.camera}",))

    report, ticks = run_stage(stage, tmp_path, monkeypatch)
    assert ticks == [(1, 2)]
    assert report.results == (a_measurement(),)
    assert report.outcome.status is StepStatus.CAVEATS
    assert report.outcome.message == "fine"
    assert report.outcome.peak_mib > 1
    assert "a line for the log" in (tmp_path / "work" / "logs" / "draw.log").read_text()


def test_an_expected_failure_is_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome carries the one line that says what was required and found."""

    def stage(job: Job, tick: stages.Tick) -> Produced:
        text = "bias for detector 3 must be valid on 2026-03-01, found none"
        raise EngineError(text)

    report, _ = run_stage(stage, tmp_path, monkeypatch)
    assert report.outcome.status is StepStatus.FAILED
    assert report.outcome.message == "bias for detector 3 must be valid on 2026-03-01, found none"


def test_a_bug_fails_the_step_and_leaves_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error ends its step, not the night; the log says where."""

    def stage(job: Job, tick: stages.Tick) -> Produced:
        raise ZeroDivisionError("oh")  # noqa: EM101 - a bug does not word itself

    report, _ = run_stage(stage, tmp_path, monkeypatch)
    assert report.outcome.message == "ZeroDivisionError: oh"
    assert "Traceback" in (tmp_path / "work" / "logs" / "draw.log").read_text()


def test_a_killed_process_is_a_failed_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step whose process is killed, as by the kernel without memory, fails with that reason."""

    def stage(job: Job, tick: stages.Tick) -> Produced:
        os.kill(os.getpid(), signal.SIGKILL)
        return Produced()

    report, _ = run_stage(stage, tmp_path, monkeypatch)
    assert report.outcome.status is StepStatus.FAILED
    assert "ended by SIGKILL; was the machine out of memory?" in report.outcome.message


def test_a_step_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging step does not hang the night."""

    def stage(job: Job, tick: stages.Tick) -> Produced:
        time.sleep(60)
        return Produced()

    report, _ = run_stage(stage, tmp_path, monkeypatch, timeout=0.2)
    assert "took longer than 0.2 s" in report.outcome.message


def test_the_childs_entry_can_be_found_by_name() -> None:
    """The fork server imports the worker's entry by its name."""
    assert work.__module__ == "qa.engines.worker"


def test_data_left_out_are_told_in_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that left data out says what first, and how much more there is."""

    def stage(job: Job, tick: stages.Tick) -> Produced:
        return Produced(caveats=("detector 3 left out: no bias", "detector 4 left out: no bias"))

    report, _ = run_stage(stage, tmp_path, monkeypatch)
    assert report.outcome.message == "detector 3 left out: no bias (and 1 more)"


def test_a_full_disk_is_named_however_a_library_words_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure on a disk without space begins with the disk, on one line."""

    def stage(job: Job, tick: stages.Tick) -> Produced:
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**19))
        text = "Failed to serialize\nsomething"
        raise RuntimeError(text)

    report, _ = run_stage(stage, tmp_path, monkeypatch)
    message = report.outcome.message
    assert message.startswith(f"disk full (0.5 MiB left in {tmp_path / 'work'}), free some or choose another folder")
    assert message.endswith("it failed with: RuntimeError: Failed to serialize something")


def test_a_step_that_is_no_longer_wanted_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night that is told to end does not wait for its steps."""
    import multiprocessing

    def stage(job: Job, tick: stages.Tick) -> Produced:
        time.sleep(60)
        return Produced()

    monkeypatch.setitem(stages.STAGES, Stage.DRAW, stage)
    engine = LocalEngine(context=multiprocessing.get_context("fork"))  # type: ignore[arg-type]
    engine.stop.set()
    began = time.monotonic()
    assert engine.run(a_job(tmp_path), lambda *_: None).outcome.status is StepStatus.FAILED
    assert time.monotonic() - began < 10
