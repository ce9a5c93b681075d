"""The correlation xi_+ as TreeCorr approximates it: pairs of groups of stars stand for pairs of stars.

The LSST stack's published TE1 and TE2 were measured with TreeCorr 4 (Jarvis, Bernstein & Jain 2004, MNRAS 352, 338) at
its default tolerance, which moves them by several percent from the sum over all pairs that `qa.metrics.shapes` takes.
Only what the stack measured is compared with this. It is plain Python: seconds for some ten thousand stars.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Estimate, column, radians, require
from qa.metrics.groups import Selection, select
from qa.metrics.sphere import ARCMIN, to_angles, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Complexes = NDArray[np.complex128]
    Point = tuple[float, float, float]

STARS = Selection(snr=50.0)
FEWEST = 50
LEAST_LEVELS, MOST_LEVELS = 3, 10
"""So many levels of the tree are skipped at the top, whatever the sizes of its cells."""
BOTH = 0.3422
"""Of two cells alike both are divided when the square of the smaller is above this times that of the tolerance."""
SLOP = 0.1


@dataclass(frozen=True, slots=True)
class Binning:
    """Logarithmic bins of separation, in arcmin, and the largest tolerance in log(r): 0 takes all pairs one by one."""

    bins: int = 20
    low: float = 0.25
    high: float = 20.0
    slop: float = SLOP

    @property
    def width(self) -> float:
        """Width of a bin in log(r)."""
        return math.log(self.high / self.low) / self.bins

    @property
    def tolerance(self) -> float:
        """How far off log(r) of a pair of cells may be from those of its stars."""
        return min(self.slop, self.width)


@dataclass(frozen=True, slots=True)
class Cell:
    """Stars that are near each other: their mean position and sum of ellipticities, and the largest distance from it.

    The halves are None where it is not to be divided.
    """

    place: Point
    sum: complex
    number: int
    size: float
    halves: tuple[Cell, Cell] | None = None


def _single(value: complex) -> complex:
    # TreeCorr keeps sums of ellipticities in single precision.
    return complex(np.complex64(value))


def _direction(one: Point, other: Point) -> complex:
    """Direction, of any length, of a point from the other one as seen there, x to the east."""
    apart = sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
    north = (one[2] - other[2]) + 0.5 * other[2] * apart
    return complex(one[1] * other[0] - one[0] * other[1], -north)


def _turn(direction: complex) -> complex:
    """Return exp(-2 i alpha) of a direction alpha; 1 where there is none."""
    square = direction * direction
    size = abs(direction) ** 2
    return square.conjugate() / size if size > 0 else 1 + 0j


def _transported(value: complex, start: Point, end: Point) -> complex:
    """Turn an ellipticity from one point to another as TreeCorr 4 does, which is against parallel transport.

    On small fields the turn is a few parts in ten million, and it shows in the digits the stack published.
    """
    if start == end:
        return value
    return value * _turn(_direction(end, start)).conjugate() * _turn(_direction(start, end))


class Tree:
    """Cells of stars at unit vectors (n, 3) with ellipticities (n,); those up to `least` in size are not divided."""

    def __init__(self, vectors: Floats, values: Complexes, *, least: float) -> None:
        self._points: list[Point] = [(float(x), float(y), float(z)) for x, y, z in vectors]
        self._values = [_single(complex(value)) for value in values]
        self._least = least

    def tops(self, most: float) -> list[Cell]:
        """Return the cells pairs are begun with: at least three levels down, then those not larger than `most`."""
        found: list[Cell] = []
        waiting = [(list(range(len(self._points))), 0)]
        while waiting:
            members, level = waiting.pop()
            place, size = self._extent(members)
            enough = (size <= most and level >= LEAST_LEVELS) or level >= MOST_LEVELS or len(members) == 1
            if enough:
                found.append(self._cell(members))
            else:
                left, right = self._divided(members, place)
                waiting += [(right, level + 1), (left, level + 1)]
        return found

    def _extent(self, members: Sequence[int]) -> tuple[Point, float]:
        if len(members) == 1:
            return self._points[members[0]], 0.0
        sums = [0.0, 0.0, 0.0]
        for member in members:
            for axis in range(3):
                sums[axis] += self._points[member][axis]
        mean = [part / len(members) for part in sums]
        length = math.sqrt(sum(part * part for part in mean))
        place = (mean[0] / length, mean[1] / length, mean[2] / length)
        return place, math.sqrt(max(_square(place, self._points[member]) for member in members))

    def _cell(self, members: list[int]) -> Cell:
        if len(members) == 1:
            return Cell(self._points[members[0]], self._values[members[0]], 1, 0.0)
        place, size = self._extent(members)
        total = sum(_transported(self._values[member], self._points[member], place) for member in members)
        if size <= self._least:
            return Cell(place, _single(total), len(members), 0.0)
        left, right = self._divided(members, place)
        halves = self._cell(left), self._cell(right)
        return Cell(place, _single(total), len(members), float(np.float32(size)), halves)

    def _divided(self, members: list[int], place: Point) -> tuple[list[int], list[int]]:
        """Divide at the mean along the axis of the largest extent, or in halves where that divides nothing."""
        spans = [max(values) - min(values) for values in zip(*(self._points[one] for one in members), strict=True)]
        axis = max(range(3), key=lambda one: (spans[one], one))
        left = [one for one in members if self._points[one][axis] < place[axis]]
        right = [one for one in members if self._points[one][axis] >= place[axis]]
        if left and right:
            return left, right
        order = sorted(members, key=lambda one: self._points[one][axis])
        return order[: len(order) // 2], order[len(order) // 2 :]


def _square(one: Point, other: Point) -> float:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


class Counter:
    """Sums over pairs of cells in bins of separation."""

    def __init__(self, binning: Binning) -> None:
        self.low, self.high = binning.low * ARCMIN, binning.high * ARCMIN
        self.width, self.tolerance = binning.width, binning.tolerance
        self.weight, self.product, self.log = ([0.0] * binning.bins for _ in range(3))

    def within(self, cell: Cell) -> None:
        """Take all pairs within a cell."""
        if cell.halves is None or cell.size <= self.low / 2:
            return
        for half in cell.halves:
            self.within(half)
        self.between(*cell.halves)

    def between(self, one: Cell, other: Cell) -> None:
        """Take all pairs of a star of one cell and one of the other."""
        square, reach = _square(one.place, other.place), one.size + other.size
        if square < self.low**2 and reach < self.low and square < (self.low - reach) ** 2:
            return
        if square >= self.high**2 and square >= (self.high + reach) ** 2:
            return
        if self._fits(square, reach):
            if self.low**2 <= square < self.high**2:
                self._take(one, other, square)
            return
        first, second = self._divide(one, other, square)
        for part in one.halves if first and one.halves else (one,):
            for counterpart in other.halves if second and other.halves else (other,):
                self.between(part, counterpart)

    def _fits(self, square: float, reach: float) -> bool:
        """Tell whether all pairs go into one bin, within the tolerance."""
        if reach == 0 or reach**2 <= self.tolerance**2 * square:
            return True
        if reach**2 > 0.25 * (self.width + self.tolerance) ** 2 * square:
            return False
        place = (0.5 * math.log(square) - math.log(self.low)) / self.width
        part = place - int(place)
        if reach**2 > (min(part, 1 - part) * self.width + self.tolerance) ** 2 * square:
            return False
        # The second order of the logarithm, downwards.
        return not reach**2 > (part * self.width + self.tolerance - reach**2 / square) ** 2 * square

    def _divide(self, one: Cell, other: Cell, square: float) -> tuple[bool, bool]:
        larger, smaller = max(one.size, other.size), min(one.size, other.size)
        both = larger <= 2 * smaller and smaller**2 > BOTH * self.tolerance**2 * square
        return both or other.size <= one.size, both or other.size > one.size

    def _take(self, one: Cell, other: Cell, square: float) -> None:
        logarithm = math.log(math.sqrt(square))
        place = int((logarithm - math.log(self.low)) / self.width)
        first = one.sum * _turn(_direction(other.place, one.place))
        second = other.sum * _turn(_direction(one.place, other.place))
        pairs = one.number * other.number
        self.weight[place] += pairs
        self.log[place] += pairs * logarithm
        self.product[place] += (first * second.conjugate()).real


def xi_plus(ra: Floats, dec: Floats, values: Complexes, binning: Binning) -> tuple[Floats, Floats, Floats]:
    """Return mean separation (arcmin), xi_+ and number of pairs in each bin; NaN in an empty one.

    `ra` and `dec` (n,) in radian; `values` (n,) are e1 + i e2.
    """
    counter = Counter(binning)
    least = counter.low * counter.tolerance / (2 + 3 * counter.tolerance)
    tops = Tree(unit_vectors(ra, dec), values, least=least).tops(counter.high * counter.tolerance) if len(ra) else []
    for place, cell in enumerate(tops):
        counter.within(cell)
        for other in tops[place + 1 :]:
            counter.between(cell, other)
    weight = np.array(counter.weight)
    known = np.where(weight > 0, weight, np.nan)
    return np.exp(np.array(counter.log) / known) / ARCMIN, np.array(counter.product) / known, weight


def stack_correlation(tables: Tables, *, low: float = 0.0, high: float = math.inf) -> Estimate:
    """Absolute value of the mean of xi_+ over the bins whose mean separation is from `low` to `high` arcmin.

    It is that of stars' median residual ellipticity over all visits, at their mean position, as in
    `lsst.validate.drp.calcsrd.tex` and the first revisions of `lsst.faro.utils.tex`. The standard error is that of the
    shapes' noise: each component has the variance v over stars, a bin of p pairs 2 v^2 / p.
    """
    groups = select(tables.matched, STARS)
    parts = unit_vectors(radians(tables.matched, "ra")[groups.rows], radians(tables.matched, "dec")[groups.rows]).T
    ra, dec = to_angles(np.stack([groups.mean(part) for part in parts], axis=-1))
    e1, e2 = (
        groups.median((column(tables.matched, name) - column(tables.matched, f"psf_{name}"))[groups.rows])
        for name in ("e1", "e2")
    )
    values = e1 + 1j * e2
    good = np.isfinite(values)
    require(int(good.sum()), FEWEST, f"{STARS} with a measured shape")
    radius, xi, pairs = xi_plus(ra[good], dec[good], values[good], Binning())
    here = (low <= radius) & (radius <= high)
    require(
        int(here.sum()), 1, f"bins of pairs from {low:g} arcmin on" if low else f"bins of pairs up to {high:g} arcmin"
    )
    variance = float(np.mean(np.abs(values[good]) ** 2)) / 2
    stderr = float(np.sqrt(np.sum(2 * variance**2 / pairs[here]))) / int(here.sum())
    return Estimate(abs(float(np.mean(xi[here]))), int(pairs[here].sum()), stderr)
