"""How strongly the last nights of a series speak for a new level: a generalised likelihood ratio of clipped shocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.changes.noise import Noise

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

LENGTHS = {
    2: (1, 1),
    3: (2, 1),
    4: (2, 2),
    5: (4, 1),
    6: (4, 2),
    8: (4, 4),
    10: (8, 2),
    12: (8, 4),
    16: (8, 8),
    20: (16, 4),
    24: (16, 8),
    32: (16, 16),
}
"""How many nights the new level may be old, each with the two lengths whose sums make its sum."""

MEMORY, YOUTH = 0.2, 120.0
"""What is not known of the noise, as extra variance of the evidence: per unit of memory, and over the squared number of
values learnt from. By simulation, as the threshold."""

HIDDEN, SHOWN = 6.0, 45
"""The same of a memory that so few values cannot show: at first, falling to none at that number of values."""

FREEDOM = 6.0
"""Degrees of freedom of the evidence per value that is as good as independent: the fewer, the heavier its tail."""

FIRST_SHOCK = 0.25
"""How much further out a shock may count, per unit of memory: there a new level shows in full in its first one only."""

LEAP = 1.0
"""How many shocks the newest night may count for beyond the one before it: one night far out is no step yet."""

LONGEST = max(LENGTHS)


def shocks(values: Floats, noise: Noise) -> Floats:
    """Return by how many shocks each value but the first differs from what the night before foretold, clipped.

    An outlier the night before may have been a fault of that night, which foretells nothing, or real, which does:
    anything between what it foretells and what a value at the clip would is as expected.
    """
    reach = noise.clip * noise.spread
    before = values[:-1] - noise.level
    value = values[1:] - noise.level
    foretold = noise.memory * before
    at_most = noise.memory * np.clip(before, -reach, reach)
    surprise = value - np.clip(value, np.minimum(foretold, at_most), np.maximum(foretold, at_most))
    clip = noise.clip * (1.0 + FIRST_SHOCK * noise.memory) * np.sqrt(1.0 + _youth(noise))
    return np.clip(surprise / noise.shock, -clip, clip)


def weigh(psi: Floats, noise: Noise) -> tuple[Floats, Ints]:
    """Return for the last nights of `psi`, one per row of `noise`, the strongest evidence and the new level's age.

    A step of the level shows in full in its first shock and with 1 - memory in the later ones; the evidence is their
    matched filter, normalised by the variance of the shocks and of the level, which was learnt from `count` values. A
    spread that was learnt as well gives it the tail of Student t, which is brought back to that of known noise.
    The newest night counts for little more than the one before. Positive when the values rose. Ages are nights; the
    evidence is 0 where there were fewer than two shocks.
    """
    points = len(noise.level)
    fresh = 1.0 - noise.memory
    doubt = _doubt(noise)
    over = _unconfirmed(psi)[len(psi) - points :]
    sums, strongest, age = {1: psi}, np.zeros(points), np.zeros(points, dtype=np.intp)
    for length, (recent, older) in LENGTHS.items():
        sums[length] = _joined(sums, recent, older)
        usable = min(points, len(sums[length]))
        if not usable:
            break
        late = slice(points - usable, None)
        weight = fresh[late]
        first = psi[len(psi) - length + 1 - usable : len(psi) - length + 1]
        signal = 1.0 + weight * (length - 1)
        variance = (1.0 + weight * weight * (length - 1) + signal * signal / noise.count[late]) * doubt[late]
        rest = sums[length][len(sums[length]) - usable :] - over[late]
        found = ((1.0 - weight) * first + weight * rest) / np.sqrt(variance)
        better = np.abs(found) > np.abs(strongest[late])
        strongest[late] = np.where(better, found, strongest[late])
        age[late] = np.where(better, length, age[late])
    freedom = FREEDOM * noise.known * fresh / (1.0 + noise.memory)
    return np.sign(strongest) * np.sqrt(freedom * np.log1p(strongest * strongest / freedom)), age


def _unconfirmed(psi: Floats) -> Floats:
    """Return how much of each shock does not count yet: what goes further than the night before by more than `LEAP`."""
    before = np.concatenate([[0.0], psi[:-1]])
    highest, lowest = np.maximum(before, 0.0) + LEAP, np.minimum(before, 0.0) - LEAP
    return psi - np.clip(psi, lowest, highest)


def _doubt(noise: Noise) -> Floats:
    """Return by what the variance of the evidence exceeds that of known noise.

    The long-run variance of an AR(1) series learnt from n values has a relative error of about
    (1 + phi) / (1 - phi) / n.
    """
    error = (1.0 + noise.memory) / ((1.0 - noise.memory) * noise.count)
    return (1.0 + MEMORY * noise.memory) * (1.0 + error + _youth(noise))


def _youth(noise: Noise) -> Floats:
    """Return what few values leave unknown, as extra variance."""
    return YOUTH / (noise.count * noise.count) + HIDDEN * np.maximum(0.0, 1.0 - noise.known / SHOWN)


def _joined(sums: dict[int, Floats], recent: int, older: int) -> Floats:
    """Return sums over `recent + older` consecutive values, from those over each."""
    late = sums[recent][older:]
    return late + sums[older][: len(late)]
