from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Batch, BatchService, Runtime
from qa.batch.attempt import submit_attempt
from qa.engines.base import Job
from qa.engines.commands import Command, Exit, Line, ignore
from qa.engines.pipetask import Attempt, Ran
from qa.errors import EngineError
from qa.model import Stage, Step
from qa.testing import a_camera

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARGV = ("pipetask", "run", "--butler-config", "/r", "--pipeline", "/p.yaml", "--input", "in", "--output-run", "u/1")
DONE = {"status": "success", "taskLabel": "isr", "dataId": {"visit": 1}}
FAILED = {
    "status": "failure",
    "taskLabel": "isr",
    "dataId": {"visit": 2},
    "exceptionInfo": {"className": "ValueError", "message": "no pixels"},
}


@dataclass
class Bps:
    """Stands for `bps submit`: its exit code, what it prints, and the quanta that each of its jobs reports."""

    code: int = 0
    says: tuple[str, ...] = ()
    jobs: tuple[list[object], ...] = ()
    ran: list[Command] = field(default_factory=list)

    def run(self, command: Command, *, stop: Event, line: Line = ignore) -> Exit:
        """Leave what the jobs would."""
        self.ran.append(command)
        for number, reports in enumerate(self.jobs):
            summary = command.folder / "summaries" / f"node-{number}.json"
            summary.write_text(json.dumps({"quantaReports": reports}))
        for one in self.says:
            line(one)
        return Exit(self.code, f"ended with exit code {self.code}" if self.code else "")


@dataclass
class Steering:
    """A step of the toy data set, steered from here."""

    job: Job
    runner: Bps
    log: Path
    told: list[tuple[int, int]] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    env: dict[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()
    timeout: float = 60.0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0

    def tick(self, done: int, total: int, /) -> None:
        """Keep how far it is."""
        self.told.append((done, total))


@pytest.fixture
def submit(tmp_path: Path) -> Callable[..., tuple[Ran, Steering]]:
    """Return a function that submits an attempt."""

    def carry_out(
        bps: Bps, *, service: BatchService = BatchService.PARSL, image: str | None = None
    ) -> tuple[Ran, Steering]:
        batch = Batch(service=service)
        camera = a_camera().model_copy(update={"runtime": Runtime(batch=batch, image=image)})
        job = Job(Step("testcam", "ci", Stage.PROCESS), camera, camera.datasets[0], tmp_path, tmp_path, tmp_path)
        steering = Steering(job, bps, tmp_path / "log")
        attempt = Attempt(ARGV, "u/1", tmp_path / "summary.json", begun=False, before=0.5, share=0.5)
        return submit_attempt(steering, attempt, batch=batch, name="x", folder=tmp_path / "batch"), steering

    return carry_out


def test_the_jobs_together_tell_what_was_done(submit: Callable[..., tuple[Ran, Steering]]) -> None:
    """Quanta that succeeded are counted, those that failed are worded, and jobs that are over are progress."""
    says = ("GenericWorkflow contains 2 job(s) (including final)", "Task 0 completed (launched -> exec_done)")
    ran, steering = submit(Bps(says=says, jobs=([DONE, DONE], [DONE, FAILED])))
    assert ran == Ran(3, ("isr visit 2: ValueError: no pixels",))
    assert steering.told == [(75, 100)]


def test_the_plugin_lies_beside_the_configuration(submit: Callable[..., tuple[Ran, Steering]], tmp_path: Path) -> None:
    """Where `bps` runs there is no obsqa: what puts quanta into jobs is found by its path, no part of a script."""
    bps = Bps(jobs=([DONE],))
    submit(bps)
    place = tmp_path / "batch" / "1" / "001"
    assert {path.name for path in place.glob("*.py")} == {"jobs.py", "obsqa_cluster.py"}
    assert str(place) not in bps.ran[0].argv[2]
    assert bps.ran[0].argv[3:] == ("obsqa", str(place), "bps", "--long-log", "submit", "bps.yaml")


@pytest.mark.parametrize(
    ("bps", "message"),
    [
        (Bps(jobs=([FAILED], [FAILED])), "no quantum succeeded: isr visit 2: ValueError: no pixels"),
        (Bps(code=1, says=("RuntimeError: no such query",)), "bps did not come to its end: RuntimeError: no such"),
        (Bps(code=1, jobs=([DONE],)), "bps did not come to its end after 1 quanta: bps ended with exit code 1"),
        (Bps(), "bps did not come to its end: look into "),
    ],
)
def test_what_was_not_collected_is_not_done(
    submit: Callable[..., tuple[Ran, Steering]], bps: Bps, message: str
) -> None:
    """Where no quantum succeeded, or the final job did not, the step has failed, with one line."""
    with pytest.raises(EngineError, match=message):
        submit(bps)


def test_what_cannot_be_had_is_refused(submit: Callable[..., tuple[Ran, Steering]]) -> None:
    """An image beside a batch system, and HTCondor, whose jobs have no shell that names their summaries."""
    with pytest.raises(EngineError, match="must name an image or a batch system, found both"):
        submit(Bps(), image="stack:w_2026_40")
    with pytest.raises(EngineError, match="must be submitted to parsl or slurm, found htcondor"):
        submit(Bps(), service=BatchService.HTCONDOR)
