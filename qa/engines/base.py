"""The port `Engine`, and what every engine is given and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qa.model import Result, Step, StepOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from obs_registry.model import Camera, Dataset

Progress = Callable[[Step, int, int], None]
"""Called with a step, how much of it is done and how much there is to do."""


@dataclass(frozen=True, slots=True)
class Job:
    """A step with all that is needed to carry it out; `folder` is the data set's own folder in the run.

    `keep_pixels` keeps the images that only later tasks need; `workers` is how many processes share the quanta of a
    pipeline.
    """

    step: Step
    camera: Camera
    dataset: Dataset
    folder: Path
    cache: Path
    recipes: Path
    keep_pixels: bool = False
    workers: int = 1


@dataclass(frozen=True, slots=True)
class StepReport:
    """What came of a step: its outcome, and for the measuring step the results."""

    outcome: StepOutcome
    results: tuple[Result, ...] = ()
    caveats: tuple[str, ...] = ()


class Engine(Protocol):
    """Carries out steps. A step that fails is an outcome, never an exception."""

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out one step and wait for it."""
        ...
