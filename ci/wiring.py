"""The composition root: from settings to the things a night uses."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ci.console import make_console
from ci.lanes import Context
from obs_registry.loader import read_registry
from qa.drp.command import process_environment
from qa.engines.local import LocalEngine
from qa.errors import InfrastructureError, UnknownNameError
from qa.model import NotRun
from qa.provenance import collect
from qa.store import SqlStore

if TYPE_CHECKING:
    from ci.settings import Settings
    from obs_registry.errors import Fault
    from obs_registry.model import Camera

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


def make_context(
    settings: Settings, asked: tuple[str, ...] = (), *, jobs: int | None = None, keep_pixels: bool = False
) -> Context:
    """Build what a night uses."""
    os.environ.update(WORKERS)
    console = make_console()
    try:
        store = SqlStore.beside(settings.runs)
    except InfrastructureError as error:
        console.say(f"warning: {error}")
        store = None
    healthy, faulty = read_cameras(settings, asked)
    stop = Event()
    for one in faulty:
        console.say(f"warning: {one.reason}")
    return Context(
        settings=settings,
        cameras=healthy,
        faulty=faulty,
        asked=asked,
        engine=LocalEngine(stop=stop),
        store=store,
        clock=lambda: datetime.now(UTC),
        console=console,
        provenance=collect(healthy, recipes=settings.regression_data),
        jobs=jobs or os.cpu_count() or 1,
        keep_pixels=keep_pixels,
        stop=stop,
    )
