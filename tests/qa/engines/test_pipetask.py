from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from obs_registry.model import Stored
from qa.engines.commands import Exit
from qa.engines.pipetask import Attempt, attempts, run_attempt
from qa.errors import EngineError

if TYPE_CHECKING:
    from qa.engines.commands import Command, Line

ENTRY: dict[str, Any] = {
    "name": "ci",
    "kind": "butler",
    "lane": "nightly",
    "bands": ["r"],
    "repository": "$R",
    "collections": ["a", "b"],
    "query": "tract = 1",
    "pipeline": "$P",
    "bundles": ["*_metrics"],
}
FOUND: dict[str, Any] = {
    "repository": "/repo",
    "pipeline": "/p.yaml",
    "collections": ["a", "b"],
    "queries": ["tract = 1"],
    "begun": [],
}


def planned(tmp_path: Path, *, found: dict[str, Any] | None = None, **changes: Any) -> tuple[Attempt, ...]:
    """Return the commands of a data set."""
    dataset = Stored.model_validate(ENTRY | changes)
    runs = [f"u/{step.subset}" for step in dataset.steps] or ["u/out"]
    return attempts(dataset, FOUND | (found or {}), runs, folder=tmp_path, workers=4)


def value_of(attempt: Attempt, option: str) -> str | None:
    """Return the argument behind an option."""
    argv = attempt.argv
    return argv[argv.index(option) + 1] if option in argv else None


def test_the_arguments_are_those_of_the_entry(tmp_path: Path) -> None:
    """One run of the whole pipeline, into a collection of its own."""
    (one,) = planned(tmp_path, instrument="lsst.obs.subaru.HyperSuprimeCam")
    options = (
        "--butler-config",
        "--pipeline",
        "--input",
        "--output-run",
        "--data-query",
        "--instrument",
        "--processes",
    )
    assert [value_of(one, option) for option in options] == [
        "/repo",
        "/p.yaml",
        "a,b",
        "u/out",
        "tract = 1",
        "lsst.obs.subaru.HyperSuprimeCam",
        "4",
    ]
    assert "--extend-run" not in one.argv


def test_steps_feed_one_another(tmp_path: Path) -> None:
    """The latest outputs are searched first; a step has its own query, configuration and number of processes."""
    steps = [{"subset": "s1"}, {"subset": "s2", "processes": 1}, {"subset": "s3", "query": "tract = 2"}]
    found = {"queries": ["tract = 1", None, None, "tract = 2"], "begun": ["u/s1"]}
    first, second, third = planned(tmp_path, steps=steps, found=found)
    assert [value_of(one, "--pipeline") for one in (first, second)] == ["/p.yaml#s1", "/p.yaml#s2"]
    assert value_of(third, "--input") == "u/s2,u/s1,a,b"
    assert [value_of(one, "--data-query") for one in (first, third)] == ["tract = 1", "tract = 2"]
    assert [value_of(one, "--processes") for one in (first, second)] == ["4", "1"]
    assert [one.begun for one in (first, second, third)] == [True, False, False]
    assert "--clobber-outputs" in first.argv


def test_the_configuration_is_written_as_literals(tmp_path: Path) -> None:
    """Text stays text, whatever it holds; parameters of the pipeline are arguments."""
    config = {"isr": {"doBias": False, "note": "x'); import os"}, "parameters": {"apdb_config": "/a.yaml"}}
    (one,) = planned(tmp_path, config=config)
    label, _, path = str(value_of(one, "--config-file")).partition(":")
    assert label == "isr"
    values: dict[str, Any] = {"config": SimpleNamespace()}
    exec(Path(path).read_text(), values)  # noqa: S102 - what pipetask does with it
    assert vars(values["config"]) == config["isr"]
    assert value_of(one, "--config") == "parameters:apdb_config=/a.yaml"


