"""A night as a chain of stages, each of which can be repeated alone: plan, run, judge, remember, report."""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import TYPE_CHECKING

from ci.budget import budgeted, same_night
from ci.lineage import with_lineage
from ci.naming import claimed, new_run_id
from ci.slots import Slots
from qa.blame.facts import PACKAGES, count_packages
from qa.engines.availability import stack_facts, unavailable
from qa.engines.base import Job
from qa.errors import DocumentError, InfrastructureError, RequestError
from qa.journal import FILE_NAME, Journal, read_record, runs_under
from qa.model import Lane, Plan, Stage, StepStatus, Trigger
from qa.plan import make_plan
from qa.record import Measured, RunStarted, StepFinished, StepStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from ci.console import LineConsole
    from ci.settings import Settings
    from obs_registry.model import Camera
    from qa.engines.base import Engine
    from qa.model import NotRun, Step
    from qa.record import RunRecord
    from qa.store import Store


SHARED = frozenset({Stage.CALIBRATIONS, Stage.PROCESS})
"""Stages that share their work among several processes where slots are free."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a night uses and does not make itself; built in `ci.wiring`.

    `budget_hours` is what a night may be planned for, `ends` when the time that was given is over.
    """

    settings: Settings
    cameras: Sequence[Camera]
    engine: Engine
    store: Store | None
    clock: Callable[[], datetime]
    console: LineConsole
    provenance: dict[str, str]
    asked: Collection[str] = ()
    faulty: Sequence[NotRun] = ()
    jobs: int = 2
    keep_pixels: bool = False
    stop: Event = field(default_factory=Event)
    calibrations_as_of: date | None = None
    budget_hours: float | None = None
    ends: datetime | None = None

    def camera(self, name: str) -> Camera:
        """Return a camera by name."""
        return next(camera for camera in self.cameras if camera.name == name)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run while its steps are carried out; the journal is written to by one thread at a time."""

    context: Context
    folder: Path
    journal: Journal
    slots: Slots
    lock: Lock = field(default_factory=Lock)
    calibrations_as_of: date | None = None


def open_run(context: Context, *, lane: Lane, trigger: Trigger, fresh: bool) -> Path:
    """Return the folder of the run to work on: the last one if it was cut off, else a new one."""
    return open_planned(context, fresh_plan(context, lane, trigger), fresh=fresh)


def open_planned(context: Context, plan: Plan, *, fresh: bool) -> Path:
    """Return the folder to carry out a plan in: the last run's, if it had the same plan and was cut off."""
    context = _with_stacks(context, plan)
    last = None if fresh else _cut_off(context, plan)
    if last is not None:
        context.console.say(f"continuing {last.name}, which was cut off")
        return last
    plan, line = with_lineage(plan, context.provenance, context.settings.runs, day=context.calibrations_as_of)
    if line:
        context.console.say(line)
    for one in plan.left_out:
        context.console.say(f"{one.camera}/{one.dataset} is left out: {one.reason}")
    plan = claimed(context.settings.runs, plan, tag=context.settings.tag)
    folder = context.settings.runs / plan.run_id
    with Journal(folder / FILE_NAME, context.clock) as journal:
        journal.append(RunStarted(plan, context.provenance))
    return folder


def _with_stacks(context: Context, plan: Plan) -> Context:
    """Return the context with the facts of the environments in which others' pipelines are going to run."""
    facts = stack_facts(context.cameras, ((step.camera, step.dataset) for step in plan.steps))
    known = context.provenance | facts
    return replace(context, provenance=known | {PACKAGES: str(count_packages(known))}) if facts else context


def run_steps(context: Context, folder: Path) -> RunRecord:
    """Carry out the steps that are not done yet, cameras side by side; one camera's failure stops no other."""
    with Journal(folder / FILE_NAME, context.clock) as journal:
        record = read_record(folder)
        slots, day = Slots(context.jobs, cameras=len(record.plan.cameras)), record.plan.calibrations_as_of
        run = _Run(context, folder, journal, slots, calibrations_as_of=day)
        with ThreadPoolExecutor(context.jobs) as pool:
            tasks = [pool.submit(_run_camera, run, name) for name in record.plan.cameras]
            try:
                wait(tasks, return_when=FIRST_EXCEPTION)
            finally:
                # Reached early only when a task raised or the user interrupted: let no new step begin.
                if not all(task.done() for task in tasks):
                    context.stop.set()
        for task in tasks:
            task.result()
        return read_record(folder)


def run_until(context: Context, folder: Path, camera: str, *, last: Stage) -> RunRecord:
    """Carry out one camera's steps up to a stage, as far as they are not done yet, with all the slots there are."""
    order = list(Stage)
    with Journal(folder / FILE_NAME, context.clock) as journal:
        record = read_record(folder)
        day = record.plan.calibrations_as_of
        run = _Run(context, folder, journal, Slots(context.jobs, cameras=1), calibrations_as_of=day)
        steps = [one for one in record.plan.steps if one.camera == camera and not record.is_done(one)]
        with run.slots.camera():
            for step in steps:
                if order.index(step.stage) > order.index(last) or not _run_step(run, step):
                    break
    return read_record(folder)


