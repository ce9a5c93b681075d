from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from qa.batch.ends import End, Listener, read_end, read_ends

if TYPE_CHECKING:
    from pathlib import Path

WELL = "obsqa: exit 0\n0m0.003s 0m0.001s\n1m5.573s 0m0.665s\n"
PARSL = "INFO 2026-11-23T06:59:21.246+00:00 parsl.dataflow.dflow ()(dflow.py:539) - "


def test_a_job_tells_its_exit_code_and_its_cpu_time() -> None:
    """As bash's `times` writes them: shell and children, user and system."""
    end = read_end(WELL, "INFO all is well\n")
    assert (end.code, round(end.cpu_seconds, 3)) == (0, 66.242)


def test_a_job_that_failed_is_worded_with_its_last_line() -> None:
    """That is where Python says what was wrong."""
    end = read_end("obsqa: exit 1\n", "Traceback\n  File x\nModuleNotFoundError: No module named 'qa'\n\n")
    assert str(end) == "ended with exit code 1: ModuleNotFoundError: No module named 'qa'"


def test_a_job_that_tells_nothing_was_killed() -> None:
    """Bash had no time to say how it ended."""
    assert str(read_end("", "INFO begun")) == "was killed or lost its machine"


def test_jobs_are_found_by_their_names(tmp_path: Path) -> None:
    """Wherever BPS puts their output; what Parsl itself leaves is no job."""
    (tmp_path / "submit" / "logs" / "isr" / "r").mkdir(parents=True)
    (tmp_path / "submit" / "logs" / "isr" / "r" / "isr_00001.stdout").write_text(WELL)
    (tmp_path / "runinfo").mkdir()
    (tmp_path / "runinfo" / "block.stdout").write_text("Found cores: 2")
    assert {name: end.code for name, end in read_ends(tmp_path).items()} == {"isr_00001": 0}


@given(st.text(), st.text())
def test_whatever_jobs_print_is_read(output: str, errors: str) -> None:
    """Nothing in it is an error of ours."""
    assert read_end(output, errors).cpu_seconds >= 0.0
    assert isinstance(str(End(None)), str)


def test_each_job_that_is_over_is_progress_once() -> None:
    """Also one that failed, or could not begin because another one failed."""
    told: list[tuple[int, int]] = []
    listener = Listener(4, lambda done, total: told.append((done, total)))
    for line in (
        "Task 3 submitted for App isr, not waiting on any dependency",
        "Task 3 completed (launched -> exec_done)",
        "Task 3 completed (launched -> exec_done)",
        "Task 1 failed after 0 retry attempts",
        "Task 2 failed due to dependency failure",
    ):
        listener(PARSL + line)
    assert told == [(1, 4), (1, 4), (2, 4), (3, 4)]


def test_the_fault_is_what_the_batch_system_said_last() -> None:
    """Slurm's own words come before an exception of who heard them, and that before lines of a log."""
    listener = Listener(1, lambda _done, _total: None)
    lines = (
        "ERROR 2026-11-23 parsl.providers (slurm.py:359) - Submit command failed",
        "sbatch: error: invalid partition specified: nowhere",
        "sbatch: error: Batch job submission failed: Invalid partition name specified",
        "parsl.executors.errors.BadStateException: Executor slurm failed due to: Error 1:",
        "ERROR 2026-11-23 parsl.dataflow.memoization (memoization.py:306) - hashsum is not a string key",
    )
    for line in lines:
        listener(line)
    assert listener.fault == "sbatch: error: Batch job submission failed: Invalid partition name specified"


def test_the_id_of_a_run_is_heard() -> None:
    """Parsl has none."""
    listener = Listener(1, lambda _done, _total: None)
    listener("Run Id: None")
    assert listener.run_id == ""
    listener("Run Id: 4711.0")
    assert listener.run_id == "4711.0"
