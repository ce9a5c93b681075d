"""Matching catalogues: of one detector to the reference, and of the visits to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import pdtrc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SEARCH = 45.0
"""Arcsec: pointing error plus distortion that voting can bridge."""

CELLS = (0.75, 1.5, 3.0)
"""Arcsec: radius of the votes, tried in turn. Distortion and rotation smear the offsets of a detector by as much."""

VOTERS = 300
"""Brightest stars that vote; as many of the reference per area, times `CONTRAST`."""

CONTRAST = 2.0
AROUND = 5.0
"""Cells around a candidate in which its competitors are counted."""

CHANCE = 1e-4
"""Expected number of accidental agreements as strong as the one that is believed."""

FEWEST_VOTES = 3
RADII = (2.0, 1.0, 0.6, 0.4)
"""Arcsec: the radius shrinks as the map of a detector is refined."""

LINEAR, QUADRATIC = 6, 24
"""Matches asked for before a linear, a quadratic map is fitted to a detector."""


def unique_pairs(a: Floats, b: Floats, radius: float) -> tuple[Ints, Ints]:
    """Find the indices of points of `a` and `b`, shape (n, 2), that are each other's nearest within `radius`."""
    if not len(a) or not len(b):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    distance, nearest = cKDTree(b).query(a, distance_upper_bound=radius)
    mine = np.flatnonzero(np.isfinite(distance))
    _, back = cKDTree(a).query(b[nearest[mine]])
    mine = mine[back == mine]
    return mine, nearest[mine]


def brightest(positions: Floats, magnitudes: Floats, count: int) -> Floats:
    """Select the positions of the `count` brightest, the brightest first."""
    return positions[np.argsort(magnitudes, kind="stable")[:count]]


def vote(a: Floats, b: Floats, *, search: float = SEARCH, cells: Sequence[float] = CELLS) -> Floats | None:
    """Offset b - a that most pairs agree on, or None where no offset stands out from chance.

    Parameters
    ----------
    a, b
        Positions, shape (n, 2), arcsec, the brightest first: only the first `VOTERS` of `a` vote, for the first of
        `b` near them. So the cost is bounded however many stars there are.
    """
    a, b = _electorate(a, b, search)
    if len(a) < FEWEST_VOTES or len(b) < FEWEST_VOTES:
        return None
    pairs = cKDTree(a).sparse_distance_matrix(cKDTree(b), search, output_type="ndarray")
    if len(pairs) < FEWEST_VOTES:
        return None
    offsets = (b[pairs["j"]] - a[pairs["i"]])[np.lexsort((pairs["j"], pairs["i"]))]
    tree = cKDTree(offsets)
    for cell in cells:
        counts = tree.query_ball_point(offsets, cell, return_length=True)
        best = int(np.argmax(counts))
        around = int(tree.query_ball_point(offsets[best], AROUND * cell, return_length=True)) - int(counts[best])
        chance = max(len(offsets) * (cell / search) ** 2, around / (AROUND**2 - 1))
        if counts[best] >= FEWEST_VOTES and _accidents(len(offsets), int(counts[best]), chance) < CHANCE:
            return np.asarray(np.median(offsets[tree.query_ball_point(offsets[best], cell)], axis=0))
    return None


def _electorate(a: Floats, b: Floats, search: float) -> tuple[Floats, Floats]:
    """Bright stars of `a`, and the bright ones of `b` around them, so that the same stars are in both."""
    if not len(a) or not len(b):
        return a, b
    a = a[:VOTERS]
    low, high = a.min(axis=0), a.max(axis=0)
    near = b[((b > low - search) & (b < high + search)).all(axis=1)]
    growth = np.prod((high - low + 2 * search) / np.maximum(high - low, search))
    return a, near[: int(CONTRAST * growth * len(a)) + 1]


def _accidents(trials: int, count: int, chance: float) -> float:
    """Give the number of pairs expected to have `count` pairs (themselves included) near them, with `chance` others."""
    return trials * float(pdtrc(count - 2, chance))


def significant(matched: int, trials: int, *, density: float, radius: float) -> bool:
    """Whether `matched` of `trials` stars have a partner within `radius` (arcsec) by more than chance.

    The partners lie with `density` per arcsec^2. Chance matches are Poisson distributed.
    """
    expected = trials * density * np.pi * radius**2
    return matched > 0 and float(pdtrc(matched - 1, expected)) < CHANCE


def match_detector(a: Floats, b: Floats, offset: Floats) -> Floats:
    """Positions of a detector's stars once mapped on the reference stars, given a rough offset; shape (n, 2), arcsec.

    The map, which the first `VOTERS` stars of `a` decide, is refined up to second order while the radius shrinks.
    """
    moved = a + offset
    for radius in RADII:
        chosen, partners = unique_pairs(moved[:VOTERS], b, radius)
        if len(chosen) < FEWEST_VOTES:
            break
        moved = a + _smooth(a, chosen, b[partners] - a[chosen])
    return moved


def powers(matched: int) -> list[tuple[int, int]]:
    """List the powers of the polynomial that so many matches allow."""
    order = 2 if matched >= QUADRATIC else 1 if matched >= LINEAR else 0
    return [(n - j, j) for n in range(order + 1) for j in range(n + 1)]


def _smooth(a: Floats, chosen: Ints, shift: Floats) -> Floats:
    """Polynomial map of the shifts at the chosen points, robust, evaluated at all."""
    count, terms = len(chosen), powers(len(chosen))
    u = (a - a[chosen].mean(axis=0)) / max(float(np.ptp(a[chosen])), 1.0)
    basis = np.column_stack([u[:, 0] ** p * u[:, 1] ** q for p, q in terms])
    if len(terms) == 1:
        return np.broadcast_to(np.median(shift, axis=0), a.shape)
    good = np.ones(count, dtype=bool)
    fit = np.zeros((basis.shape[1], 2))
    for _ in range(3):
        fit = np.linalg.lstsq(basis[chosen][good], shift[good], rcond=None)[0]
        miss = np.hypot(*(shift - basis[chosen] @ fit).T)
        good = miss <= 3 * max(float(np.median(miss)), 0.02)
    moved: Floats = basis @ fit
    return moved


def group_visits(positions: Floats, visits: Ints, *, radius: float, seeds: Floats | None = None) -> Ints:
    """Assign detections to objects: at most one of each visit, each within `radius` of the object's first position.

    Parameters
    ----------
    positions
        Shape (n, 2), arcsec on a common plane.
    visits
        The visit of each.
    seeds
        Objects known beforehand (the reference), numbered first.

    Returns
    -------
    groups
        The object of each detection; numbers follow the order of the visits' ids, not of the input.
    """
    known = np.zeros((0, 2)) if seeds is None else seeds
    groups = np.full(len(positions), -1, dtype=np.int64)
    for visit in np.unique(visits):
        mine = np.flatnonzero(visits == visit)
        found, objects = unique_pairs(positions[mine], known, radius)
        groups[mine[found]] = objects
        new = mine[groups[mine] < 0]
        groups[new] = len(known) + np.arange(len(new))
        known = np.concatenate([known, positions[new]])
    return groups
