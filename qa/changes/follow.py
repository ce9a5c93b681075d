"""A level followed through new values until it is left: one call takes as many values as belong to it.

Everything depends on the values alone and not on how many come in one call, so that a history read at once and the
same nights one at a time end in the same state with the same reports, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qa.changes.budget import FAR, far_out
from qa.changes.evidence import LONGEST, shocks, weigh
from qa.changes.noise import FURTHEST, ROUNDING, WINDOW, Noise, learn
from qa.changes.shape import LOOK_BACK, describe
from qa.changes.state import Level
from qa.judging.judged import ShiftKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from qa.changes.budget import Budget

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Excursion = tuple[datetime, float, float]

IDENTICAL, IDENTICAL_AGAIN, IDENTICAL_AFTER_NOISE = 3, 2, 20
"""How many equal values make a level without noise: at first, after another such level, and after one with noise."""

FIRST, FIRST_AFTER_ANOTHER = 8, 5
"""Values to learn a series from before it is judged, and a new level of a known series."""

HELD_BACK, PART = 24, 4
"""The last values nothing is learnt from yet, lest a change be learnt before it is found: of a few, one in four."""

LESSONS, SELDOM = {16: 1, 32: 4, 64: 8}, 16
"""Up to how many values something is learnt with every one, every fourth .. of them, and how often from then on."""

BORROWED = 24
"""Values of a new level up to which its noise is taken to be no less than that of the level before."""

ENOUGH_FOR_SPIKES = 44
"""Values from which the tail of a series is judged."""

REACH = 2.0
"""How many clips one night counts for where the shape of a change is sought, which is abrupt or not."""

DRIFTING = 64
"""Values of a level found in a drift within which another drift is the same one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A change before it belongs to a metric; `spread` is the noise that it stands out of, in the metric's unit."""

    kind: ShiftKind
    began: datetime
    found: datetime
    before: float
    after: float
    spread: float
    chance: float


@dataclass(frozen=True, slots=True)
class Values:
    """Finite values in order, at least one, with their nights."""

    values: Floats
    nights: Sequence[datetime]

    def __len__(self) -> int:
        return len(self.values)

    def upto(self, end: int) -> Values:
        """Return the first ones."""
        return Values(self.values[:end], self.nights[:end])

    def since(self, start: int) -> Values:
        """Return the later ones."""
        return Values(self.values[start:], self.nights[start:])


def follow(level: Level, new: Values, budget: Budget) -> tuple[Level, int, list[Found]]:
    """Follow a level through new values.

    Returns
    -------
    level
        The level after the values taken: a new one where a step or drift was found.
    taken
        How many values were taken: all, unless the level was left.
    found
        What was found in them, in the order of the nights.
    """
    first = level.values[0] if level.values else float(new.values[0])
    if level.noise or any(value != first for value in level.values):
        return _follow_noise(level, new, budget)
    other = np.abs(new.values - first) > ROUNDING * abs(first)
    same = int(np.argmax(other)) if other.any() else len(new)
    # What differs by rounding counts as equal, and is remembered so.
    level = _append(level, Values(np.full(same, first), new.nights))
    if same == len(new):
        return level, same, []
    if level.count >= _identical(level):
        level, found = _changed_bits(level, float(new.values[same]), new.nights[same])
        return level, same + 1, [found]
    level, taken, several = _follow_noise(level, new.since(same), budget)
    return level, same + taken, several


def _identical(level: Level) -> int:
    """Return how many equal values make this level one without noise."""
    if level.quiet:
        return IDENTICAL_AGAIN
    return IDENTICAL_AFTER_NOISE if level.carried else IDENTICAL


def _changed_bits(level: Level, value: float, night: datetime) -> tuple[Level, Found]:
    """Report a step of a series that repeats to the bit: no second night is needed."""
    before = level.values[0]
    spread = ROUNDING * max(abs(before), abs(value))
    step = Found(ShiftKind.STEP, night, night, before=before, after=value, spread=spread, chance=0.0)
    return Level(count=1, values=(value,), nights=(night,), quiet=True), step


