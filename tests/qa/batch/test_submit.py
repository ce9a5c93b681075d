from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import BatchService
from qa.batch.queue import RUN_ID
from qa.batch.submit import Waiting, submit
from qa.engines.commands import Command, Exit, Line, ignore
from qa.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("lsst.ctrl.bps")


@dataclass
class Bps:
    """Stands for `bps`: what it prints when it submits, and the exit codes of `bps status`, one after the other."""

    says: tuple[str, ...] = ()
    code: int = 0
    states: list[int] = field(default_factory=list)
    ran: list[tuple[str, ...]] = field(default_factory=list)
    stops: Event | None = None

    def run(self, command: Command, *, stop: Event, line: Line = ignore) -> Exit:
        """Answer, and set the event that ends the night if there is one."""
        self.ran.append(command.argv[2:])
        if self.stops is not None:
            self.stops.set()
        if command.argv[2] == "status":
            return Exit(self.states.pop(0), "")
        for one in self.says:
            line(one)
        return Exit(self.code, f"ended with exit code {self.code}" if self.code else "")


def wait(bps: Bps, *, timeout: float = 60.0, stop: Event | None = None) -> Waiting:
    """Wait for it without a pause."""
    return Waiting(bps, timeout, stop or Event(), lambda _done, _total: None, poll=0.0)


def test_a_system_that_goes_its_way_is_asked_until_it_is_done(tmp_path: Path) -> None:
    """HTCondor takes a submission and gives an id, which is kept as long as it runs."""
    bps = Bps(says=("Run Id: 4711.0",), states=[14, 15, 10, 1, 0])
    assert submit(tmp_path, "x", service=BatchService.HTCONDOR, jobs=2, waiting=wait(bps)) == ""
    asking = ("status", "--wms-service-class", "lsst.ctrl.bps.htcondor.HTCondorService", "--id", "4711.0")
    assert bps.ran == [("submit", "bps.yaml"), *[asking] * 5]
    assert not (tmp_path / RUN_ID).exists()


@pytest.mark.parametrize("state", [16, 19, 20])
def test_a_run_that_failed_or_was_removed_is_over(tmp_path: Path, state: int) -> None:
    """What became of its quanta, their logs tell."""
    bps = Bps(says=("Run Id: 1.0",), states=[state])
    assert submit(tmp_path, "x", service=BatchService.HTCONDOR, jobs=2, waiting=wait(bps)) == ""


def test_a_submission_that_bps_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    """The last line that tells an error."""
    bps = Bps(says=("Traceback (most recent call last):", "KeyError: 'walltime'"), code=1)
    assert submit(tmp_path, "x", service=BatchService.PARSL, jobs=2, waiting=wait(bps)) == "KeyError: 'walltime'"
    bps = Bps(code=137)
    assert (
        submit(tmp_path, "x", service=BatchService.PARSL, jobs=2, waiting=wait(bps)) == "bps ended with exit code 137"
    )


def test_a_submission_has_a_time(tmp_path: Path) -> None:
    """It is no failure of the jobs, which are taken up again."""
    with pytest.raises(EngineError, match="the submission took longer than 0 s and was ended"):
        submit(tmp_path, "x", service=BatchService.PARSL, jobs=2, waiting=wait(Bps(), timeout=0.0))


def test_a_night_that_ends_leaves_the_id_of_what_runs(tmp_path: Path) -> None:
    """By which it is cancelled."""
    stop = Event()
    bps = Bps(says=("Run Id: 4711.0",), states=[15], stops=stop)
    (tmp_path / RUN_ID).touch()
    with pytest.raises(EngineError, match="was ended with the night"):
        submit(tmp_path, "x", service=BatchService.HTCONDOR, jobs=2, waiting=wait(bps, stop=stop))
    assert (tmp_path / RUN_ID).read_text() == "4711.0"
