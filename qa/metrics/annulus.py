"""Pairs of stars an angle apart in large catalogues: found band by band, and thinned evenly where they are too many.

All angles in radian. `qa.metrics.sphere.pairs_between` finds the same pairs of a few thousand stars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qa.errors import MissingExtraError
from qa.metrics.sphere import separation, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    # Differences in right ascension (bands, reach) at least and at most.
    Windows = tuple[Floats, Floats]

# Windows and chords leave room for rounding; the haversine formula decides.
ROOM = 1e-9
# More bands than this within the annulus' radius cost more to look through than they save.
REACH = 64


class Thinned(NamedTuple):
    """Pairs (n,) of places, and one in how many of all pairs they are."""

    first: Ints
    second: Ints
    one_in: int


def thinned_pairs(
    ra: Floats, dec: Floats, low: float, high: float, *, identifiers: NDArray[np.generic], most: int
) -> Thinned:
    """Return the pairs of positions (n,) with low <= separation < high: all, or where they are more than `most`, some.

    Some are one in 2, 4, 8, ... of all, the first of these that is not more than `most`. A pair is taken when the
    hashes of its two `identifiers` (n,) add up to a multiple of that number: every star keeps an even share of its
    partners, two pairs are taken independently of each other, and neither the order of rows nor a seed matters. Pairs
    left out are not looked at, so the cost is that of the pairs taken.

    Raises
    ------
    MissingExtraError
        If numba is not installed.
    """
    hashes = _hashes(identifiers)
    one_in = 1
    while (found := _pairs(ra, dec, low, high, (hashes % np.uint64(one_in)).astype(np.int64), one_in, most)) is None:
        one_in *= 2
    first, second = found
    apart = separation(ra[first], dec[first], ra[second], dec[second])
    keep = (low <= apart) & (apart < high)
    return Thinned(first[keep], second[keep], one_in)


def _hashes(identifiers: NDArray[np.generic]) -> NDArray[np.uint64]:
    """Return the finaliser of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA '14, 453) of integers (n,)."""
    value = identifiers.astype(np.int64).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _pairs(
    ra: Floats, dec: Floats, low: float, high: float, colour: Ints, colours: int, most: int
) -> tuple[Ints, Ints] | None:
    """Return pairs whose colours add up to a multiple of `colours`, or None if they are more than `most`."""
    try:
        from qa.metrics.kernels import TURN, find_in_annulus  # noqa: PLC0415 - the light core runs without numba
    except ImportError:
        raise MissingExtraError(extra="pipeline", module="numba") from None
    radius = min(high, np.pi)
    height = max((radius - low) / 2, radius / REACH)
    band = ((dec - dec.min()) / height).astype(np.int64)
    order = np.lexsort((ra % TURN, colour, band))
    edges = np.clip(dec.min() + height * np.arange(band.max() + 2), -np.pi / 2, np.pi / 2)
    cells = np.arange((len(edges) - 1) * colours).reshape(-1, colours)
    starts = np.searchsorted((band * colours + colour)[order], cells)
    ends = np.append(starts.ravel()[1:], len(order)).reshape(starts.shape)[:, -1:]
    stars = ((ra % TURN)[order], unit_vectors(ra, dec)[order], band[order], colour[order])
    chords = ((2 * np.sin(low / 2)) ** 2 * (1 - ROOM), (2 * np.sin(radius / 2)) ** 2 * (1 + ROOM))
    first, second = np.empty(most, np.int64), np.empty(most, np.int64)
    near, far = _windows(edges, low, radius)
    count = find_in_annulus(stars, np.hstack([starts, ends]), near, far, chords, first, second)
    return None if count < 0 else (order[first[:count]], order[second[:count]])


def _windows(edges: Floats, low: float, high: float) -> Windows:
    """Return the least and the largest difference in right ascension of pairs between a band and the ones after it.

    The largest is -1 where there is none. From hav(s) = hav(d2 - d1) + cos d1 cos d2 hav(a2 - a1), with the
    extremes over the bands in place of d1 and d2.
    """
    reach = min(int(np.ceil(high / (edges[1] - edges[0]))) + 1, len(edges) - 1) if len(edges) > 2 else 1  # noqa: PLR2004 - one band
    here = np.arange(len(edges) - 1)[:, np.newaxis]
    there = np.minimum(here + np.arange(reach), len(edges) - 2)
    cosines = np.cos(edges)
    narrow = np.minimum(cosines[:-1], cosines[1:])
    wide = np.where((edges[:-1] <= 0) & (edges[1:] >= 0), 1.0, np.maximum(cosines[:-1], cosines[1:]))
    closest = np.maximum(edges[there] - edges[here + 1], 0.0)
    square = np.sin(high / 2) ** 2 - np.sin(closest / 2) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        far = _angle(square / (narrow[here] * narrow[there]))
    inner = np.sin(low / 2) ** 2 - np.sin((edges[there + 1] - edges[here]) / 2) ** 2
    near = _angle(inner / (wide[here] * wide[there])) * (1 - ROOM)
    far = np.where(square < -ROOM, -1.0, far * (1 + ROOM) + ROOM)
    return near, np.where(far > np.pi - 1e-6, np.pi, far)


def _angle(haversine: Floats) -> Floats:
    angle: Floats = 2 * np.arcsin(np.sqrt(np.clip(np.nan_to_num(haversine, nan=1.0), 0.0, 1.0)))
    return angle
