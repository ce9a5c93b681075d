"""Compiled loops that put large matched catalogues in order and find pairs of stars an angle apart.

They need numba, of the optional extra `pipeline`, and are imported where they are used: definitions of metrics, and
catalogues of ordinary size, do without. Angles are in radian.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.jit import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Codes = NDArray[np.int32]

TURN = 2 * math.pi


def encode(values: Ints, codes: Codes) -> Ints:
    """Fill `codes` (n,) with the places of `values` (n,) among the different ones, sorted; return the count of each."""
    table, known, count, row = _table(np.empty(0, np.int64), 2048), np.empty(512, np.int64), 0, 0
    while True:
        row, count = _encode_until_full(values, codes, row, table, known, count)
        if row == len(values):
            break
        table, known = _table(known, 4 * len(table)), np.append(known, np.empty(3 * len(known), np.int64))
    rank = np.empty(count, np.int64)
    rank[np.argsort(known[:count])] = np.arange(count)
    counts = np.zeros(count, np.int64)
    _rename(codes, rank, counts)
    return counts


@compiled
def _encode_until_full(values: Ints, codes: Codes, begin: int, table: Ints, known: Ints, count: int) -> tuple[int, int]:
    """Give numbers to `values` from `begin` on until `known` is full; return where that is, and how many are known."""
    code = -1
    for row in range(begin, len(values)):
        # Rows often come visit by visit or star by star.
        if code < 0 or values[row] != known[code]:
            slot = _slot(table, values[row])
            code = table[slot, 1]
            if code < 0:
                if count == len(known):
                    return row, count
                table[slot, 0], table[slot, 1], known[count] = values[row], count, values[row]
                code = count
                count += 1
        codes[row] = code
    return len(values), count


@compiled
def _rename(codes: Codes, rank: Ints, counts: Ints) -> None:
    """Put `rank` (k,) in the place of codes (n,), and count each."""
    for row in range(len(codes)):
        codes[row] = rank[codes[row]]
        counts[codes[row]] += 1


def _table(known: Ints, size: int) -> Ints:
    """Return a hash table (open addressing) of `size`, a power of two: keys, and their numbers or -1."""
    table = np.full((size, 2), -1, np.int64)
    _enter(table, known)
    return table


@compiled
def _enter(table: Ints, known: Ints) -> None:
    """Enter values with their places as numbers into an empty hash table."""
    for number in range(len(known)):
        slot = _slot(table, known[number])
        table[slot, 0], table[slot, 1] = known[number], number


@compiled
def _slot(table: Ints, value: int) -> int:
    """Return where a value is in a hash table, or belongs."""
    slot = _hash(np.uint64(value)) & (len(table) - 1)
    while table[slot, 1] >= 0 and table[slot, 0] != value:
        slot = (slot + 1) & (len(table) - 1)
    return slot


@compiled
def _hash(value: np.uint64) -> int:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int(np.int64((value ^ (value >> np.uint64(31))) >> np.uint64(2)))


@compiled
def counting_order(codes: Codes, before: Ints, size: int) -> Ints:
    """Return the rows `before` (n,) sorted by their `codes` below `size`; rows of one code stay in their order."""
    places = np.zeros(size + 1, np.int64)
    for row in range(len(codes)):
        places[codes[row] + 1] += 1
    for code in range(size):
        places[code + 1] += places[code]
    order = np.empty(len(before), np.int64)
    for row in before:
        place = places[codes[row]]
        order[place] = row
        places[codes[row]] = place + 1
    return order


@compiled
def _bisect(ra: Floats, low: int, high: int, value: float) -> int:
    """Return the first place from `low` on, or `high`, where sorted `ra` is `value` or more."""
    while low < high:
        middle = (low + high) // 2
        if ra[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def find_in_annulus(  # noqa: C901 - one loop with its inputs
    stars: tuple[Floats, Floats, Ints, Ints],
    starts: Ints,
    nearest: Floats,
    farthest: Floats,
    chords: tuple[float, float],
    first: Ints,
    second: Ints,
) -> int:
    """Fill in the pairs of stars whose squared chords lie within `chords`; return their number, or -1 if too many.

    `stars` are right ascension (n,) and unit vectors (n, 3), sorted by band of declination, colour and right ascension,
    and their band and colour (n,). `starts` (bands, colours + 1) is where each colour of a band begins. `nearest` and
    `farthest` (bands, reach) bound the differences in right ascension between a band and the ones that follow.
    A star is compared with those whose colour adds up with its own to a multiple of the number of colours.
    """
    ra, vectors, band, colour = stars
    count = 0
    for i in range(len(ra)):
        partner = (starts.shape[1] - 1 - colour[i]) % (starts.shape[1] - 1)
        for step in range(min(nearest.shape[1], len(starts) - band[i])):
            near, far = nearest[band[i], step], farthest[band[i], step]
            low, high = starts[band[i] + step, partner], starts[band[i] + step, partner + 1]
            if far < 0 or low == high:
                continue
            whole = far >= math.pi
            for side in range(1 if whole else 2):
                begin = near if side == 0 else TURN - far
                end = TURN - near if whole or side == 1 else far
                place = _bisect(ra, low, high, (ra[i] + begin) % TURN)
                for _ in range(high - low):
                    if place == high:
                        place = low
                    j, place = place, place + 1
                    ahead = ra[j] - ra[i]
                    if ahead < 0:
                        ahead += TURN
                    if ahead > end or ahead < begin - 1e-9:
                        break
                    if step == 0 and j <= i:
                        continue
                    chord = 0.0
                    for axis in range(3):
                        chord += (vectors[i, axis] - vectors[j, axis]) ** 2
                    if chords[0] <= chord < chords[1]:
                        if count == len(first):
                            return -1
                        first[count], second[count] = i, j
                        count += 1
    return count
