"""Steps and commands in containers of a Docker Engine, shut off from all but what they are given.

A camera whose registry entry names an image has obsqa's own stages carried out in it, each by `qa.engines.step` in a
container of its own; and commands of others, such as `pipetask`, by the `ContainerRunner`.
"""

from __future__ import annotations

import hashlib
import math
import os
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from qa.engines.base import StepReport
from qa.engines.commands import Exit, ignore, why_ended
from qa.engines.docker_box import Box, User
from qa.engines.docker_client import connect
from qa.engines.docker_images import find_image
from qa.engines.docker_sweep import labels, sweep
from qa.engines.docker_watch import run_box
from qa.engines.jobfile import read_report, report_path, write_job
from qa.engines.staging import lent, raws_of, staged_cache, take_drawn
from qa.engines.step import read_progress
from qa.errors import ObsqaError
from qa.model import Stage, StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import DockerClient

    from obs_registry.model import Limits, Runtime
    from qa.engines.base import Job, Progress
    from qa.engines.commands import Command, Line
    from qa.engines.docker_watch import Ended

_HOUR = 3600.0
_KILLED = 137
COMPILED = "compiled"
"""Folder in the cache for the loops that numba compiled in containers, one for each image and user."""


@dataclass(frozen=True, slots=True)
class ContainerRunner:
    """Runs commands in an image; `setup` is a script that bash sources before, of this machine or of the image."""

    image: str
    limits: Limits
    setup: Path | None = None

    @classmethod
    def of(cls, runtime: Runtime) -> ContainerRunner:
        """Return the runner of a camera, after removing what killed nights left.

        Raises
        ------
        EngineError
            If no Docker Engine answers, or it does not have the image.
        """
        image = runtime.image or ""
        with closing(connect()) as client:
            sweep(client)
            find_image(client, image)
        return cls(image, runtime.limits, None if runtime.setup is None else Path(runtime.setup))

    def run(self, command: Command, *, stop: Event, line: Line = ignore) -> Exit:
        """Run a command in a container of its own; its time limit is the shorter of its own and the camera's.

        Raises
        ------
        EngineError
            If the Docker Engine goes away or refuses.
        """
        user, timeout = User.of_caller(), min(command.timeout, self.limits.hours * _HOUR)
        box = Box(
            image=self.image,
            argv=command.argv,
            folder=command.folder.resolve(),
            user=user,
            limits=self.limits,
            setup=self.setup,
            env=command.env,
            reads=command.reads,
            writes=command.writes,
            labels=labels(" ".join(command.argv[:2]), timeout),
        )
        with closing(connect()) as client, _log(command.log) as write, lent((command.folder, *command.writes), user):

            def each(text: str) -> None:
                write(text)
                line(text)

            ended = run_box(client, box, timeout=timeout, stop=stop, line=each)
        return _exit(ended, replace(command, timeout=timeout), self.limits)


def _exit(ended: Ended, command: Command, limits: Limits) -> Exit:
    """Return how a command ended. One that lost a process for want of memory failed, whatever it says itself."""
    code, reason = ended.code, why_ended(command, ended.code, late=ended.late, stopped=ended.stopped)
    if ended.out_of_memory:
        code, reason = code or _KILLED, reason if ended.late or ended.stopped else _out_of_memory(limits)
    return Exit(code, reason, ended.wall_seconds, ended.cpu_seconds, ended.peak_mib)


