"""Masked images and raw exposures: the in-memory types of the embedded pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from astropy.io.fits import Header
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]
    MaskPixels = NDArray[np.int16]


class Mask(IntFlag):
    """Bits of a mask plane."""

    BAD = 1
    SATURATED = 2
    COSMIC_RAY = 4
    EDGE = 8
    NO_DATA = 16
    CLIPPED = 32
    DETECTED = 64


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open rectangle of pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an array of shape (ny, nx)."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(slots=True)
class MaskedImage:
    """Pixels with variance and mask, all of shape (ny, nx); `header` holds plain FITS-able values."""

    image: Pixels
    variance: Pixels
    mask: MaskPixels
    header: dict[str, str | int | float | bool] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (ny, nx)."""
        ny, nx = self.image.shape
        return ny, nx


@dataclass(frozen=True, slots=True)
class Segment:
    """What one amplifier read, already oriented like the assembled detector.

    `data` (h, w) and `overscan` (h, w_overscan) are in ADU; `target` is the place of `data` in the
    assembled detector; gain in electron/ADU, read noise in electron, saturation in ADU. `against` tells whether the
    amplifier is read against the detector's x and y axis.
    """

    name: str
    data: NDArray[np.float32]
    overscan: NDArray[np.float32]
    target: Box
    gain: float
    read_noise: float
    saturation: float
    against: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw exposure of one detector: its header and the segments of its amplifiers."""

    header: Header
    shape: tuple[int, int]
    segments: tuple[Segment, ...]
