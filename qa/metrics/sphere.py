"""Positions on the sphere: separations, neighbours, pairs in an annulus. All angles in radian.

scipy, which finds the neighbours, comes with the optional extra `pipeline` and is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qa.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ARCSEC = np.pi / 648000
ARCMIN = np.pi / 10800
MAS = ARCSEC / 1000
DIRECTIONS = 16


def unit_vectors(ra: Floats, dec: Floats) -> Floats:
    """Return the unit vectors (n, 3) of positions (n,)."""
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def to_angles(vectors: Floats) -> tuple[Floats, Floats]:
    """Return right ascension in [0, 2 pi) and declination of vectors (n, 3) of any length."""
    ra = np.arctan2(vectors[..., 1], vectors[..., 0]) % (2 * np.pi)
    return ra, np.arctan2(vectors[..., 2], np.hypot(vectors[..., 0], vectors[..., 1]))


def separation(ra: Floats, dec: Floats, other_ra: Floats, other_dec: Floats) -> Floats:
    """Return the separation by the haversine formula, accurate at small angles."""
    square = np.sin((other_dec - dec) / 2) ** 2
    square = square + np.cos(dec) * np.cos(other_dec) * np.sin((other_ra - ra) / 2) ** 2
    result: Floats = 2 * np.arcsin(np.sqrt(square))
    return result


def offsets(ra: Floats, dec: Floats, other_ra: Floats, other_dec: Floats) -> tuple[Floats, Floats]:
    """Return how far positions lie east (times cos dec) and north of others."""
    east = (ra - other_ra + np.pi) % (2 * np.pi) - np.pi
    return east * np.cos(other_dec), dec - other_dec


def _tree(ra: Floats, dec: Floats) -> Any:  # noqa: ANN401 - scipy has no types here
    try:
        from scipy.spatial import cKDTree  # noqa: PLC0415 - the light core runs without scipy
    except ImportError:
        raise MissingExtraError(extra="pipeline", module="scipy") from None
    return cKDTree(unit_vectors(ra, dec))


def _chord(angle: float) -> float:
    return float(2 * np.sin(angle / 2))


def pairs_between(ra: Floats, dec: Floats, low: float, high: float) -> tuple[Ints, Ints]:
    """Return the pairs (first < second, sorted) of positions (n,) with low <= separation < high."""
    # The tree measures chords, the cut angles: a margin of a billionth keeps pairs on the edge for the cut to decide.
    found = _tree(ra, dec).query_pairs(_chord(high) * (1 + 1e-9), output_type="ndarray")
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    first, second = found[:, 0].astype(np.int64), found[:, 1].astype(np.int64)
    apart = separation(ra[first], dec[first], ra[second], dec[second])
    keep = (low <= apart) & (apart < high)
    return first[keep], second[keep]


def nearest(ra: Floats, dec: Floats, other_ra: Floats, other_dec: Floats, *, tolerance: float) -> Ints:
    """Return for each position (n,) the place of the nearest of the others within `tolerance`, -1 for none."""
    if not len(ra) or not len(other_ra):
        return np.full(len(ra), -1, dtype=np.int64)
    tree = _tree(other_ra, other_dec)
    _, place = tree.query(unit_vectors(ra, dec), distance_upper_bound=_chord(tolerance))
    return np.where(place < len(other_ra), place, -1).astype(np.int64)


def span(ra: Floats, dec: Floats) -> float:
    """Return the largest separation among positions (n,), to about 1 %: the extremes in 16 directions are compared."""
    vectors = unit_vectors(ra, dec)
    centre_ra, centre_dec = to_angles(vectors.mean(axis=0))
    east = np.array([-np.sin(centre_ra), np.cos(centre_ra), 0.0])
    north = np.array(
        [-np.sin(centre_dec) * np.cos(centre_ra), -np.sin(centre_dec) * np.sin(centre_ra), np.cos(centre_dec)]
    )
    turns = np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    along = np.outer(vectors @ east, np.cos(turns)) + np.outer(vectors @ north, np.sin(turns))
    ends = np.unique(np.concatenate([along.argmin(axis=0), along.argmax(axis=0)]))
    first, second = np.meshgrid(ends, ends)
    return float(separation(ra[first], dec[first], ra[second], dec[second]).max())
