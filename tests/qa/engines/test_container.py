from __future__ import annotations

import os
import shutil
import stat
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Protocol

import pytest

pytest.importorskip("docker")

from obs_registry.model import Limits, Runtime
from qa.engines import docker_watch
from qa.engines.base import Job, StepReport
from qa.engines.commands import Command
from qa.engines.container import ContainerEngine, ContainerRunner, judged
from qa.engines.docker_box import User
from qa.engines.docker_watch import Ended
from qa.errors import EngineError
from qa.judging.epochs import is_resource
from qa.locations import regression_data
from qa.model import Lane, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.testing import a_camera

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from docker import DockerClient

    from qa.engines.commands import Exit
    from qa.testing.docker import DockerEngine

TOOLS = "obsqa-test:tools"
SMALL = Limits(memory_gib=0.0625, cpus=1.0, processes=24, hours=0.1)


class Runs(Protocol):
    """Runs a shell script in a container, and returns how it ended and what it printed."""

    def __call__(  # noqa: D102 - the protocol's only one
        self, script: str, *, timeout: float = 60.0, reads: tuple[Path, ...] = (), writes: tuple[Path, ...] = ()
    ) -> tuple[Exit, list[str]]: ...


@pytest.fixture
def run(client: DockerClient, tmp_path: Path) -> Runs:
    """Return what runs a shell script in a container; nothing of any container is left behind."""

    def run(
        script: str, *, timeout: float = 60.0, reads: tuple[Path, ...] = (), writes: tuple[Path, ...] = ()
    ) -> tuple[Exit, list[str]]:
        lines: list[str] = []
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        argv = ("bash", "-c", script)
        command = Command(argv, folder, log=tmp_path / "log", timeout=timeout, reads=reads, writes=writes)
        runner = ContainerRunner.of(Runtime(image=TOOLS, limits=SMALL))
        ended = runner.run(command, stop=Event(), line=lines.append)
        assert client.containers.list(all=True) == []
        return ended, lines

    return run


def test_a_command_is_nobody_with_no_network_no_capabilities_and_nothing_to_write_to(run: Runs) -> None:
    """The kernel is asked from inside: what was asked of the engine might not have been heeded."""
    ended, lines = run("""
        id -u
        grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status
        grep -c : /proc/net/dev; grep -o lo: /proc/net/dev
        (echo x > /x) 2>/dev/null || echo 'the root cannot be written'
        (echo x > /bin/x) 2>/dev/null || echo 'the programs cannot be written'
    """)
    assert ended.code == 0, ended.reason
    assert [" ".join(line.split()) for line in lines] == [
        str(User.of_caller().uid),
        "CapEff: 0000000000000000",
        "CapBnd: 0000000000000000",
        "NoNewPrivs: 1",
        *("1", "lo:"),
        "the root cannot be written",
        "the programs cannot be written",
    ]
    assert User.of_caller().uid != 0


def test_data_are_only_read_and_what_is_written_is_the_callers(run: Runs, tmp_path: Path) -> None:
    """Whoever the container's processes are, the night's owner can remove what they made."""
    data, out = tmp_path / "data", tmp_path / "out"
    for folder in (data, out):
        folder.mkdir()
    (data / "raw.fits").write_text("counts")
    script = f"""
        cat {data}/raw.fits
        (echo x > {data}/raw.fits) 2>/dev/null || echo ' cannot be changed'
        mkdir {out}/deep; echo x > {out}/deep/result; echo y > here
    """
    ended, lines = run(script, reads=(data,), writes=(out,))
    assert (ended.code, lines) == (0, ["counts cannot be changed"])
    assert (data / "raw.fits").read_text() == "counts"
    made = [out, out / "deep", out / "deep" / "result", tmp_path / "work" / "here"]
    assert {path.stat().st_uid for path in made} == {os.getuid()}
    assert not any(path.stat().st_mode & stat.S_IWOTH for path in made)


def test_what_is_not_given_is_not_there(run: Runs, tmp_path: Path) -> None:
    """Not even the folder beside its own."""
    (tmp_path / "secret").write_text("word")
    ended, _ = run(f"cat {tmp_path}/secret")
    assert ended.code == 1
    assert "No such file" in (tmp_path / "log").read_text()


