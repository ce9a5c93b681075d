"""Means over all pairs of stars within some separation, block by block: pairs are never held all at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from qa.errors import MissingExtraError
from qa.metrics.base import Estimate
from qa.metrics.sphere import pairs_between, separation, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MOST = 2_000_000
"""Pairs held at a time: some 100 MB with all that is made of them."""


def blocks_between(
    ra: Floats, dec: Floats, low: float, high: float, *, most: int = MOST
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs (first < second) of positions (n,) with low <= separation < high, angles in radian.

    A block holds about `most` pairs, or those of a single position where these are more. Time goes with the number
    of pairs, memory with that of positions and with `most`.
    """
    try:
        from scipy.spatial import cKDTree  # noqa: PLC0415 - the light core runs without scipy
    except ImportError:
        raise MissingExtraError(extra="pipeline", module="scipy") from None
    points = unit_vectors(ra, dec)
    # The tree measures chords, the cut angles: the margin keeps pairs on the edge for the cut to decide.
    reach = 2 * math.sin(high / 2) * (1 + 1e-9)
    tree = cKDTree(points)
    neighbours = tree.query_ball_point(points, reach, return_length=True) if len(points) else np.zeros(0, np.int64)
    if neighbours.sum() <= 2 * most:
        yield pairs_between(ra, dec, low, high) if len(points) else (neighbours, neighbours)
        return
    order = np.asarray(tree.indices, dtype=np.int64)
    # Each pair is found from both ends, and one of them drops it.
    block = np.cumsum(neighbours[order]) // (2 * most)
    for here in np.split(order, np.flatnonzero(np.diff(block)) + 1):
        near = cKDTree(points[here]).sparse_distance_matrix(tree, reach, output_type="ndarray")
        first, second = here[near["i"]], near["j"].astype(np.int64)
        once = first < second
        first, second = first[once], second[once]
        apart = separation(ra[first], dec[first], ra[second], dec[second])
        keep = (low <= apart) & (apart < high)
        yield first[keep], second[keep]


class PairMean:
    """Running mean of numbers that belong to pairs of `size` things, with the error of `statistics.pair_mean_error`."""

    def __init__(self, size: int) -> None:
        self._sums, self._counts = np.zeros(size), np.zeros(size)
        self._total = self._square = 0.0
        self.n = 0

    def add(self, values: Floats, first: Ints, second: Ints) -> None:
        """Take in the values (n,) of pairs (n,) of things."""
        for ends in (first, second):
            self._sums += np.bincount(ends, values, minlength=len(self._sums))
            self._counts += np.bincount(ends, minlength=len(self._counts))
        self._total += float(values.sum())
        self._square += float(np.sum(values**2))
        self.n += len(values)

    def estimate(self) -> Estimate:
        """Return mean, number of pairs and dyadic standard error (Aronow, Samii & Assenova 2015, eq. 4)."""
        mean = self._total / self.n
        things = self._sums - mean * self._counts
        alone = max(self._square - self.n * mean**2, 0.0)
        return Estimate(mean, self.n, math.sqrt(max(float(np.sum(things**2)) - alone, alone)) / self.n)
