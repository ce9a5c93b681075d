"""Chooses the cameras of one night: the overdue first, then those without which a promise would break, then others.

The promise: every sponsored camera is measured on coadds within a week of the last time. What a night takes follows
from a timetable of the nights until every camera is due again. With nights of one length and cameras that take what
they are estimated to, there is such a timetable exactly when the promise can be kept for ever, by repeating it; and who
follows one tonight has one tomorrow. Hours that are left over go to who is due next, which only puts off when it is
due: with cameras that take the same time this is earliest deadline first, which no plan betters, not even one that
knows which nights will be lost. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.planning.timetable import SLACK_HOURS, Item, Timetable, crowded, timetable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

WEEK = timedelta(days=7)
"""Every sponsored camera is measured on coadds within this time of the last."""

NIGHTLY = timedelta(days=1)
"""The time from one night to the next."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A camera that a night could take.

    `hours` is how much of a night it is estimated to take. `last` is when it was last measured on coadds and `tried`
    when it last took part in a run, whatever came of it; None where it never was. `promised` says that it has a
    sponsor. `after` orders those that are equally due: the lower the sooner. A service has no
    `coadds`: of it `last` is when its suites last ran to their end.
    """

    name: str
    hours: float
    last: datetime | None = None
    tried: datetime | None = None
    promised: bool = True
    after: int = 0
    coadds: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """The cameras of a night, in the order in which they are begun, and what the look ahead showed.

    `ahead` is the timetable of the promised cameras that are not overdue, `overfull` how many nights from tonight on
    the hours due are more than there are (None: never). `rest` are the hours of the night that are left.
    """

    taken: tuple[str, ...]
    ahead: Timetable
    overfull: int | None
    rest: float


def choose(candidates: Sequence[Candidate], *, now: datetime, budget: float) -> Choice:
    """Choose the cameras of the night that begins now and has `budget` hours."""
    order = sorted(candidates, key=lambda one: _urgency(one, now))
    taken, rest = _filled((one for one in order if _is_first(one, now)), budget)
    later = [one for one in order if one.promised and one.name not in taken and one.hours <= budget + SLACK_HOURS]
    items = [Item(one.name, one.hours, _last_night(one, now, budget)) for one in later]
    capacity = [rest, *[budget] * max((one.last for one in items), default=0)]
    ahead = timetable(items, capacity)
    until = {one.name: one.last for one in items if ahead.nights.get(one.name) == 0}
    needed = sorted((one for one in order if one.name in until), key=lambda one: until[one.name])
    more, rest = _filled(needed, rest)
    taken += more
    extra, rest = _filled((one for one in order if one.name not in taken), rest)
    return Choice((*taken, *extra), ahead, crowded(items, capacity), rest)


def due(candidate: Candidate) -> datetime | None:
    """Return when a camera must have been measured again; None if it never was."""
    return None if candidate.last is None else candidate.last + WEEK


def is_overdue(candidate: Candidate, now: datetime) -> bool:
    """Tell whether a camera was not measured within a week, or never."""
    until = due(candidate)
    return until is None or until < now


def _is_first(one: Candidate, now: datetime) -> bool:
    """Tell whether a camera is overdue and was not tried in vain within the week: who only fails waits its turn."""
    in_vain = one.tried is not None and (one.last is None or one.tried > one.last) and now - one.tried < WEEK
    return one.promised and is_overdue(one, now) and not in_vain


def _last_night(one: Candidate, now: datetime, budget: float) -> int:
    """Return the last night, tonight being 0, whose end is within a week of the last measurement.

    A camera that is overdue, and for which tonight has no room, has the week from the last attempt.
    """
    until = due(one)
    if until is None or until < now:
        until = WEEK + (now if _is_first(one, now) or one.tried is None else one.tried)
    return max(0, (until - now - timedelta(hours=budget)) // NIGHTLY)


def _urgency(one: Candidate, now: datetime) -> tuple[bool, bool, float, int, float, str]:
    """Order: promised, overdue and not in vain, longest ago, and the shorter where that is equal."""
    age = float("-inf") if one.last is None else one.last.timestamp()
    return not one.promised, not _is_first(one, now), age, one.after, one.hours, one.name


def _filled(candidates: Iterable[Candidate], hours: float) -> tuple[tuple[str, ...], float]:
    """Take candidates in order as long as they fit, passing over those that do not."""
    taken: list[str] = []
    for one in candidates:
        if one.hours <= hours + SLACK_HOURS:
            taken.append(one.name)
            hours -= one.hours
    return tuple(taken), max(0.0, hours)
