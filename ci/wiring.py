"""The composition root: from settings to the things a night uses."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ci.console import make_console
from ci.lanes import Context
from ci.lineage import settings_as_of
from ci.stores import night_store
from obs_registry.loader import read_registry
from qa.drp.command import process_environment
from qa.engines.docker_images import image_facts
from qa.engines.local import LocalEngine
from qa.engines.route import Place, RoutingEngine
from qa.errors import UnknownNameError
from qa.model import NotRun
from qa.provenance.facts import collect

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from ci.settings import Settings
    from obs_registry.errors import Fault
    from obs_registry.model import Camera
    from qa.engines.base import Engine

# What the processes of the steps start with.
WORKERS = {
    **process_environment({}),
    # glibc: keep the memory of an image for the next one, in large pages; taking and giving back small ones costs a
    # sixth of the CPU time.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    # What a killed step leaves of semaphores is cleared away by Python, without a word in the night's log.
    "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
}


def read_cameras(settings: Settings, asked: tuple[str, ...] = ()) -> tuple[list[Camera], list[NotRun]]:
    """Return the cameras of the registry, and those whose files have faults.

    Raises
    ------
    UnknownNameError
        If a camera asked for does not exist.
    """
    reading, kind = read_registry(settings.registry), "camera"
    known = {*reading.registry, *(fault.camera for fault in reading.faults)}
    for name in asked:
        if name not in known:
            raise UnknownNameError(kind, name, sorted(known))
    faults: dict[str, Fault] = {}
    for fault in reading.faults:
        # A camera that a second file describes runs by its first one: what does not run is the file.
        twice = fault.camera in reading.registry
        if not asked or fault.camera in asked:
            faults.setdefault(Path(fault.file).name if twice else fault.camera, fault)
    return list(reading.registry.values()), [NotRun(name, f"registry: {fault}") for name, fault in faults.items()]


def engines(stop: Event, say: Callable[[str], None]) -> dict[Place, Callable[[], Engine]]:
    """Return what makes the engine of each place; `stop` ends what they carry out."""

    def container() -> Engine:
        from qa.engines.container import ContainerEngine  # noqa: PLC0415 - only where a camera has an image

        return ContainerEngine.ready(WORKERS, stop=stop, say=say)

    def stack() -> Engine:
        from qa.engines.stack import StackEngine  # noqa: PLC0415 - only where a repository of others is processed

        return StackEngine(stop=stop)

    def batch() -> Engine:
        from qa.engines.batch import BatchEngine  # noqa: PLC0415 - only where a camera has a batch system

        return BatchEngine(stop=stop)

    def suite() -> Engine:
        from qa.engines.suite import SuiteEngine  # noqa: PLC0415 - only where there are suites

        return SuiteEngine(stop=stop)

    return {
        Place.LOCAL: lambda: LocalEngine(stop=stop),
        Place.STACK: stack,
        Place.CONTAINER: container,
        Place.BATCH: batch,
        Place.SUITE: suite,
    }


def make_context(
    settings: Settings,
    asked: tuple[str, ...] = (),
    *,
    jobs: int | None = None,
    keep_pixels: bool = False,
    calibrations_as_of: date | None = None,
    budget_hours: float | None = None,
) -> Context:
    """Build what a night uses; one repeated with the calibrations of an earlier day is apart from all nights."""
    os.environ.update(WORKERS)
    if calibrations_as_of is not None:
        settings = settings_as_of(settings, calibrations_as_of)
    console = make_console()
    healthy, faulty = read_cameras(settings, asked)
    stop = Event()
    for one in faulty:
        console.say(f"warning: {one.reason}")
    return Context(
        settings=settings,
        cameras=healthy,
        faulty=faulty,
        asked=asked,
        engine=RoutingEngine(engines(stop, console.say)),
        store=night_store(settings, console.say) if calibrations_as_of is None else None,
        clock=lambda: datetime.now(UTC),
        console=console,
        provenance=collect(healthy, recipes=settings.regression_data, calibrations_as_of=calibrations_as_of)
        | image_facts({camera.name: camera.runtime.image for camera in healthy if camera.runtime.image}),
        jobs=jobs or os.cpu_count() or 1,
        keep_pixels=keep_pixels,
        stop=stop,
        calibrations_as_of=calibrations_as_of,
        budget_hours=budget_hours,
        ends=None if budget_hours is None else datetime.now(UTC) + timedelta(hours=budget_hours),
    )
