"""Outlines of detectors in the tangent plane of their own header, as far as the checks of geometry need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.skygrid import sky_to_plane
from qa.drp.image import Box
from qa.drp.observations import crude_sky
from qa.drp.skymap import corners

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from numpy.typing import NDArray

_GRID = 40


def linear(header: Header) -> NDArray[np.float64]:
    """Return the matrix from pixels to degrees."""
    return np.array([[header["CD1_1"], header["CD1_2"]], [header["CD2_1"], header["CD2_2"]]], dtype=np.float64)


def footprint(header: Header, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return right ascension and declination (deg) of a detector's four corners, shape (4, 2)."""
    x, y = corners(Box(0, 0, shape[1], shape[0]))
    return np.column_stack(crude_sky(header, x, y))


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the part of one outline that lies within another, to a few per cent of a per cent."""
    ra0, dec0 = one.mean(axis=0)
    first, second = (np.column_stack(sky_to_plane(each[:, 0], each[:, 1], ra0=ra0, dec0=dec0)) for each in (one, other))
    steps = (np.arange(_GRID) + 0.5) / _GRID
    u, v = (each.ravel()[:, None] for each in np.meshgrid(steps, steps))
    inside = first[0] + u * (first[1] - first[0]) + v * (first[3] - first[0])
    return float(_within(inside, second).mean())


def _within(points: NDArray[np.float64], outline: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points lie within a convex outline: on the same side of all its edges."""
    edges = np.roll(outline, -1, axis=0) - outline
    pairs = zip(outline, edges, strict=True)
    sides = [edge[0] * (points[:, 1] - at[1]) - edge[1] * (points[:, 0] - at[0]) for at, edge in pairs]
    signs = np.sign(np.array(sides))
    within: NDArray[np.bool_] = np.all(signs >= 0, axis=0) | np.all(signs <= 0, axis=0)
    return within
