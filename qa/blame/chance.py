"""How far metrics move by themselves: the number of series that would cross by chance among all that were judged."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.blame.moved import Moved

OPTIMISM = 0.8
"""Spreads are learned from few nights or assumed: a move of 1 sigma is taken for 0.8, which makes the tail fatter."""

OUTLIERS = 3e-4
"""Share of all values that are outliers of any size: a glitch of the night and not of the normal law."""

TERMS = 60
"""Terms of the Poisson tail that are summed."""


def expected(sigma: float, judged: int) -> float:
    """Return how many of `judged` series move by `sigma` spreads or more, up or down, by themselves."""
    return judged * (OUTLIERS + math.erfc(OPTIMISM * sigma / math.sqrt(2)))


def tail(count: int, mean: float) -> float:
    """Return the probability of `count` or more events where `mean` are expected (Poisson)."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    logs = (
        at * math.log(mean) - mean - math.lgamma(at + 1) for at in range(count, count + TERMS + 2 * math.ceil(mean))
    )
    return min(1.0, math.fsum(map(math.exp, logs)))


def coincidence(members: Sequence[Moved], judged: int) -> tuple[int, float, float] | None:
    """Return the number of independent moves, how many were to be expected, and the chance of so many.

    The times of all tasks rise together on a busy machine: resources count as one. None where no member tells how far
    it moved.
    """
    resources = [one.sigma for one in members if one.resource and one.sigma is not None]
    others = [one.sigma for one in members if not one.resource and one.sigma is not None]
    sizes = others + ([median(resources)] if resources else [])
    if not sizes:
        return None
    mean = expected(median(sizes), judged)
    return len(sizes), mean, tail(len(sizes), mean)
