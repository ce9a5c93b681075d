"""What a run brought: its findings beside those of the run before, each with its incident and its requirement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from qa.judging.findings import SEVERITY, STANDING
from qa.judging.judged import Cause, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_registry.model import Camera
    from qa.judging.judged import Finding, Incident
    from qa.notices.model import Want
    from qa.record import RunRecord

OPEN = frozenset({FindingState.OPEN, FindingState.REOPENED})


class Topic(StrEnum):
    """Where an item stands in a digest."""

    NEW = "new"
    FIXED = "fixed"
    STANDING = "still open"


@dataclass(frozen=True, slots=True)
class Item:
    """One finding of a run: whether it is new, the incident that opened it, and what is required of its series."""

    finding: Finding
    topic: Topic
    incident: Incident | None = None
    requirements: tuple[str, ...] = ()

    @property
    def camera(self) -> str:
        """The camera it is about."""
        return self.finding.scope.camera

    def of_cause(self, cause: Cause) -> bool:
        """Tell whether its incident is blamed on something."""
        return self.incident is not None and self.incident.cause is cause

    def is_wanted(self, want: Want) -> bool:
        """Tell whether a subscription asks for it."""
        return (
            want.covers(self.camera)
            and fnmatchcase(self.finding.metric, want.metric)
            and (want.requirement is None or any(_is_like(one, want.requirement) for one in self.requirements))
            and (want.cause is None or self.of_cause(want.cause))
            and SEVERITY.index(self.finding.status) >= SEVERITY.index(want.status)
        )


def items(record: RunRecord, previous: RunRecord | None, cameras: Iterable[Camera]) -> tuple[Item, ...]:
    """Return what there is to say of a run's findings; nothing of those that are acknowledged or not confirmed."""
    before = {one.id: one for one in previous.findings} if previous else {}
    profiles = {camera.name: camera.requirements.profile for camera in cameras}
    required = _required(record, profiles)
    incidents = {one.id: one for run in (previous, record) if run for one in run.incidents}
    return tuple(
        Item(
            one,
            topic,
            incidents.get(one.incident or ""),
            required.get((one.scope.camera, one.metric, one.scope.band), ()),
        )
        for one in record.findings
        if (topic := _topic(one, before.get(one.id))) is not None
    )


def _topic(finding: Finding, before: Finding | None) -> Topic | None:
    """Return where a finding belongs: news is what has another state than in the run before."""
    if finding.state in OPEN:
        return Topic.STANDING if before is not None and before.state is finding.state else Topic.NEW
    mended = before is not None and before.state in STANDING
    return Topic.FIXED if finding.state is FindingState.FIXED and mended else None


def _required(record: RunRecord, profiles: Mapping[str, str]) -> dict[tuple[str, str, str | None], tuple[str, ...]]:
    """Return the names of the requirements on each camera's metrics and bands."""
    return {
        (one.scope.camera, one.metric, one.scope.band): (profiles.get(one.scope.camera, ""), one.ladder.citation)
        for one in record.comparisons
        if one.ladder is not None
    }


def _is_like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())
