"""A year of nights in a second: cameras whose durations vary, whose leases end, and nights that are lost. Pure.

What each night takes is chosen by the planner, from what the nights before took. The week before every broken promise
is put before somebody who knows its lost nights and true durations: what could have been kept, the plan has broken.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median_high
from typing import TYPE_CHECKING

from qa.planning.estimate import DEFAULT_HOURS, RECENT
from qa.planning.night import NIGHTLY, WEEK, Candidate, choose
from qa.planning.timetable import Item, timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

NIGHTS_A_WEEK = WEEK // NIGHTLY


@dataclass(frozen=True, slots=True)
class Sky:
    """A camera of the simulation: what it takes in each night, and until which night it has a sponsor, and is run."""

    name: str
    hours: Callable[[int], float]
    sponsored_until: int = 10**9
    runs_until: int = 10**9


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise broken at the end of a night; `avoidable` where somebody who knew the week could have kept it."""

    camera: str
    night: int
    avoidable: bool


@dataclass(slots=True)
class History:
    """What the nights so far brought: when each camera was measured and tried, what it took, and the state of each."""

    last: dict[str, datetime] = field(default_factory=dict)
    tried: dict[str, datetime] = field(default_factory=dict)
    took: dict[str, list[float]] = field(default_factory=dict)
    states: list[dict[str, datetime]] = field(default_factory=list)
    used: list[float] = field(default_factory=list)

    def estimate(self, name: str) -> float:
        """Estimate as `qa.planning.estimate` does."""
        known = self.took.get(name, [])[-RECENT:]
        return median_high(known) if known else DEFAULT_HOURS


@dataclass(frozen=True, slots=True)
class Year:
    """What came of a simulation."""

    broken: tuple[Broken, ...]
    history: History

    @property
    def avoidable(self) -> tuple[Broken, ...]:
        """The promises that the plan broke."""
        return tuple(one for one in self.broken if one.avoidable)


def simulate(
    skies: Sequence[Sky],
    *,
    start: datetime,
    nights: int,
    budget: float,
    lost: Collection[int] = (),
    known: bool = False,
) -> Year:
    """Plan and live a number of nights of `budget` hours; those numbered in `lost` bring nothing.

    All cameras were measured at `start`; with `known` it is also known what they took. A night ends when its hours are
    over, whatever was planned: a camera that is not through by then was tried in vain.
    """
    history, broken = History(dict.fromkeys((sky.name for sky in skies), start)), []
    history.took |= {sky.name: [sky.hours(0)] for sky in skies if known}
    for night in range(nights):
        now = start + night * NIGHTLY
        history.states.append(dict(history.last))
        if night not in lost:
            _live(skies, history, night, now=now, budget=budget)
        for sky in skies:
            if night < sky.sponsored_until and _breaks(history, sky.name, now=now):
                avoidable = _avoidable(sky, skies, history, night, start=start, budget=budget, lost=lost)
                broken.append(Broken(sky.name, night, avoidable))
    return Year(tuple(broken), history)


def _live(skies: Sequence[Sky], history: History, night: int, *, now: datetime, budget: float) -> None:
    running = {sky.name: sky for sky in skies if night < sky.runs_until}
    candidates = [
        Candidate(
            name,
            history.estimate(name),
            last=history.last.get(name),
            tried=history.tried.get(name),
            promised=night < sky.sponsored_until,
        )
        for name, sky in running.items()
    ]
    used = 0.0
    for name in choose(candidates, now=now, budget=budget).taken:
        hours = running[name].hours(night)
        history.tried[name] = now
        if used + hours > budget + 1e-9:
            used = budget
            break
        used += hours
        history.took.setdefault(name, []).append(hours)
        history.last[name] = now + timedelta(hours=used)
    history.used.append(used)


def _breaks(history: History, name: str, *, now: datetime) -> bool:
    """Tell whether a promise breaks within the day that begins with a night; one is not broken anew every day."""
    return now < history.last[name] + WEEK <= now + NIGHTLY


def _avoidable(
    sky: Sky,
    skies: Sequence[Sky],
    history: History,
    night: int,
    *,
    start: datetime,
    budget: float,
    lost: Collection[int],
) -> bool:
    """Tell whether somebody who knows the last week could have kept every promise of it, from where it began."""
    first = max(0, night - NIGHTS_A_WEEK + 1)
    state = history.states[first]
    capacity = [0.0 if one in lost else budget for one in range(first, night + 1)]
    items = []
    for one in skies:
        until = state[one.name] + WEEK
        left = (until - (start + first * NIGHTLY) - timedelta(hours=budget)) // NIGHTLY
        if first + left > night or one.sponsored_until <= night:
            continue
        hours = max(one.hours(number) for number in range(first, night + 1))
        items.append(Item(one.name, hours, max(0, left)))
    return sky.name in {one.name for one in items} and not timetable(items, capacity).unplaced


def lapse(sky: Sky, *, night: int, retired: int) -> Sky:
    """Return a camera whose lease ends with a night, and which is retired later."""
    return replace(sky, sponsored_until=night, runs_until=retired)
