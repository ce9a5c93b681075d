"""Puts things that take hours whole into nights that have hours, each into its last possible night or an earlier one.

Whether that can be done is asked exactly, by search; without a bound on the search the answer is a proof. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SLACK_HOURS = 1e-6
"""Sums of hours are equal within this."""

MOST_TRIES = 20_000
"""Placements tried before the search is given up: about a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Item:
    """What takes a number of hours, in the night numbered `last` (from 0) or before."""

    name: str
    hours: float
    last: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """The night of each item by name, and the items that found no place. `proven`: no timetable has them all."""

    nights: dict[str, int]
    unplaced: tuple[str, ...] = ()
    proven: bool = False


def timetable(items: Sequence[Item], capacity: Sequence[float]) -> Timetable:
    """Place items in nights, those with the earliest last night first and as early as they fit.

    Parameters
    ----------
    items
        What is to be placed, the most urgent first; one with `last` beyond the nights there are may take any.
    capacity
        Hours of each night.
    """
    ordered = sorted(items, key=lambda one: (one.last, -one.hours, one.name))
    if crowded(ordered, capacity) is not None:
        return _as_far_as_it_goes(items, capacity, proven=True)
    search = _Search(ordered, list(capacity))
    if search.place(0):
        return Timetable(dict(zip((one.name for one in ordered), search.chosen, strict=True)))
    return _as_far_as_it_goes(items, capacity, proven=search.tries < MOST_TRIES)


def crowded(items: Sequence[Item], capacity: Sequence[float]) -> int | None:
    """Return the first night up to which more hours are due than there are; None if there is no such night.

    Where there is one, nobody can keep every last night: not even one who could divide items.
    """
    for night in range(len(capacity)):
        due = sum(one.hours for one in items if one.last <= night)
        if due > sum(capacity[: night + 1]) + SLACK_HOURS:
            return night
    return None


@dataclass(slots=True)
class _Search:
    """Depth first: each item into each night it may have, the earliest first; the same state is not tried again."""

    items: Sequence[Item]
    free: list[float]
    chosen: list[int] = field(default_factory=list)
    tries: int = 0
    dead: set[tuple[int, tuple[float, ...]]] = field(default_factory=set)

    def place(self, index: int) -> bool:
        """Place the items from `index` on; False if that cannot be done, or was given up."""
        if index == len(self.items):
            return True
        state = (index, tuple(round(hours, 6) for hours in self.free))
        if state in self.dead:
            return False
        item = self.items[index]
        for night in range(min(item.last + 1, len(self.free))):
            if item.hours > self.free[night] + SLACK_HOURS:
                continue
            self.tries += 1
            if self.tries >= MOST_TRIES:
                return False
            self.free[night] -= item.hours
            self.chosen.append(night)
            if self.place(index + 1):
                return True
            self.chosen.pop()
            self.free[night] += item.hours
        self.dead.add(state)
        return False


def _as_far_as_it_goes(items: Sequence[Item], capacity: Sequence[float], *, proven: bool) -> Timetable:
    """Place each item in the first night it fits in, whatever becomes of the others."""
    free, nights, unplaced = list(capacity), {}, []
    for item in sorted(items, key=lambda one: one.last):
        fits = [night for night in range(min(item.last + 1, len(free))) if item.hours <= free[night] + SLACK_HOURS]
        if fits:
            free[fits[0]] -= item.hours
            nights[item.name] = fits[0]
        else:
            unplaced.append(item.name)
    return Timetable(nights, tuple(unplaced), proven=proven)