def test_memory_beyond_the_limit_is_told_from_failing(run: Runs) -> None:
    """A process that the kernel killed for want of memory has another reason than one that was killed or failed."""
    greedy, _ = run("printf -v text %0400000000d 1; echo survived")
    assert greedy.code != 0
    assert greedy.reason == "out of memory: a process was killed at the limit of 0.0625 GiB (runtime.limits.memory_gib)"
    killed, _ = run("kill -KILL $$")
    assert killed.code == 128 + 9
    assert killed.reason.startswith("killed by SIGKILL")
    assert "memory_gib" not in killed.reason
    failed, _ = run("exit 3")
    assert (failed.code, "memory" in failed.reason) == (3, False)


def test_processes_beyond_the_limit_are_refused(run: Runs) -> None:
    """A fork bomb stays in its container, whose end is the end of all its processes."""
    ended, lines = run("for i in {1..200}; do sleep 60 & done; echo all", timeout=30.0)
    assert ended.code != 0
    assert "all" not in lines


def test_a_command_that_takes_too_long_is_killed(run: Runs) -> None:
    """Even one that does not listen, with all that it began."""
    ended, _ = run("trap '' TERM; sleep 600 & wait; sleep 600", timeout=1.0)
    assert ended.code != 0
    assert "longer than" in ended.reason


def test_lines_come_while_the_command_runs(client: DockerClient, tmp_path: Path) -> None:
    """Its first line has a command stopped that would wait ten minutes."""
    stop, lines = Event(), []

    def line(text: str) -> None:
        lines.append(text)
        stop.set()

    command = Command(("bash", "-c", "echo begun; sleep 600"), tmp_path, log=tmp_path / "log", timeout=900.0)
    ended = ContainerRunner(TOOLS, SMALL).run(command, stop=stop, line=line)
    assert ended.code != 0
    assert lines[0] == "begun"
    assert client.containers.list(all=True) == []


def test_an_engine_that_goes_away_is_one_line(own_docker: DockerEngine, give_tools: Callable, tmp_path: Path) -> None:
    """In the middle of a command, which is not taken to have ended well."""
    from contextlib import closing

    from qa.engines.docker_client import connect

    with closing(connect()) as client:
        give_tools(client)
    command = Command(("bash", "-c", "echo begun; sleep 600"), tmp_path, log=tmp_path / "log", timeout=900.0)
    runner = ContainerRunner.of(Runtime(image=TOOLS, limits=SMALL))
    with pytest.raises(EngineError) as told:
        runner.run(command, stop=Event(), line=lambda _: own_docker.kill())
    assert "\n" not in str(told.value)
    assert "Docker Engine" in str(told.value)


