"""The composition root: from settings to the things a night uses."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ci.console import make_console
from ci.lanes import Context
from obs_registry.loader import load_registry
from qa.engines.local import LocalEngine
from qa.errors import InfrastructureError, UnknownNameError
from qa.provenance import collect
from qa.store import SqlStore

if TYPE_CHECKING:
    from ci.settings import Settings
    from obs_registry.model import Camera

# One thread per process: cameras run side by side, and sums are the same from night to night.
SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def choose_cameras(settings: Settings, names: tuple[str, ...]) -> list[Camera]:
    """Return the named cameras of the registry, or all of them.

    Raises
    ------
    UnknownNameError
        If there is no camera of a name.
    """
    registry, kind = load_registry(settings.registry), "camera"
    for name in names:
        if name not in registry:
            raise UnknownNameError(kind, name, sorted(registry))
    return [camera for camera in registry.values() if not names or camera.name in names]


def make_context(settings: Settings, cameras: tuple[str, ...], *, jobs: int | None = None) -> Context:
    """Build what a night uses."""
    for name in SINGLE_THREADED:
        os.environ[name] = "1"
    console = make_console()
    try:
        store = SqlStore.beside(settings.runs)
    except InfrastructureError as error:
        console.say(f"warning: {error}")
        store = None
    return Context(
        settings=settings,
        cameras=choose_cameras(settings, cameras),
        engine=LocalEngine(),
        store=store,
        clock=lambda: datetime.now(UTC),
        console=console,
        provenance=collect(),
        jobs=jobs or os.cpu_count() or 1,
    )
