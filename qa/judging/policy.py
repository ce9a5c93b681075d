"""What a camera's results answer to, and the leave that lets a failure be a warning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from qa.judging import wording
from qa.judging.spread import RESOURCES
from qa.metrics.base import Direction
from qa.model import Comparison, Ladder, Level, Status
from qa.requirements.ladder import rank, reached
from qa.requirements.waivers import waiver_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from qa.metrics.base import MetricDefinition
    from qa.requirements.waivers import Waiver


class Targets(Protocol):
    """What asks something of metrics: a requirements document, or the targets that imported files quote."""

    def ladder(self, metric: str, band: str | None) -> Ladder | None:
        """Return what is asked of a metric in a band, None for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What a camera's results answer to: the requirements, its gate level, and whether it gates at all.

    `waivers` hold as of `today`; without a day none does. `same_processor` are the runs known to have been made on a
    processor like tonight's.
    """

    requirements: Targets | None = None
    gate: Level = Level.MINIMUM
    gating: bool = True
    waivers: tuple[Waiver, ...] = ()
    today: date | None = None
    same_processor: Collection[str] = ()


def level_of(value: float, ladder: Ladder | None, direction: Direction) -> Level:
    """Return the level a value in the ladder's unit reaches; a metric best at zero is judged by its size."""
    return reached(abs(value) if direction is Direction.ZERO else value, ladder)


def is_below(level: Level, gate: Level) -> bool:
    """Tell whether a level is below a gate; a metric without requirement is not."""
    return level is not Level.NOT_APPLICABLE and rank(level) < rank(gate)


def facing(ladder: Ladder | None, policy: Policy) -> Policy:
    """Return the policy towards a metric with one target: no more than that is asked of it, whatever the gate."""
    if ladder is None or ladder.only is None or rank(ladder.only) >= rank(policy.gate):
        return policy
    return replace(policy, gate=ladder.only)


def soften(judged: Comparison, definition: MetricDefinition, policy: Policy) -> Comparison:
    """Give leave: resources, cameras that do not gate and waived values warn where others fail."""
    if judged.status is not Status.FAIL:
        return judged
    if definition.family == RESOURCES:
        return _warning(judged, wording.RESOURCES_WARN)
    if not policy.gating:
        return _warning(judged, wording.NOT_GATING)
    waiver = _waiver(judged, definition, policy)
    if waiver is None or policy.today is None:
        return judged
    if waiver.holds(policy.today):
        return _warning(judged, wording.waived(waiver))
    return replace(judged, reason=wording.appended(judged.reason, wording.expired(waiver)))


def _warning(judged: Comparison, leave: str) -> Comparison:
    return replace(judged, status=Status.WARN, reason=wording.appended(judged.reason, leave))


def _waiver(judged: Comparison, definition: MetricDefinition, policy: Policy) -> Waiver | None:
    """Return the waiver of a value below the gate; a failing one that was accepted below it is a deficit that grew."""
    old = judged.baseline and level_of(judged.baseline.value, judged.ladder, definition.direction)
    if not is_below(judged.level, policy.gate) or (old and is_below(old, policy.gate)):
        return None
    return waiver_of(policy.waivers, judged.metric, judged.scope.band)
