"""Data sets of the kind `butler`: somebody else's repository, processed by somebody else's pipeline with `pipetask`.

Everything that needs the LSST stack is a command in its environment (a set-up script's, or an image's); obsqa itself
needs none of it here. The repository gets new output collections, one for each step of each night, and keeps them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from obs_registry.model import Stored
from qa.documents import read_document, write_document
from qa.engines.availability import filled_in
from qa.engines.base import StepReport
from qa.engines.commands import runner_for
from qa.engines.pipetask import Attempt, Ran, attempts, on_disk, run_attempt
from qa.engines.stack_ask import ask
from qa.engines.stack_harvest import Bundle, read_bundles
from qa.errors import EngineError, ObsqaError
from qa.model import Result, Stage, StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from obs_registry.model import Runtime
    from qa.engines.base import Job, Progress
    from qa.engines.commands import Runner
    from qa.engines.stack_harvest import Reading

MEASUREMENTS = "measurements.json"
STATE, STATE_FILE = "stack", "stack.json"
BUNDLES = "bundles"
_HOUR = 3600.0
# User and password of an address.
_PASSWORD = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a data set's processing beyond its steps: the head of its output collections."""

    output: str
    runs: tuple[str, ...] = ()
    repository: str = ""
    failures: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """One step while it is carried out, and what its commands cost."""

    job: Job
    dataset: Stored
    runner: Runner
    stop: Event
    tick: Callable[[int, int], None]
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0

    @property
    def env(self) -> dict[str, str]:
        return {name: os.environ[name] for name in self.dataset.variables if os.environ.get(name)}

    @property
    def reads(self) -> tuple[Path, ...]:
        named = (self.dataset.repository, self.dataset.pipeline.partition("#")[0])
        places = [Path(filled_in(text, os.environ)) for text in named]
        folders = (place if place.is_dir() else place.parent for place in places if place.is_absolute())
        return tuple(dict.fromkeys(folder for folder in folders if folder.is_dir()))

    @property
    def timeout(self) -> float:
        return self.job.camera.runtime.limits.hours * _HOUR

    @property
    def log(self) -> Path:
        return self.job.folder / "logs" / f"{self.job.step.stage}.log"


@dataclass(frozen=True, slots=True)
class _Produced:
    message: str = ""
    reading: Reading | None = None
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StackEngine:
    """Steers the processing of data sets of the kind `butler`; `stop` ends what is running."""

    stop: Event = field(default_factory=Event)
    runner: Callable[[Runtime], Runner] = runner_for

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step; whatever goes wrong is a failed outcome."""
        began = time.monotonic()
        work: _Work | None = None
        try:
            work = self._work(job, progress)
            with _alone_in(job.folder):
                produced = _STAGES[job.step.stage](work)
            status = StepStatus.CAVEATS if produced.caveats else StepStatus.DONE
            message = produced.message or _in_short(produced.caveats)
        except ObsqaError as error:
            produced, status, message = _Produced(), StepStatus.FAILED, _one_line(str(error))
        except Exception as error:  # noqa: BLE001 - one camera's bug must not end the night; the log has the traceback
            _note_traceback(job)
            produced, status = _Produced(), StepStatus.FAILED
            message = _one_line(f"{type(error).__name__}: {error}")
        outcome = StepOutcome(
            step=job.step,
            status=status,
            wall_seconds=time.monotonic() - began,
            cpu_seconds=work.cpu_seconds if work else 0.0,
            peak_mib=work.peak_mib if work else 0.0,
            message=message,
            log=str(job.folder / "logs" / f"{job.step.stage}.log"),
        )
        found = produced.reading
        return StepReport(outcome, found.results if found else (), produced.caveats, found.definitions if found else ())

    def _work(self, job: Job, progress: Progress) -> _Work:
        if not isinstance(job.dataset, Stored) or job.step.stage not in _STAGES:
            msg = (
                f"a step in the LSST stack must process or measure a data set of the kind butler, found {job.step.key}"
            )
            raise EngineError(msg)
        runner = self.runner(job.camera.runtime)
        return _Work(job, job.dataset, runner, self.stop, lambda done, total: progress(job.step, done, total))


def _process(work: _Work) -> _Produced:
    """Run the pipeline, step by step; continues where an earlier attempt was cut off.

    Quanta that fail are caveats as long as others succeed: the metrics they owed are told as missing.
    """
    dataset, job = work.dataset, work.job
    state = _state(work)
    runs = tuple(f"{state.output}/{step.subset}" for step in dataset.steps) or (state.output,)
    found = ask(work, "look", {**_named(dataset), "runs": list(runs)})
    write_document(job.folder / STATE_FILE, STATE, replace(state, runs=runs, repository=found["repository"]), State)
    dated = _as_of(work, state.output, found)
    planned = attempts(dataset, found | dated, runs, folder=job.folder, workers=job.workers)
    failures: list[str] = []
    done = 0
    for number, attempt in enumerate(planned):
        ran = _carry_out(work, _counted(attempt, number, len(planned)))
        failures += ran.failures
        done += ran.succeeded
    state = State(state.output, runs, found["repository"], tuple(failures))
    write_document(job.folder / STATE_FILE, STATE, state, State)
    caveats = (*failures, *dated.get("caveats", ()))
    place = _PASSWORD.sub("//", found["repository"])
    message = f"{_count(done, 'quantum', 'quanta')} done, outputs in {state.output} of {place}"
    return _Produced(f"{message}; {_in_short(caveats)}" if caveats else message, caveats=caveats)


def _carry_out(work: _Work, attempt: Attempt) -> Ran:
    """Run the pipeline where the camera's runtime says: here, or on its batch system."""
    batch = work.job.camera.runtime.batch
    if batch is None:
        return run_attempt(work, attempt)
    from qa.batch.attempt import submit_attempt  # noqa: PLC0415 - only where there is one
    from qa.engines.batch import FOLDER, name_of  # noqa: PLC0415

    return submit_attempt(work, attempt, batch=batch, name=name_of(work.job), folder=work.job.folder / FOLDER)


