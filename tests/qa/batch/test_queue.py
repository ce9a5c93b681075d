from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from obs_registry.model import BatchService
from qa.batch import queue
from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_where_slurm_is_not_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program is needed, none was found, and what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="needs the program squeue on PATH, found none; submit from where it is"):
        queue.cancel(BatchService.SLURM, "hsc-twin", tmp_path)
    assert "squeue" in queue.in_words(BatchService.SLURM, "hsc-twin")


def test_a_batch_system_that_does_not_answer_is_told_in_its_words(tmp_path: Path, program: Callable[..., None]) -> None:
    """The last line of what its program says."""
    program("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(EngineError, match="does not answer: slurm_load_jobs error: Unable to contact slurm controller"):
        queue.cancel(BatchService.SLURM, "hsc-twin", tmp_path)


def test_a_batch_system_that_hangs_is_not_waited_for(
    tmp_path: Path, program: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer has a deadline."""
    program("squeue", "exec sleep 60")
    monkeypatch.setattr(queue, "ANSWER_SECONDS", 0.2)
    with pytest.raises(EngineError, match=r"squeue took longer than 0\.2 s"):
        queue.cancel(BatchService.SLURM, "hsc-twin", tmp_path)


def test_jobs_that_do_not_go_are_told(
    tmp_path: Path, program: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two submissions of one run would write the same files: the second does not begin."""
    program("squeue", "echo 4711")
    program("scancel", "true")
    monkeypatch.setattr(queue, "GONE_SECONDS", 0.0)
    with pytest.raises(EngineError, match=r"has not ended job 4711 of obsqa\.hsc-twin"):
        queue.cancel(BatchService.SLURM, "hsc-twin", tmp_path)


def test_what_htcondor_was_given_is_cancelled_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id lies in the folder of the submission as long as it runs."""
    pytest.importorskip("lsst.ctrl.bps")
    asked: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(queue.subprocess, "run", run)
    (tmp_path / "001").mkdir()
    (tmp_path / "001" / queue.RUN_ID).write_text("4711.0\n")
    queue.cancel(BatchService.HTCONDOR, "hsc-twin", tmp_path)
    queue.cancel(BatchService.HTCONDOR, "hsc-twin", tmp_path)
    ((_, *arguments),) = asked
    service = "lsst.ctrl.bps.htcondor.HTCondorService"
    assert arguments == ["cancel", "--wms-service-class", service, "--id", "4711.0"]


def test_on_this_machine_nothing_is_left_to_cancel(tmp_path: Path) -> None:
    """What runs here ends with the process that began it."""
    queue.cancel(BatchService.PARSL, "hsc-twin", tmp_path)
    assert queue.in_words(BatchService.PARSL, "hsc-twin") == ""


def test_the_queue_says_why_a_job_waits(program: Callable[..., None]) -> None:
    """State and reason, each once."""
    program("squeue", "printf 'PENDING PartitionTimeLimit\\nPENDING PartitionTimeLimit\\n'")
    assert queue.in_words(BatchService.SLURM, "x") == "the queue says PENDING PartitionTimeLimit"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that puts a program of some name on PATH, before all others."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    def put(name: str, script: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return put
