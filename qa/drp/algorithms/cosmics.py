"""Cosmic rays in a single exposure, told from stars by their sharp edges.

The criteria are those of L.A.Cosmic (van Dokkum 2001, PASP 113, 1420), in one pass: the medians that tell a star's
core from a cosmic ray are taken only around the few pixels whose Laplacian stands out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.jit import compiled
from qa.drp.image import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import MaskedImage, MaskPixels, Pixels

SIGMA_CLIP = 4.5
"""How far a pixel's Laplacian stands out, in units of the noise."""

NEIGHBOUR_CLIP = 1.5
"""The same for pixels that touch a cosmic ray."""

OBJECT_LIMIT = 5.0
"""How much sharper than the fine structure of its surroundings a pixel is; stars are broader than cosmic rays."""

_LEAST_STRUCTURE = 0.01
_UNUSABLE = int(Mask.BAD | Mask.SATURATED | Mask.NO_DATA)


def cosmic_rays(exposure: MaskedImage) -> NDArray[np.bool_]:
    """Tell which pixels of an exposure in electrons were hit by cosmic rays; shape (ny, nx).

    Pixels that are bad, saturated or without data are not looked at.
    """
    image, variance = np.ascontiguousarray(exposure.image), np.ascontiguousarray(exposure.variance)
    squared = np.zeros(image.shape, dtype=np.float32)
    _significance_squared(image, variance, squared)
    hit = np.zeros(image.shape, dtype=np.bool_)
    _judge(image, variance, np.ascontiguousarray(exposure.mask), squared, hit)
    return hit


@compiled
def _significance_squared(image: Pixels, variance: Pixels, out: Pixels) -> None:
    """Square of the positive Laplacian of the image sampled twice as finely, over twice the noise (equations 8 to 12).

    Squares spare a root per pixel. There are no branches, so that several pixels are done at once.
    """
    ny, nx = image.shape
    none, scale = np.float32(0), np.float32(1 / 64)
    for y in range(1, ny - 1):
        for x in range(1, nx - 1):
            left, right = image[y, x] - image[y, x - 1], image[y, x] - image[y, x + 1]
            below, above = image[y, x] - image[y - 1, x], image[y, x] - image[y + 1, x]
            a, b, c, d = left + below, left + above, right + below, right + above
            total = (
                (a if a > none else none)  # noqa: FURB136 - numba's `max` minds NaN, which is slow
                + (b if b > none else none)  # noqa: FURB136
                + (c if c > none else none)  # noqa: FURB136
                + (d if d > none else none)  # noqa: FURB136
            )
            out[y, x] = total * total * scale / variance[y, x]


@compiled
def _median_around(plane: Pixels, y: int, x: int, half: int) -> float:
    """Median of the square around a pixel, as far as it lies in the plane."""
    ny, nx = plane.shape
    square = plane[max(y - half, 0) : min(y + half + 1, ny), max(x - half, 0) : min(x + half + 1, nx)]
    return float(np.median(square))


@compiled
def _judge(image: Pixels, variance: Pixels, mask: MaskPixels, squared: Pixels, hit: NDArray[np.bool_]) -> None:
    """Mark pixels that stand out of their surroundings and are sharper than these, and neighbours that stand out.

    Equations 13 to 15; the background beneath the fine structure is the median of the image itself, which differs
    little from that of the smoothed image and costs a fiftieth.
    """
    ny, nx = image.shape
    for y in range(1, ny - 1):
        for x in range(1, nx - 1):
            if not squared[y, x] > SIGMA_CLIP**2 or mask[y, x] & _UNUSABLE:
                continue
            sharp = np.sqrt(squared[y, x]) - np.sqrt(_median_around(squared, y, x, 2))
            if sharp <= SIGMA_CLIP:
                continue
            structure = _median_around(image, y, x, 1) - _median_around(image, y, x, 3)
            if sharp <= OBJECT_LIMIT * max(structure / np.sqrt(variance[y, x]), _LEAST_STRUCTURE):
                continue
            for v in range(y - 1, y + 2):
                for u in range(x - 1, x + 2):
                    if squared[v, u] > NEIGHBOUR_CLIP**2:
                        hit[v, u] = True