@dataclass
class Steering:
    """A step whose command prints and leaves what a test says."""

    folder: Path
    lines: tuple[str, ...] = ()
    summary: object = None
    exit: Exit = Exit(0, "", cpu_seconds=2.0, peak_mib=100.0)  # noqa: RUF009 - frozen
    ticks: list[tuple[int, int]] = field(default_factory=list)
    cpu_seconds: float = 1.0
    peak_mib: float = 300.0
    timeout: float = 60.0
    stop: Event = field(default_factory=Event)
    env: dict[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()

    @property
    def job(self) -> Any:
        """A job with the folder alone."""
        return SimpleNamespace(folder=self.folder)

    @property
    def log(self) -> Path:
        """A log."""
        return self.folder / "log"

    @property
    def runner(self) -> Any:
        """Itself."""
        return self

    def tick(self, done: int, total: int) -> None:
        """Note how far it is."""
        self.ticks.append((done, total))

    def run(self, command: Command, *, stop: Event, line: Line) -> Exit:
        """Print the lines and leave the summary."""
        for one in self.lines:
            line(one)
        if self.summary is not None:
            Path(command.argv[command.argv.index("--summary") + 1]).write_text(json.dumps(self.summary))
        return self.exit


def quantum(status: str, **more: object) -> dict[str, object]:
    """Return what a summary says of a quantum."""
    return {"status": status, "taskLabel": "isr", "dataId": {"instrument": "HSC", "visit": 7}, **more}


FAILED = Exit(1, "ended with exit code 1")
REFUSED = quantum("failure", exceptionInfo={"className": "a.b.ValueError", "message": "two\nlines"})


def test_progress_and_cost_are_told(tmp_path: Path) -> None:
    """As pipetask prints it; the summary has the last word."""
    lines = ("INFO Executed 1 quanta successfully, 1 failed and 2 remain out of total 4 quanta.", "noise")
    steering = Steering(tmp_path, lines, {"quantaReports": [quantum("success")] * 4})
    (attempt,) = planned(tmp_path)
    assert run_attempt(steering, attempt).succeeded == 4
    assert steering.ticks == [(2, 4)]
    assert (steering.cpu_seconds, steering.peak_mib) == (3.0, 300.0)


def test_failed_quanta_are_lines_as_long_as_others_succeed(tmp_path: Path) -> None:
    """Task, data ID, what was raised; quanta that wait for those that failed are not told."""
    told = {"quantaReports": [quantum("success"), REFUSED, quantum("skipped")]}
    (attempt,) = planned(tmp_path)
    ran = run_attempt(Steering(tmp_path, (), told, FAILED), attempt)
    assert ran.failures == ("isr instrument HSC visit 7: ValueError: two lines",)


def test_a_worker_that_died_has_the_last_error(tmp_path: Path) -> None:
    """In processes of their own quanta leave no exception in the summary: the log has it."""
    lines = ("lsst.x.Error: no wcs", "lsst.pipe.base.mp_graph_executor.MPGraphExecutorError: One or more tasks failed")
    (attempt,) = planned(tmp_path)
    with pytest.raises(EngineError, match=r"no quantum succeeded: isr instrument HSC visit 7: lsst\.x\.Error: no wcs$"):
        run_attempt(Steering(tmp_path, lines, {"quantaReports": [quantum("failure")]}, FAILED), attempt)


@pytest.mark.parametrize(
    ("lines", "summary", "message"),
    [
        (("ValueError: extra labels: {'zz'}",), None, "pipetask ended with exit code 1: ValueError: extra labels"),
        (("Error: Missing option '-b'.",), None, "pipetask ended with exit code 1: Error: Missing option '-b'."),
        (("INFO: QuantumGraph contains no quanta.",), None, "found no quantum"),
        ((), [1], "pipetask ended with exit code 1"),
        ((), {"quantaReports": "x"}, "pipetask ended with exit code 1"),
        ((), {"quantaReports": [REFUSED, REFUSED]}, r"two lines \(and 1 more\)"),
    ],
)
def test_nothing_done_is_one_line(tmp_path: Path, lines: tuple[str, ...], summary: object, message: str) -> None:
    """With the reason that pipetask gave, if it gave one."""
    (attempt,) = planned(tmp_path)
    with pytest.raises(EngineError, match=message):
        run_attempt(Steering(tmp_path, lines, summary, FAILED), attempt)


def test_a_run_that_was_done_before_is_done(tmp_path: Path) -> None:
    """Where all quanta had succeeded, pipetask finds none and fails; that is no failure."""
    (attempt,) = planned(tmp_path, found={"begun": ["u/out"]})
    empty = Steering(tmp_path, ("Error: QuantumGraph was empty; ERROR logs above",), None, FAILED)
    assert run_attempt(empty, attempt).failures == ()


def test_a_command_that_is_cut_off_is_a_failure(tmp_path: Path) -> None:
    """What it did is kept for the next attempt; the line says how far it came."""
    lines = ("Executed 3 quanta successfully, 0 failed and 5 remain out of total 8 quanta.",)
    late = Exit(-15, "took longer than 60 s and was ended")
    (attempt,) = planned(tmp_path)
    with pytest.raises(EngineError, match=r"pipetask took longer than 60 s and was ended after 3 quanta$"):
        run_attempt(Steering(tmp_path, lines, None, late), attempt)


def test_a_night_that_is_ended_continues_later(tmp_path: Path) -> None:
    """Whatever succeeded, the step is not done."""
    steering = Steering(tmp_path, (), {"quantaReports": [quantum("success")]}, Exit(-15, "was ended with the night"))
    steering.stop.set()
    (attempt,) = planned(tmp_path)
    with pytest.raises(EngineError, match="pipetask was ended with the night"):
        run_attempt(steering, attempt)