def _out_of_memory(limits: Limits) -> str:
    return f"out of memory: a process was killed at the limit of {limits.memory_gib:g} GiB (runtime.limits.memory_gib)"


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """Carries out obsqa's own stages in the image of each job's camera; `environment` is what steps start with."""

    environment: Mapping[str, str] = field(default_factory=dict)
    stop: Event = field(default_factory=Event)

    @classmethod
    def ready(cls, environment: Mapping[str, str], *, stop: Event, say: Line = ignore) -> ContainerEngine:
        """Return an engine that answers, after removing what killed nights left, of which `say` is told.

        Raises
        ------
        MissingExtraError
            If the SDK is not installed.
        EngineError
            If no Docker Engine answers.
        """
        with closing(connect()) as client:
            removed = sweep(client)
        for step in removed:
            say(f"removed the container of {step}, which an earlier night left behind")
        return cls(environment, stop)

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step in a container of its own; whatever goes wrong is a failed outcome."""
        try:
            return self._run(job, progress)
        except ObsqaError as error:
            return _failed(job, None, str(error))

    def _run(self, job: Job, progress: Progress) -> StepReport:
        with _as_seen_inside(job) as inside:
            path = inside.folder / "jobs" / f"{job.step.stage}.job.json"
            there = report_path(path)
            there.unlink(missing_ok=True)
            write_job(path, inside)
            ended = self._carry_out(job, inside, path, progress)
            report = read_report(there) if there.is_file() else None
            if job.step.stage is Stage.DRAW and report is not None:
                take_drawn(inside.cache, job.cache, job.folder / "twin")
        return judged(job, ended, report)

    def _carry_out(self, job: Job, inside: Job, path: Path, progress: Progress) -> Ended:
        user, limits = User.of_caller(), job.camera.runtime.limits
        timeout = limits.hours * _HOUR
        with closing(connect()) as client, _log(_container_log(inside)) as write, lent((inside.folder,), user):

            def each(text: str) -> None:
                told = read_progress(text)
                write(text) if told is None else progress(job.step, *told)

            box = self._box(job, inside, path, self._compiled(client, job, user))
            return run_box(client, box, timeout=timeout, stop=self.stop, line=each)

    def _box(self, job: Job, inside: Job, path: Path, compiled: Path) -> Box:
        runtime = job.camera.runtime
        return Box(
            image=runtime.image or "",
            argv=("python", "-m", "qa.engines.step", str(path)),
            folder=inside.folder,
            user=User.of_caller(),
            limits=runtime.limits,
            setup=None if runtime.setup is None else Path(runtime.setup),
            env={**self.environment, "NUMBA_CACHE_DIR": str(compiled)},
            reads=(job.cache.resolve(), inside.recipes, *raws_of(inside.folder)),
            writes=(compiled,),
            labels=labels(job.step.key, runtime.limits.hours * _HOUR),
        )

    def _compiled(self, client: DockerClient, job: Job, user: User) -> Path:
        """Return the folder for compiled loops of an image, made for the container's user."""
        image = find_image(client, job.camera.runtime.image or "")
        name = hashlib.sha256(image.contents.encode()).hexdigest()[:16]
        folder = job.cache.resolve() / COMPILED / f"{name}-{user.uid}"
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid != user.uid:
            os.chown(folder, user.uid, user.gid)
        return folder


def judged(job: Job, ended: Ended, report: StepReport | None) -> StepReport:
    """Return what came of a step by how its container ended and what it reported, if it came to that.

    A process that was killed for want of memory is told in any case: the step may have gone on without it.
    """
    limits = job.camera.runtime.limits
    if report is not None:
        return _with_caveat(report, _out_of_memory(limits)) if ended.out_of_memory else report
    if ended.late:
        reason = f"took longer than {limits.hours:g} hours (runtime.limits.hours) and was ended"
    elif ended.out_of_memory:
        reason = _out_of_memory(limits)
    else:
        last = _last_line(_container_log(job))
        reason = f"its container ended with exit code {ended.code} and no report" + (f": {last}" if last else "")
    return _failed(job, ended, reason)


def _with_caveat(report: StepReport, caveat: str) -> StepReport:
    outcome, failed = report.outcome, report.outcome.status is StepStatus.FAILED
    told = "; ".join(part for part in (caveat, outcome.message) if part)
    status = StepStatus.FAILED if failed else StepStatus.CAVEATS
    return StepReport(replace(outcome, status=status, message=told), report.results, (caveat, *report.caveats))


def _failed(job: Job, ended: Ended | None, reason: str) -> StepReport:
    cost = (0.0, 0.0, 0.0) if ended is None else (ended.wall_seconds, ended.cpu_seconds, ended.peak_mib)
    return StepReport(StepOutcome(job.step, StepStatus.FAILED, *cost, reason, str(_container_log(job))))


def _container_log(job: Job) -> Path:
    """Return where that goes which a container prints beside the step's own log."""
    return job.folder / "logs" / f"{job.step.stage}.container.log"


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


@contextmanager
def _log(path: Path) -> Iterator[Line]:
    """Yield what writes lines to the end of a file as they come; a full disk does not stop the command."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as stream:

        def write(text: str) -> None:
            with suppress(OSError):
                stream.write(f"{text}\n")

        yield write


@contextmanager
def _as_seen_inside(job: Job) -> Iterator[Job]:
    """Yield a job with resolved paths and no more workers than processors; what it draws does not go to the cache."""
    workers = min(job.workers, max(1, math.floor(job.camera.runtime.limits.cpus)))
    job.cache.mkdir(parents=True, exist_ok=True)
    folder, cache, recipes = (path.resolve() for path in (job.folder, job.cache, job.recipes))
    inside = replace(job, folder=folder, cache=cache, recipes=recipes, workers=workers)
    if job.step.stage is not Stage.DRAW:
        yield inside
        return
    with staged_cache(cache, folder) as staged:
        yield replace(inside, cache=staged)
