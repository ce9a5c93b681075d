"""Which pixels of a detector must not be used, told from its master calibrations."""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from qa.drp.algorithms.errors import UnusableImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.drp.algorithms.masters import Master
    from qa.drp.image import Pixels

    Flags = NDArray[np.uint8]
    Booleans = NDArray[np.bool_]

HOT_SIGMA, HOT_RATE = 8.0, 0.5
"""A hot pixel has more dark current than the others by so many sigma and by so many electron/s."""

DEAD, BRIGHT = 0.5, 1.5
"""A pixel whose response is not between these is not corrected by a flat."""

UNSTABLE_SPREAD = 12.0
"""Largest difference between biases in units of the read noise; that of ten good frames is less than 6."""

BIAS_SIGMA = 10.0
"""How far a single pixel may stand out of the bias of its column."""

BAD_COLUMN, GAP = 0.1, 9
"""In columns of which this part is bad, gaps of fewer pixels than this between bad ones are bad, too."""

_REACH = 3


class Defect(IntFlag):
    """Why a pixel is bad."""

    HOT = 1
    DEAD = 2
    UNSTABLE = 4
    COLUMN = 8


def unstable_pixels(bias: Master) -> Booleans:
    """Tell which pixels changed from one bias to the next, or stand out of the master bias; shape (ny, nx)."""
    unstable: Booleans = _stands_out(bias)
    unstable |= bias.spread > UNSTABLE_SPREAD
    unstable |= np.isnan(bias.image)
    return unstable


def find_defects(unstable: Booleans, dark: Pixels | None = None, flats: Sequence[Pixels] = ()) -> Flags:
    """Return the flags of all pixels, 0 for good ones; shape (ny, nx).

    Parameters
    ----------
    unstable
        Pixels that are unstable by the biases.
    dark
        Dark current in electron/s.
    flats
        Relative response in each filter; a pixel that is dead in one is dead.

    Raises
    ------
    UnusableImageError
        If planes differ in shape.
    """
    shape = unstable.shape
    for name, plane in (("dark", dark), *(("flat", flat) for flat in flats)):
        if plane is not None and plane.shape != shape:
            raise UnusableImageError(what=name, required=f"shape {shape}", found=f"{plane.shape}")
    flags = np.zeros(shape, dtype=np.uint8)
    flags[unstable] |= np.uint8(Defect.UNSTABLE)
    if dark is not None:
        flags[_is_hot(dark)] |= np.uint8(Defect.HOT)
    for flat in flats:
        flags[~((flat > DEAD) & (flat < BRIGHT))] |= np.uint8(Defect.DEAD)
    flags[_is_in_a_bad_column(flags != 0) & (flags == 0)] |= np.uint8(Defect.COLUMN)
    return flags


def _is_hot(dark: Pixels) -> Booleans:
    low, median, high = np.nanpercentile(dark, (15.866, 50.0, 84.134))
    limit = median + max(HOT_SIGMA * (high - low) / 2, HOT_RATE)
    hot: Booleans = ~(dark <= limit)  # true for NaN, too
    return hot


def _stands_out(bias: Master) -> Booleans:
    """Tell which pixels differ from both those above and those below in their column, in the same sense."""
    image, out = bias.image, np.zeros(bias.image.shape, dtype=bool)
    below = image[_REACH:-_REACH] - image[: -2 * _REACH]
    above = image[_REACH:-_REACH] - image[2 * _REACH :]
    least = np.where(below * above > 0, np.minimum(np.abs(below), np.abs(above)), 0)
    out[_REACH:-_REACH] = least > BIAS_SIGMA * bias.noise
    return out


def _is_in_a_bad_column(bad: Booleans) -> Booleans:
    """Tell which pixels lie between bad ones of a bad column."""
    filled = bad.copy()
    columns = np.flatnonzero(bad.mean(axis=0) > BAD_COLUMN)
    if columns.size:
        filled[:, columns] |= ndimage.binary_closing(bad[:, columns], np.ones((GAP, 1)))
    return filled
