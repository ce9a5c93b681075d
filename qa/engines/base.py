"""The port `Engine`, and what every engine is given and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qa.model import Result, Step, StepOutcome

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from obs_registry.model import Camera, Dataset
    from qa.foreign.model import Definition

Progress = Callable[[Step, int, int], None]
"""Called with a step, how much of it is done and how much there is to do."""


@dataclass(frozen=True, slots=True)
class Job:
    """A step with all that is needed to carry it out; `folder` is the data set's own folder in the run.

    `keep_pixels` keeps the images that only later tasks need; `workers` is how many processes share the quanta of a
    pipeline. `calibrations_as_of` is the day (UTC) whose calibrations are used, None for those of today.
    """

    step: Step
    camera: Camera
    dataset: Dataset
    folder: Path
    cache: Path
    recipes: Path
    keep_pixels: bool = False
    workers: int = 1
    calibrations_as_of: date | None = None


@dataclass(frozen=True, slots=True)
class StepReport:
    """What came of a step: its outcome, and for the measuring step the results.

    `definitions` say what is known of metrics that are not in obsqa's own catalogue.
    """

    outcome: StepOutcome
    results: tuple[Result, ...] = ()
    caveats: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()


class Engine(Protocol):
    """Carries out steps. A step that fails is an outcome, never an exception."""

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step and wait for it."""
        ...
