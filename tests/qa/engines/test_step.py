from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from qa.engines.base import Job
from qa.engines.jobfile import read_report, write_job
from qa.engines.step import main, read_progress, tell
from qa.model import Stage, Step, StepStatus
from qa.testing import a_camera

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[3]


def a_job(folder: Path) -> Path:
    """Write a drawing job whose recipe is not there."""
    camera = a_camera()
    (folder / "work").mkdir()
    job = Job(Step("testcam", "twin", Stage.DRAW), camera, camera.datasets[0], folder / "work", folder, folder)
    write_job(folder / "job.json", job)
    return folder / "job.json"


def test_a_step_leaves_its_report_beside_its_job_also_when_it_failed(tmp_path: Path) -> None:
    """The exit code says only whether there is a report."""
    command = [sys.executable, "-m", "qa.engines.step", str(a_job(tmp_path))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    report = read_report(tmp_path / "report.json")
    assert report.outcome.status is StepStatus.FAILED
    assert "testcam.yaml" in report.outcome.message
    assert report.outcome.log == str(tmp_path / "work" / "logs" / "draw.log")


def test_a_job_file_that_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is that of a wrong request."""
    (tmp_path / "job.json").write_text("{}")
    assert main([str(tmp_path / "job.json")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"obsqa step: {tmp_path / 'job.json'}: must be a document 'job'")
    assert said.count("\n") == 1
    assert main([]) == 2


@given(done=st.integers(0, 10**9), total=st.integers(0, 10**9))
def test_progress_is_a_line_that_can_be_read_back(done: int, total: int) -> None:
    """What is written is what is read."""
    stream = io.StringIO()
    tell(stream, done, total)
    assert read_progress(stream.getvalue().rstrip("\n")) == (done, total)


@given(st.text())
def test_what_is_no_progress_is_not_taken_for_it(line: str) -> None:
    """Other lines are for the log."""
    assert read_progress(line) is None
    assert read_progress(f"{line} @progress 1 2") is None or not line


def test_who_listened_may_be_gone(tmp_path: Path) -> None:
    """Then the step goes on."""
    with (tmp_path / "closed").open("w") as stream:
        stream.write = lambda _: (_ for _ in ()).throw(BrokenPipeError)  # type: ignore[method-assign]
        tell(stream, 1, 2)