def measure_again(context: Context, folder: Path) -> None:
    """Harvest the repositories of a run's processed data sets again."""
    record = read_record(folder)
    processed = {(step.camera, step.dataset) for step in record.plan.steps if _processed(record, step)}
    with Journal(folder / FILE_NAME, context.clock) as journal:
        run = _Run(context, folder, journal, Slots(1, cameras=0))
        for step in record.plan.steps:
            wanted = not context.asked or step.camera in context.asked
            if step.stage is Stage.MEASURE and wanted and (step.camera, step.dataset) in processed:
                _run_step(run, step)


def _processed(record: RunRecord, step: Step) -> bool:
    return step.stage is Stage.PROCESS and record.is_done(step)


def remember(context: Context, record: RunRecord) -> None:
    """Put a run into the history; a history that cannot be written costs a warning, not the night."""
    if context.store is None:
        return
    try:
        context.store.save(record)
    except InfrastructureError as error:
        context.console.say(f"warning: {error}")


def find_run(runs: Path, name: str) -> Path:
    """Return the folder of a run by its id, its path (also seen from the folder of all runs), or `latest`.

    Raises
    ------
    RequestError
        If there is no such run.
    """
    known = runs_under(runs)
    if name == "latest" and known:
        return known[-1]
    for folder in (runs / name, runs.parent / name):
        if folder in known:
            return folder
    from pathlib import Path  # noqa: PLC0415 - typing only elsewhere

    for folder in (Path(name), runs / name):
        if (folder / FILE_NAME).is_file():
            return folder
    shown = ", ".join(folder.name for folder in known[-3:]) or "none"
    msg = f"no run is called {name!r} under {runs}; the last ones: {shown}"
    raise RequestError(msg)


def _run_camera(run: _Run, name: str) -> None:
    """Take one camera through its steps, in order; a data set that fails ends there and stops no other."""
    record = read_record(run.folder)
    failed: set[str] = set()
    with run.slots.camera():
        for step in (step for step in record.plan.steps if step.camera == name):
            if record.is_done(step) or step.dataset in failed:
                continue
            if run.context.stop.is_set():
                return
            if not _run_step(run, step):
                failed.add(step.dataset)


def _run_step(run: _Run, step: Step) -> bool:
    context = run.context
    with run.lock:
        run.journal.append(StepStarted(step))
    with run.slots.all_free() if step.stage in SHARED else nullcontext(1) as workers:
        report = context.engine.run(_job(run, step, workers), context.console.progress)
    if context.stop.is_set() and report.outcome.status is StepStatus.FAILED:
        return False  # cut off with us, to be continued: not a failure of the step
    with run.lock:
        if step.stage is Stage.MEASURE and report.outcome.status is not StepStatus.FAILED:
            found = (report.results, report.caveats, report.definitions)
            run.journal.append(Measured(step.camera, step.dataset, *found))
        run.journal.append(StepFinished(report.outcome))
    context.console.finished(report.outcome)
    return report.outcome.status is not StepStatus.FAILED


def _job(run: _Run, step: Step, workers: int) -> Job:
    context = run.context
    camera = context.camera(step.camera)
    dataset = next(dataset for dataset in camera.datasets if dataset.name == step.dataset)
    place = run.folder / camera.name / dataset.name
    place.mkdir(parents=True, exist_ok=True)
    settings = context.settings
    return Job(
        step=step,
        camera=camera,
        dataset=dataset,
        folder=place,
        cache=settings.cache,
        recipes=settings.regression_data,
        keep_pixels=context.keep_pixels,
        workers=workers,
        calibrations_as_of=run.calibrations_as_of,
    )


def fresh_plan(context: Context, lane: Lane, trigger: Trigger) -> Plan:
    """Plan a run as of now, under a new id."""
    now = context.clock()
    asked = [camera for camera in context.cameras if not context.asked or camera.name in context.asked]
    plan = make_plan(
        context.cameras,
        run_id=new_run_id(context.settings.runs, now, tag=context.settings.tag),
        lane=lane,
        trigger=trigger,
        created=now,
        last_coadds=context.store.last_coadds() if context.store else {},
        asked=context.asked,
        unavailable=unavailable(asked, lane.value),
    )
    return budgeted(context, replace(plan, not_run=(*plan.not_run, *context.faulty)))


def _cut_off(context: Context, plan: Plan) -> Path | None:
    """Return the last run if it never ended and was the same night with the same software."""
    known = runs_under(context.settings.runs)
    record = _readable_record(context, known[-1]) if known else None
    if record is None:
        return None
    same_software = _software(record.provenance) == _software(context.provenance)
    if record.finished is not None or not same_night(context, record.plan, plan):
        return None
    Journal(known[-1] / FILE_NAME, context.clock).close()  # refused where another process is still at it
    if not same_software:
        context.console.say(f"{known[-1].name} was cut off, but the software changed since: starting anew")
        return None
    return known[-1]


def _readable_record(context: Context, run: Path) -> RunRecord | None:
    try:
        return read_record(run)
    except DocumentError as error:
        context.console.say(f"warning: {error}")
        return None


SOFTWARE = ("package ", "data ", "config ", "calibrations ", "refcat ", "container ")
"""Facts that say what a run computes; those of the machine may change when a run is continued."""


def _software(facts: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in facts.items() if name.startswith(SOFTWARE) or name == "revision"}
