"""How much of a night a camera takes, from what its steps took in nights before. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median_high
from typing import TYPE_CHECKING

from qa.model import Lane, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from obs_registry.model import Camera
    from qa.model import StepOutcome
    from qa.record import RunRecord

DEFAULT_HOURS = 1.0
"""What a data set of which nothing is known is taken to need, in hours of one slot."""

RECENT = 5
"""From how many of its last passes a data set's hours are estimated; one outlier among them moves nothing."""

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The hours of one slot that a camera is estimated to take; `passes` counts the nights this rests on, 0 if none.

    With several data sets it is the number of the least known.
    """

    hours: float
    passes: int


@dataclass(frozen=True, slots=True)
class Experience:
    """What is known of the runs before: passes of data sets, latest first, and when each camera was last tried.

    A pass is the hours of one slot that a data set took, and whether it came through. `ended` is when each camera last
    came through with all its data sets.
    """

    passes: Mapping[tuple[str, str], tuple[tuple[float, bool], ...]]
    tried: Mapping[str, datetime]
    ended: Mapping[str, datetime] = field(default_factory=dict)


def experience(records: Iterable[RunRecord]) -> Experience:
    """Gather what runs took, given latest first; those that were cut off or only read files teach nothing."""
    passes: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    tried: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for record in records:
        if record.finished is None or record.plan.lane is Lane.IMPORTED:
            continue
        for camera in record.plan.cameras:
            tried[camera] = max(record.started, tried.get(camera, record.started))
            if record.completed(camera):
                ended[camera] = max(record.finished, ended.get(camera, record.finished))
        for key, one in _passes(record).items():
            passes.setdefault(key, []).append(one)
    return Experience({key: tuple(found) for key, found in passes.items()}, tried, ended)


def estimate(camera: Camera, lane: Lane, known: Experience) -> Estimate:
    """Estimate what a camera's data sets of a lane take together."""
    names = [dataset.name for dataset in camera.datasets if dataset.lane.value == lane.value]
    found = [_of_dataset(known.passes.get((camera.name, name), ())) for name in names]
    return Estimate(sum(one.hours for one in found), min((one.passes for one in found), default=0))


def _of_dataset(passes: tuple[tuple[float, bool], ...]) -> Estimate:
    """Take the median of recent whole passes; of a data set that never came through, at least what it took in vain."""
    whole = [hours for hours, came_through in passes if came_through][:RECENT]
    if whole:
        return Estimate(median_high(whole), len(whole))
    return Estimate(max((DEFAULT_HOURS, *(hours for hours, _ in passes[:RECENT]))), 0)


def _passes(record: RunRecord) -> dict[tuple[str, str], tuple[float, bool]]:
    found: dict[tuple[str, str], tuple[float, bool]] = {}
    for step in record.plan.steps:
        outcome = record.outcomes.get(step.key)
        hours, so_far = found.get((step.camera, step.dataset), (0.0, True))
        ended_well = outcome is not None and outcome.status is not StepStatus.FAILED
        found[step.camera, step.dataset] = (hours + _slot_hours(outcome), so_far and ended_well)
    return found


def _slot_hours(outcome: StepOutcome | None) -> float:
    """Return what a step took of one slot: its time, or that of its processors where it had more than one."""
    return 0.0 if outcome is None else max(outcome.wall_seconds, outcome.cpu_seconds) / _HOUR
