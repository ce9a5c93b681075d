"""Which engine carries out a job: the one its camera's registry entry asks for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

from qa.engines.base import StepReport
from qa.errors import EngineError, ObsqaError
from qa.model import StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qa.engines.base import Engine, Job, Progress


class Place(StrEnum):
    """Where a step is carried out."""

    LOCAL = "local"
    CONTAINER = "container"
    BATCH = "batch"
    STACK = "stack"
    SUITE = "suite"


OURS = frozenset({"twin", "raws"})
"""Kinds of data sets that obsqa's own stages process, in the container of the camera if it has one.

Those of the other kinds are steered from here, and only the commands they run are run in containers.
"""


def place_of(job: Job) -> Place:
    """Tell where a job belongs: a batch system before a container before this machine.

    What lies in others' repositories is steered from here.
    """
    runtime = job.camera.runtime
    if job.dataset.kind == "butler":
        return Place.STACK
    if job.dataset.kind == "suite":
        return Place.SUITE
    if getattr(runtime, "batch", None) is not None:
        return Place.BATCH
    if runtime.image is not None and job.dataset.kind in OURS:
        return Place.CONTAINER
    return Place.LOCAL


@dataclass(slots=True)
class RoutingEngine:
    """Passes each job on to the engine of its place; engines are made when the first job needs them."""

    makers: Mapping[Place, Callable[[], Engine]]
    _made: dict[Place, Engine] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step where it belongs; an engine that is not there is a failed outcome."""
        began = time.monotonic()
        try:
            return self._engine(place_of(job)).run(job, progress)
        except ObsqaError as error:
            wall = time.monotonic() - began
            return StepReport(StepOutcome(job.step, StepStatus.FAILED, wall, 0.0, 0.0, str(error)))

    def _engine(self, place: Place) -> Engine:
        with self._lock:
            if place not in self._made:
                if place not in self.makers:
                    msg = f"no engine carries out steps in a {place}; known: {', '.join(self.makers)}"
                    raise EngineError(msg)
                self._made[place] = self.makers[place]()
            return self._made[place]
