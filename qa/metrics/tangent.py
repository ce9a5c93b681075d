"""Compiled loops over separations of pairs of stars, visit by visit, from their small offsets on the tangent plane.

A star's detections lie within arcseconds of its mean. So its offsets are kept as two float32 numbers in mas, and the
separation of a pair changes from visit to visit by what the offsets say along and across the arc between the means.
Against the haversine formula this is good to 1e-5 mas. Visits two stars have in common are found by their bits.
Like `qa.metrics.kernels`, this needs numba and is imported where it is used. Angles are in radian, offsets in mas.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qa.drp.algorithms.jit import compiled
from qa.metrics.kernels import TURN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Offsets = NDArray[np.float32]
    Bits = NDArray[np.uint64]
    Ranks = NDArray[np.int32]

MAS = math.pi / 648000 / 1000
WORD = 64
# Above 20 arcsec offsets are computed with sines and cosines; below, the series is good to 1e-4 mas.
SERIES = 1e-4


class Seen(NamedTuple):
    """Stars as the loops read them.

    `frames` (stars, 3, 3) are the unit vectors to the mean position, east and north; `offsets` (n, 2) in mas those of
    the detections, `starts` (stars + 1,) the places of each star's first; `bits` (stars, words) tell the visits,
    `ranks` (stars, words) how many of the star's detections come before a word.
    """

    frames: Floats
    offsets: Offsets
    starts: Ints
    bits: Bits
    ranks: Ranks


@compiled
def _offset(ra: float, dec: float, origin_ra: float, origin_dec: float) -> tuple[float, float]:
    """Return the place on the tangent plane (orthographic, radian) of a position beside an origin."""
    east, north = ra - origin_ra, dec - origin_dec
    if east > math.pi:
        east -= TURN
    elif east < -math.pi:
        east += TURN
    sine = math.sin(origin_dec)
    if abs(east) < SERIES and abs(north) < SERIES:
        cosine = math.cos(origin_dec) * (1 - north * north / 2) - sine * north
        return cosine * east * (1 - east * east / 6), north + sine * cosine * east * east / 2
    return math.cos(dec) * math.sin(east), math.sin(north) + 2 * sine * math.cos(dec) * math.sin(east / 2) ** 2


@compiled
def offsets_from_means(ra: Floats, dec: Floats, starts: Ints, means: Floats, offsets: Offsets) -> None:
    """Fill in mean positions (stars, 2) and the offsets east and north (n, 2) in mas of each detection from them.

    `starts` (stars + 1,) are the places of each star's first detection. A mean position is that of the unit vectors.
    """
    for star in range(len(starts) - 1):
        low, high = starts[star], starts[star + 1]
        east = north = up = 0.0
        for row in range(low, high):
            x, y = _offset(ra[row], dec[row], ra[low], dec[low])
            east, north, up = east + x, north + y, up + math.sqrt(1 - x * x - y * y)
        sine, cosine = math.sin(dec[low]), math.cos(dec[low])
        away = cosine * up - sine * north
        means[star, 0] = (ra[low] + math.atan2(east, away)) % TURN
        means[star, 1] = math.atan2(sine * up + cosine * north, math.hypot(away, east))
        for row in range(low, high):
            x, y = _offset(ra[row], dec[row], means[star, 0], means[star, 1])
            offsets[row, 0], offsets[row, 1] = x / MAS, y / MAS


@compiled
def visit_bits(visits: Ints, starts: Ints, bits: Bits, ranks: Ranks) -> None:
    """Set a bit of `bits` (stars, words) for each visit of a star; `ranks` counts the detections before a word.

    `visits` (n,) number the visits of all stars' detections, rising within a star.
    """
    for star in range(len(starts) - 1):
        for row in range(starts[star], starts[star + 1]):
            bits[star, visits[row] // WORD] |= np.uint64(1) << np.uint64(visits[row] % WORD)
            if visits[row] // WORD + 1 < bits.shape[1]:
                ranks[star, visits[row] // WORD + 1] += 1
        for word in range(1, bits.shape[1]):
            ranks[star, word] += ranks[star, word - 1]


@compiled
def _ones(word: np.uint64) -> int:
    """Return how many bits are set; the compiler knows this for the processor's own instruction."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int(np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@compiled
