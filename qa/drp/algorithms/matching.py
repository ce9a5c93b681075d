"""Matching catalogues: of one detector to the reference, and of the visits to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SEARCH = 10.0
"""Arcsec: pointing error plus distortion that voting can bridge."""

CELL = 0.75
"""Arcsec: bin of the votes; the distortion changes by less over one detector."""

FEWEST_VOTES = 3
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


def vote(a: Floats, b: Floats, *, search: float = SEARCH, cell: float = CELL) -> Floats | None:
    """Offset b - a that most pairs agree on, or None where no offset stands out.

    Parameters
    ----------
    a, b
        Positions, shape (n, 2), arcsec.
    """
    if not len(a) or not len(b):
        return None
    pairs = cKDTree(a).query_ball_tree(cKDTree(b), search)
    first = np.repeat(np.arange(len(a)), [len(found) for found in pairs])
    second = np.array([index for found in pairs for index in sorted(found)], dtype=np.int64)
    if len(first) < FEWEST_VOTES:
        return None
    offsets = b[second] - a[first]
    tree = cKDTree(offsets)
    counts = tree.query_ball_point(offsets, cell, return_length=True)
    best = int(np.argmax(counts))
    chance = len(offsets) * (cell / search) ** 2
    if counts[best] < FEWEST_VOTES + 3 * np.sqrt(chance) + chance:
        return None
    return np.asarray(np.median(offsets[tree.query_ball_point(offsets[best], cell)], axis=0))


def match_detector(a: Floats, b: Floats, offset: Floats) -> Floats:
    """Positions of a detector's stars once mapped on the reference stars, given a rough offset; shape (n, 2), arcsec.

    The map is refined up to second order while the radius shrinks.
    """
    moved = a + offset
    for radius in (2.0, 1.0, 0.6, 0.4):
        chosen, partners = unique_pairs(moved, b, radius)
        if len(chosen) < FEWEST_VOTES:
            break
        moved = a + _smooth(a, chosen, b[partners] - a[chosen])
    return moved


def _smooth(a: Floats, chosen: Ints, shift: Floats) -> Floats:
    """Polynomial map of the shifts at the chosen points, robust, evaluated at all."""
    count = len(chosen)
    order = 2 if count >= QUADRATIC else 1 if count >= LINEAR else 0
    u = (a - a[chosen].mean(axis=0)) / max(float(np.ptp(a[chosen])), 1.0)
    basis = np.column_stack([u[:, 0] ** (n - j) * u[:, 1] ** j for n in range(order + 1) for j in range(n + 1)])
    if order == 0:
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
