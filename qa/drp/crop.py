"""Parts of images: without their empty margins (many coadds fill only part of their patch), or a cut-out at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_EMPTY = np.int16(Mask.NO_DATA)


@dataclass(frozen=True, slots=True)
class Cutouts:
    """An image whose pixels are fetched a rectangle at a time; the rectangle must lie within it."""

    header: Mapping[str, str | int | float | bool]
    cut: Callable[[Box], MaskedImage]


def filled(mask: NDArray[np.int16]) -> Box:
    """Return the smallest rectangle around all pixels but those that have `NO_DATA` alone; all when there are none."""
    something = mask != _EMPTY
    rows, columns = np.flatnonzero(something.any(axis=1)), np.flatnonzero(something.any(axis=0))
    if not len(rows):
        return Box(0, 0, mask.shape[1], mask.shape[0])
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def crop(image: MaskedImage, box: Box) -> MaskedImage:
    """Cut a rectangle out of an image; the header stays that of the whole."""
    part = box.slices
    return MaskedImage(image.image[part], image.variance[part], image.mask[part], image.header)


def uncrop(part: MaskedImage, box: Box, shape: tuple[int, int]) -> MaskedImage:
    """Put a rectangle back into an otherwise empty image: 0, with infinite variance, and `NO_DATA`."""
    if part.shape == shape:
        return part
    whole = MaskedImage(
        np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32), np.full(shape, _EMPTY), part.header
    )
    place = box.slices
    whole.image[place], whole.variance[place], whole.mask[place] = part.image, part.variance, part.mask
    return whole