def test_an_engine_that_goes_away_afterwards_loses_nothing(
    own_docker: DockerEngine, give_tools: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a command has ended it counts, and what it wrote is there; a later night sweeps its container up."""
    from contextlib import closing

    from qa.engines.docker_client import connect

    with closing(connect()) as client:
        give_tools(client)
    ended = docker_watch._ended

    def and_then_gone(*asked: object, **more: object) -> Ended:
        found = ended(*asked, **more)
        own_docker.kill()
        return found

    monkeypatch.setattr(docker_watch, "_ended", and_then_gone)
    command = Command(("bash", "-c", "echo whole > made"), tmp_path, log=tmp_path / "log", timeout=60.0)
    assert ContainerRunner.of(Runtime(image=TOOLS, limits=SMALL)).run(command, stop=Event()).code == 0
    assert (tmp_path / "made").read_text() == "whole\n"


def a_job(folder: Path, *, image: str = TOOLS) -> Job:
    """Build a job of a camera that runs in an image."""
    camera = a_camera("hsc").model_copy(update={"runtime": Runtime(image=image, limits=SMALL)})
    return Job(Step("hsc", "twin", Stage.INGEST), camera, camera.datasets[0], folder, folder / "cache", folder)


@pytest.mark.usefixtures("client")
def test_an_image_without_obsqa_fails_the_step_in_one_line(tmp_path: Path) -> None:
    """What the container said last is in it."""
    report = ContainerEngine.ready({}, stop=Event()).run(a_job(tmp_path), lambda *_: None)
    assert report.outcome.status is StepStatus.FAILED
    assert report.outcome.message.startswith("its container ended with exit code 127 and no report: ")
    assert "python" in report.outcome.message


@pytest.mark.usefixtures("client")
def test_an_image_that_is_not_there_fails_the_step_in_one_line(tmp_path: Path) -> None:
    """One camera's missing image is no reason to stop the others."""
    report = ContainerEngine().run(a_job(tmp_path, image="nobody/has:this"), lambda *_: None)
    assert report.outcome.status is StepStatus.FAILED
    assert "nobody/has:this" in report.outcome.message


def test_without_an_engine_a_step_fails_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a night or after a step: the camera's step fails, no other camera's does, and what was measured stays."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    (tmp_path / "measurements.json").write_text("{}")
    outcome = ContainerEngine().run(a_job(tmp_path), lambda *_: None).outcome
    assert outcome.status is StepStatus.FAILED
    assert outcome.message.startswith(
        f"a Docker Engine must answer at DOCKER_HOST=unix://{tmp_path}/nobody.sock, found:"
    )
    assert "\n" not in outcome.message
    assert (tmp_path / "measurements.json").read_text() == "{}"


ENDED = Ended(137, 2.0, 1.0, 60.0)
LIMIT = "out of memory: a process was killed at the limit of 0.0625 GiB (runtime.limits.memory_gib)"


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (replace(ENDED, out_of_memory=True), LIMIT),
        (replace(ENDED, late=True), "took longer than 0.1 hours (runtime.limits.hours) and was ended"),
        (ENDED, "its container ended with exit code 137 and no report"),
    ],
)
def test_a_container_without_report_is_a_failed_step(ended: Ended, reason: str, tmp_path: Path) -> None:
    """Its reason is how the container ended; what it cost is kept."""
    outcome = judged(a_job(tmp_path), ended, None).outcome
    assert (outcome.status, outcome.message) == (StepStatus.FAILED, reason)
    assert (outcome.wall_seconds, outcome.cpu_seconds, outcome.peak_mib) == (2.0, 1.0, 60.0)


def test_a_step_that_went_on_without_a_killed_process_says_so(tmp_path: Path) -> None:
    """It is done with a caveat, never just done; one that failed stays failed."""
    job = a_job(tmp_path)
    for status, told in ((StepStatus.DONE, StepStatus.CAVEATS), (StepStatus.FAILED, StepStatus.FAILED)):
        report = StepReport(StepOutcome(job.step, status, 1.0, 1.0, 1.0, ""))
        found = judged(job, replace(ENDED, out_of_memory=True), report)
        assert (found.outcome.status, found.outcome.message, found.caveats) == (told, LIMIT, (LIMIT,))
        assert judged(job, ENDED, report) is report


@pytest.mark.pipeline
def test_the_night_of_a_camera_runs_in_a_container(
    whole_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its small data set goes from raw exposures to the same numbers, bit for bit, as outside; the run says where."""
    pytest.importorskip("galsim")
    from ci.lanes import open_run, run_steps
    from ci.settings import Settings
    from ci.wiring import WORKERS, make_context

    for name, value in WORKERS.items():
        monkeypatch.setenv(name, value)
    measured = []
    for name, runtime in (("here", Runtime()), ("inside", Runtime(image=whole_image))):
        # A cache of its own: also the pixels are drawn inside.
        settings = Settings(runs=tmp_path / name, cache=tmp_path / f"{name}-cache", regression_data=regression_data())
        context = make_context(settings, ("latiss",))
        camera = context.camera("latiss").model_copy(update={"runtime": runtime})
        context = replace(context, cameras=[camera], store=None)
        folder = open_run(context, lane=Lane.COMMIT, trigger=Trigger(), fresh=True)
        record = run_steps(context, folder)
        assert {one.status for one in record.outcomes.values()} == {StepStatus.DONE}, record.outcomes
        measured.append([result for result in record.results if not is_resource(result.metric)])
    assert measured[0] == measured[1] != []
    assert {path.stat().st_uid for path in folder.rglob("*")} == {os.getuid()}
    assert (folder / "latiss" / "twin-quick" / "logs" / "process.container.log").is_file()
    shutil.rmtree(tmp_path, ignore_errors=True)
