"""One digest for each person: what of a run they subscribed to or answer for, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.judging.findings import WAIVER
from qa.judging.judged import Cause
from qa.model import Lane
from qa.notices.leases import all_due
from qa.notices.news import Topic, items

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from obs_registry.model import Camera
    from qa.notices.model import Person
    from qa.notices.news import Item
    from qa.record import RunRecord


@dataclass(frozen=True, slots=True)
class Digest:
    """What one person is told of one run, and why that person is.

    `items` are findings, `leases` sentences.
    """

    person: Person
    record: RunRecord
    items: tuple[Item, ...]
    leases: tuple[str, ...]
    because: tuple[str, ...]

    def of(self, topic: Topic) -> tuple[Item, ...]:
        """Return the findings of one topic."""
        return tuple(one for one in self.items if one.topic is topic)

    @property
    def has_news(self) -> bool:
        """Whether there is anything that was not said before."""
        return bool(self.leases) or any(one.topic is not Topic.STANDING for one in self.items)


def digests(
    record: RunRecord,
    previous: RunRecord | None,
    people: Iterable[Person],
    *,
    cameras: Sequence[Camera],
    today: date,
) -> tuple[Digest, ...]:
    """Return the digests of a run: of those who have news, and of those who want one always.

    Parameters
    ----------
    record, previous
        The run and the judged one before it of the same lane, if there was one.
    people
        See `qa.notices.people.everybody`.
    cameras
        The cameras of the registry.
    today
        The day on which leases are looked at; only nights speak of them.
    """
    found = items(record, previous, cameras)
    last = previous.plan.created.date() if previous else None
    leases = all_due(cameras, last, today) if record.plan.lane is Lane.NIGHTLY else {}
    made = (_digest(person, record, found, leases) for person in people)
    return tuple(one for one in made if one.has_news or one.person.always)


def _digest(person: Person, record: RunRecord, found: Iterable[Item], leases: dict[str, str]) -> Digest:
    reasons = [(one, _reasons(person, one)) for one in found]
    told = {camera: why for camera in leases if (why := _lease_reasons(person, camera))}
    because = dict.fromkeys(reason for _, why in (*reasons, *told.items()) for reason in why)
    return Digest(
        person=person,
        record=record,
        items=tuple(one for one, why in reasons if why),
        leases=tuple(leases[camera] for camera in told),
        because=(*because, *(("you asked for a digest of every run",) if person.always else ())),
    )


def _reasons(person: Person, item: Item) -> tuple[str, ...]:
    """Return why somebody is told of a finding: by blame, and by subscription."""
    answers = item.of_cause(Cause.CAMERA) or item.finding.kind == WAIVER
    sponsors = (f"you sponsor {item.camera}",) if answers and item.camera in person.sponsors else ()
    return (*sponsors, *(f"you subscribed to {want}" for want in person.wants if item.is_wanted(want)))


def _lease_reasons(person: Person, camera: str) -> tuple[str, ...]:
    roles = (("you sponsor", person.sponsors), ("you are the deputy of", person.deputy_of))
    answers = [f"{role} {camera}" for role, cameras in roles if camera in cameras]
    wants = [want for want in person.wants if want.is_of_cameras and want.covers(camera)]
    return (*answers, *(f"you subscribed to {want}" for want in wants))
