"""What a series is expected to do, learnt robustly from its own last values: level, spread, memory from night to night.

Rows are independent windows, so a history at once and a night at a time give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

WINDOW = 200
"""Values of the present level that are remembered."""

MAD_TO_SIGMA = 1.4826022185056018
"""Standard deviation of a Gaussian over its median absolute deviation."""

MEAN_TO_SIGMA = 1.2533141373155003
"""Standard deviation of a Gaussian over its mean absolute deviation, for series with half their values equal."""

ROUNDING = 1e-9
"""Values that differ by less than this, relative to their size, are the same: sums are rounded."""

LEAST = 1e-100
"""A number small enough to be no noise, and large enough to be divided by."""

FURTHEST = 1e9
"""Deviations in spreads that are as good as infinite."""

WINSOR = 3.0
"""Values further out than this many robust deviations count as this far out."""

MEMORY = 0.9
"""Largest correlation from night to night that is believed: beyond it level and drift cannot be told apart."""

ASSUMED, UNTIL = 0.5, 44
"""Memory that a series is taken to have at least before anything is known of it, and the number of values that tell.

So few cannot tell memory from chance, and taking a series that has it for one without costs most of the budget."""

CLIP, CLIPPED = 4.0, 2.7
"""How far out one night counts: in a series without outliers, and in one with `OUTLYING` of them or more."""

UNSEEN = 0.25
"""Outliers to expect in a series that has shown none yet."""

OUTLYING = 0.025
"""Share of values beyond `WINSOR` that makes a series heavy-tailed."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Arrays of one kind of number each, an element per learnt window.

    `level` and `spread` (standard deviation about it, cleaned of outliers) are in the metric's unit, `memory` is the
    correlation with the night before, `shock` the standard deviation of what that does not foretell, `clip` how many
    shocks one night may count for, `furthest` the largest deviation in spreads and `count` the values learnt from;
    `known` counts those of the levels before as well.
    """

    level: Floats
    spread: Floats
    memory: Floats
    shock: Floats
    clip: Floats
    furthest: Floats
    count: Floats
    known: Floats

    def take(self, rows: Ints) -> Noise:
        """Return some of the windows, in the order given."""
        return Noise(*(getattr(self, name)[rows] for name in self.__slots__))

    def row(self, index: int) -> tuple[float, ...]:
        """Return the numbers of one window, in the order of the fields."""
        return tuple(float(getattr(self, name)[index]) for name in self.__slots__)

    def after(self, row: tuple[float, ...]) -> Noise:
        """Return these windows after one that `row` gave, if it is not empty."""
        if not row:
            return self
        joined = (np.concatenate([[one], getattr(self, name)]) for name, one in zip(self.__slots__, row, strict=True))
        return Noise(*joined)

    def borrowing(self, row: tuple[float, ...], until: int) -> Noise:
        """Return these windows after the level whose last one gave `row`: as noise it is known from there.

        Those of fewer than `until` values are no quieter.
        """
        if not row:
            return self
        old = Noise(*(np.array([one]) for one in row))
        young = self.count < until
        return replace(
            self,
            spread=np.where(young, np.maximum(self.spread, old.spread), self.spread),
            memory=np.where(young, old.memory, self.memory),
            shock=np.where(young, np.maximum(self.shock, old.shock), self.shock),
            clip=np.where(young, np.minimum(self.clip, old.clip), self.clip),
            furthest=np.where(young, np.maximum(self.furthest, old.furthest), self.furthest),
            known=self.count + old.known,
        )


def learn(values: Floats, ends: Ints) -> Noise:
    """Learn from the last `WINDOW` values before each end.

    The spread is a one-step winsorised deviation about a winsorised mean, started from median and MAD (Maronna &
    Zamar 2002, Technometrics 44, 307, in its simplest form); the memory is the lag-one autocorrelation of the
    winsorised values with the bias (1 + 4 phi) / n taken back (Marriott & Pope 1954, Biometrika 41, 390).
    """
    padded = np.concatenate([np.full(WINDOW, np.inf), values])
    windows = sliding_window_view(padded, WINDOW)[ends]
    count = np.minimum(ends, WINDOW)
    there = np.isfinite(windows)
    middle = _median(windows, count)
    away = np.where(there, windows, middle[:, None]) - middle[:, None]
    unit = _unit(away, there, count)
    outlying = np.clip(away / unit[:, None], -WINSOR, WINSOR)
    shift = outlying.sum(axis=1) / count
    centred = np.where(there, outlying - shift[:, None], 0.0)
    power = (centred * centred).sum(axis=1)
    memory = _memory(centred, power, count)
    shocks = centred[:, 1:] - memory[:, None] * centred[:, :-1]
    # The first value has none before it that could foretell it.
    shocks = np.where(there[:, :-1], shocks, 0.0)
    level = middle + unit * shift
    least = np.maximum(ROUNDING * np.abs(level), LEAST)
    spread = np.maximum(unit * np.sqrt(power / np.maximum(count - 1, 1)), least)
    beyond = (np.abs(outlying) >= WINSOR).sum(axis=1)
    return Noise(
        level=level,
        spread=spread,
        memory=memory,
        shock=np.maximum(unit * np.sqrt((shocks * shocks).sum(axis=1) / np.maximum(count - 2, 1)), least),
        clip=CLIP - (CLIP - CLIPPED) * np.minimum(1.0, (beyond + UNSEEN) / (OUTLYING * count)),
        furthest=np.minimum(np.abs(away).max(axis=1) / spread, FURTHEST),
        count=count.astype(np.float64),
        known=count.astype(np.float64),
    )


def _median(windows: Floats, count: Ints) -> Floats:
    """Return the median of each row's finite values; what is not there is infinite and sorts last."""
    ordered = np.sort(windows, axis=1)
    rows = np.arange(len(windows))
    return 0.5 * (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2])


def _unit(away: Floats, there: NDArray[np.bool_], count: Ints) -> Floats:
    """Return a robust standard deviation, of at least the smallest positive number that can be divided by."""
    size = np.abs(away)
    mad = MAD_TO_SIGMA * _median(np.where(there, size, np.inf), count)
    mean = MEAN_TO_SIGMA * size.sum(axis=1) / count
    return np.maximum(np.where(mad > 0, mad, mean), LEAST)


def _memory(centred: Floats, power: Floats, count: Ints) -> Floats:
    products = (centred[:, 1:] * centred[:, :-1]).sum(axis=1)
    found = products / np.where(power > 0, power, 1.0)
    assumed = ASSUMED * np.maximum(0.0, 1.0 - count / UNTIL)
    memory: Floats = np.maximum(np.clip(found + (1 + 4 * found) / count, 0.0, MEMORY), assumed)
    return memory