def _measure(work: _Work) -> _Produced:
    """Fetch the bundles of metrics from the repository and read them."""
    job, state = work.job, _state(work)
    folder = job.folder / BUNDLES
    _emptied(folder)
    request = {"repository": state.repository, "runs": list(state.runs), "folder": str(folder)}
    found = ask(work, "harvest", {**request, "bundles": list(work.dataset.bundles)}, writes=(folder,))
    asked = ", ".join(work.dataset.bundles)
    if not found["found"]:
        known = f"dataset types {', '.join(found['types'])} without data" if found["types"] else "none"
        why = f"; {state.failures[0]}" if state.failures else ""
        msg = f"{state.output} must hold bundles of metrics ({asked}), found {known}{why}"
        raise EngineError(msg)
    bundles = tuple(Bundle.of(one) for one in found["found"])
    reading = read_bundles(bundles, camera=job.camera.name, dataset=work.dataset)
    write_document(job.folder / MEASUREMENTS, "measurements", reading.results, tuple[Result, ...])
    work.tick(1, 1)
    count = f"{_count(len(bundles), 'bundle', 'bundles')}, {_count(len(reading.results), 'result', 'results')}"
    caveats = (*state.failures, *reading.caveats)
    return _Produced(f"{count}; {_in_short(caveats)}" if caveats else count, reading, caveats)


_STAGES: dict[Stage, Callable[[_Work], _Produced]] = {Stage.PROCESS: _process, Stage.MEASURE: _measure}


def _state(work: _Work) -> State:
    """Return what is known of the data set's processing; at first the collection that its outputs go to."""
    path = work.job.folder / STATE_FILE
    if path.is_file():
        known: State = read_document(path, STATE, State, action="remove it and process the data set again")
        return known
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    place = hashlib.sha256(f"{platform.node()}:{work.job.folder.absolute()}".encode()).hexdigest()[:6]
    state = State(f"{work.dataset.output}/{work.job.camera.name}/{work.dataset.name}/{now}-{place}")
    write_document(path, STATE, state, State)
    return state


def _as_of(work: _Work, output: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs with the calibrations of the day that was asked for; nothing where none was."""
    day = work.job.calibrations_as_of
    if day is None:
        return {}
    named = {"repository": found["repository"], "collections": found["collections"]}
    request = {**named, "day": day.isoformat(), "into": f"{output}/calibrations-as-of-{day}"}
    return ask(work, "dated", request, writes=on_disk(found["repository"]))


def _named(dataset: Stored) -> dict[str, object]:
    """Return what a data set's entry names, as it stands there."""
    return {
        "repository": dataset.repository,
        "pipeline": dataset.pipeline,
        "collections": list(dataset.collections),
        "queries": [dataset.query, *(step.query for step in dataset.steps)],
    }


def _counted(attempt: Attempt, number: int, total: int) -> Attempt:
    return replace(attempt, before=number / total, share=1 / total)


def _emptied(folder: Path) -> None:
    import shutil  # noqa: PLC0415 - only where bundles are fetched

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a data set's folder; waits for a process of an earlier, killed night to be gone."""
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _note_traceback(job: Job) -> None:
    log = job.folder / "logs" / f"{job.step.stage}.log"
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as stream:
            traceback.print_exc(file=stream)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _in_short(caveats: tuple[str, ...]) -> str:
    more = f" (and {len(caveats) - 1} more)" if len(caveats) > 1 else ""
    return f"{caveats[0]}{more}" if caveats else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