def _directions(one: Floats, other: Floats) -> tuple[float, float, float, float, float]:
    """Return the direction of the arc from one star to another (east, north at each), and its length in radian."""
    here_x = here_y = there_x = there_y = cosine = 0.0
    for axis in range(3):
        here_x += one[1, axis] * other[0, axis]
        here_y += one[2, axis] * other[0, axis]
        there_x -= other[1, axis] * one[0, axis]
        there_y -= other[2, axis] * one[0, axis]
        cosine += one[0, axis] * other[0, axis]
    sine = math.hypot(here_x, here_y)
    return here_x / sine, here_y / sine, there_x / sine, there_y / sine, math.atan2(sine, cosine)


@compiled
def _changes(seen: Seen, i: int, j: int, found: Floats) -> int:
    """Fill `found` with the changes in mas of a pair's separation in the visits it is seen together; return how many.

    With a along and c across the arc s the change is sqrt((s + a)^2 + c^2) - s, here to third order in a / s and c / s.
    """
    here_x, here_y, there_x, there_y, arc = _directions(seen.frames[i], seen.frames[j])
    inverse = MAS / arc
    count = 0
    for word in range(seen.bits.shape[1]):
        bits_i, bits_j = seen.bits[i, word], seen.bits[j, word]
        common = bits_i & bits_j
        base_i = seen.starts[i] + seen.ranks[i, word]
        base_j = seen.starts[j] + seen.ranks[j, word]
        while common != np.uint64(0):
            rest = common & (common - np.uint64(1))
            below = (common ^ rest) - np.uint64(1)
            row_i, row_j = base_i + _ones(bits_i & below), base_j + _ones(bits_j & below)
            x_i, y_i = np.float64(seen.offsets[row_i, 0]), np.float64(seen.offsets[row_i, 1])
            x_j, y_j = np.float64(seen.offsets[row_j, 0]), np.float64(seen.offsets[row_j, 1])
            along = there_x * x_j + there_y * y_j - here_x * x_i - here_y * y_i
            across = there_x * y_j - there_y * x_j - here_x * y_i + here_y * x_i
            curved = across * across * inverse / 2
            found[count] = along + curved * (1 - along * inverse)
            count += 1
            common = rest
    return count


@compiled
def scatter_of_pairs(seen: Seen, first: Ints, second: Ints, counts: Ints, spreads: Floats) -> None:
    """Fill in for each pair the number of visits seen together and the standard deviation (n - 1) in mas over them."""
    found = np.empty(seen.bits.shape[1] * WORD)
    for pair in range(len(first)):
        count = _changes(seen, first[pair], second[pair], found)
        mean = square = 0.0
        for visit in range(count):
            mean += found[visit]
        mean /= max(count, 1)
        for visit in range(count):
            square += (found[visit] - mean) ** 2
        counts[pair], spreads[pair] = count, math.sqrt(square / max(count - 1, 1))


@compiled
def common_visits(seen: Seen, first: Ints, second: Ints, counts: Ints) -> None:
    """Fill in for each pair the number of visits seen together."""
    for pair in range(len(first)):
        count = 0
        for word in range(seen.bits.shape[1]):
            count += _ones(seen.bits[first[pair], word] & seen.bits[second[pair], word])
        counts[pair] = count


@compiled
def _smallest(values: Floats, count: int, place: int) -> float:
    """Return what stands at `place` when the first `count` values are sorted (Hoare's selection, in their place)."""
    low, high = 0, count - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i, j = i + 1, j - 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            break
    return float(values[place])


@compiled
def _median(values: Floats, count: int, order: Floats) -> float:
    """Return the median of the first `count` values; `order` is room to sort in."""
    for place in range(count):
        order[place] = values[place]
    high = _smallest(order, count, count // 2)
    if count % 2 == 1:
        return high
    low = float(order[0])
    for place in range(1, count // 2):
        low = max(low, float(order[place]))
    return (low + high) / 2


@compiled
def deviations_of_pairs(seen: Seen, first: Ints, second: Ints, places: Ints, deviations: Floats) -> None:
    """Fill in the distances in mas of each pair's separations from their median, from `places` (pairs,) on."""
    found, order = np.empty(seen.bits.shape[1] * WORD), np.empty(seen.bits.shape[1] * WORD)
    for pair in range(len(first)):
        count = _changes(seen, first[pair], second[pair], found)
        median = _median(found, count, order)
        for visit in range(count):
            deviations[places[pair] + visit] = abs(found[visit] - median)
