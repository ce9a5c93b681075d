"""What earlier runs of the commit lane tell of checks: which failed, how long they and the stages took."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from qa.checks import BAD
from qa.errors import DocumentError
from qa.journal import read_record, runs_under
from qa.model import Lane, Status, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from qa.model import Scope, Stage
    from qa.record import RunRecord

MOST = 10
"""How many runs are looked at: what was longer ago says little of today."""


@dataclass(slots=True)
class Past:
    """By camera and name of a check whether it failed, the latest run first, and how long it took (s)."""

    failed: dict[tuple[str, str], list[bool]] = field(default_factory=dict)
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    stages: dict[tuple[str, Stage], list[float]] = field(default_factory=dict)

    def check_seconds(self, camera: str, name: str, *, default: float) -> float:
        """Return how long a check takes (s)."""
        known = self.seconds.get((camera, name))
        return median(known) if known else default

    def stage_seconds(self) -> dict[tuple[str, Stage], float]:
        """Return how long a camera's stages take (s)."""
        return {key: median(known) for key, known in self.stages.items()}


def metric_name(metric: str, scope: Scope) -> str:
    """Return what the check of a metric is called: `metric[PA1-r-t0]`."""
    parts = (metric, scope.band, None if scope.tract is None else f"t{scope.tract}", scope.task)
    return f"metric[{'-'.join(part for part in parts if part)}]"


def past_of(runs: Path) -> Past:
    """Read the last runs of the commit lane; one that cannot be read says nothing."""
    past = Past()
    for record in _latest(runs):
        _add(past, record)
    return past


def _latest(runs: Path) -> Iterable[RunRecord]:
    found = 0
    for folder in reversed(runs_under(runs)):
        try:
            record = read_record(folder)
        except DocumentError:
            continue  # told when that run is asked for
        if record.plan.lane is Lane.COMMIT:
            yield record
            found += 1
        if found == MOST:
            return


def _add(past: Past, record: RunRecord) -> None:
    for check in record.checks.values():
        key = (check.camera, check.name)
        past.failed.setdefault(key, []).append(check.status in BAD)
        past.seconds.setdefault(key, []).append(check.seconds)
    for one in record.comparisons:
        key = (one.scope.camera, metric_name(one.metric, one.scope))
        past.failed.setdefault(key, []).append(one.status is Status.FAIL)
    seconds: dict[tuple[str, Stage], float] = {}
    for outcome in record.outcomes.values():
        if outcome.status is not StepStatus.FAILED:
            place = (outcome.step.camera, outcome.step.stage)
            seconds[place] = seconds.get(place, 0.0) + outcome.wall_seconds
    for place, spent in seconds.items():
        past.stages.setdefault(place, []).append(spent)