def _follow_noise(level: Level, new: Values, budget: Budget) -> tuple[Level, int, list[Found]]:
    """Follow a level with noise through new values."""
    full = np.concatenate([level.values, new.values])
    ends = _lessons(level, len(new))
    # A level's values from here on are at their place in it less this.
    offset = level.count - len(level.values)
    held = np.minimum(HELD_BACK, (ends - FIRST_AFTER_ANOTHER) // PART)
    learnt = learn(full, ends - held - offset).borrowing(level.carried, BORROWED).after(level.noise)
    which = np.searchsorted(ends, np.arange(level.count, level.count + len(new)), side="right")
    which += len(learnt.level) - len(ends) - 1
    unjudged = int(np.searchsorted(which, 0))
    if unjudged == len(new):
        return _append(level, new), len(new), []
    start = len(level.values) + unjudged
    noise = learnt.take(which[unjudged:])
    series = _Judged(full[start - 1 :], (*level.nights, *new.nights)[-len(new) + unjudged :], noise)
    psi = np.concatenate([level.shocks, shocks(full[start - 1 :], noise)])
    evidence, age = weigh(psi, noise)
    left = np.abs(evidence) > budget.threshold()
    stop = int(np.argmax(left)) if left.any() else len(left)
    level, found = _spikes(level, series, stop, budget)
    if stop < len(left):
        taken = unjudged + stop + 1
        known = _append(level, new.upto(taken))
        level, shift = _leave(known, float(evidence[stop]), int(age[stop]), budget)
        return level, taken, [*found, shift]
    late = tuple(psi[-(LONGEST - 1) :].tolist())
    level = replace(_append(level, new), shocks=late, noise=learnt.row(int(which[-1])))
    return level, len(new), found


def _lessons(level: Level, new: int) -> Ints:
    """Return the numbers of values at which something is learnt before one of the `new` values is judged.

    At first with every value, later seldom: what is known then changes little.
    """
    first = FIRST_AFTER_ANOTHER if level.carried else FIRST
    counts = np.arange(max(level.count, first), level.count + new)
    every = np.select([counts < until for until in LESSONS], list(LESSONS.values()), SELDOM)
    lessons: Ints = counts[counts % every == 0]
    return lessons


@dataclass(frozen=True, slots=True)
class _Judged:
    """Values that are judged, with one before them, their nights, and what is known before each."""

    values: Floats
    nights: Sequence[datetime]
    noise: Noise


def _spikes(level: Level, series: _Judged, stop: int, budget: Budget) -> tuple[Level, list[Found]]:
    """Return the level with the excursion that lasts after the first `stop` values, and the spikes that are over."""
    noise, excursion, wildest, found = series.noise, level.excursion, level.wildest, list[Found]()
    away = np.abs(series.values[1:] - noise.level)
    far = (away > FAR * noise.spread) & (noise.count >= ENOUGH_FOR_SPIKES)
    after = np.concatenate([[excursion is not None], far[:-1]])
    for at in np.flatnonzero((far | after)[:stop]).tolist():
        spread = float(noise.spread[at])
        usual = min(max(float(noise.furthest[at]), wildest / spread), FURTHEST)
        excess = float(away[at]) / (spread * far_out(usual, float(noise.count[at])))
        if far[at] and excess > 1.0:
            excursion = excursion or (series.nights[at], float(series.values[at + 1]), excess)
        elif excursion is not None:
            began, peak, times = excursion
            before, chance = float(noise.level[at]), budget.chance_of_spike(times)
            found.append(Found(ShiftKind.SPIKE, began, series.nights[at], before, peak, spread, chance))
            excursion, wildest = None, max(wildest, abs(peak - before))
    return replace(level, excursion=excursion, wildest=wildest), found


def _leave(level: Level, evidence: float, age: int, budget: Budget) -> tuple[Level, Found]:
    """Report that a level was left, and begin the next one with the values since."""
    values = np.array(level.values)
    noise = learn(values, np.array([len(values) - age])).borrowing(level.carried, BORROWED)
    before, spread, sign = float(noise.level[0]), float(noise.spread[0]), 1.0 if evidence > 0 else -1.0
    shape = describe(sign * (values - before), age=age, reach=REACH * float(noise.clip[0]) * spread)
    chance = budget.chance(evidence)
    began, found = level.nights[-shape.nights], level.nights[-1]
    if shape.rise is None:
        late = level.values[-shape.nights :]
        after = float(np.median(late))
        report = Found(ShiftKind.STEP, began, found, before, after, spread, chance)
        return _begin(late, level, noise.row(0)), report
    after = before + sign * shape.rise
    drift = (began, before)
    if level.drift and level.count <= DRIFTING and (before > level.drift[1]) == (sign > 0):
        drift = level.drift
    report = Found(ShiftKind.DRIFT, drift[0], found, drift[1], after, spread, chance)
    return replace(_begin(level.values[-FIRST_AFTER_ANOTHER:], level, noise.row(0)), drift=drift), report


def _begin(late: tuple[float, ...], old: Level, carried: tuple[float, ...]) -> Level:
    """Return a level that begins with the last values of another."""
    nights = old.nights[-len(late) :]
    return Level(count=len(late), values=late, nights=nights, carried=carried, wildest=old.wildest)


def _append(level: Level, new: Values) -> Level:
    """Add values to the memory of a level; nothing is learnt from them yet."""
    return replace(
        level,
        count=level.count + len(new),
        values=(level.values + tuple(new.values.tolist()))[-WINDOW - HELD_BACK :],
        nights=(level.nights + tuple(new.nights[: len(new)]))[-LOOK_BACK:],
    )
