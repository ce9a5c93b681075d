"""Sky background: a coarse mesh of clipped modes, interpolated and subtracted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sep

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.jit import compiled
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import MaskPixels, Pixels

    Flags = NDArray[np.bool_]

MESH = 128
"""Side of a mesh cell in pixels: much larger than any galaxy of the twins, small enough for the sky's gradients."""

HALO = 6
"""Pixels around a detection whose light does not count as sky, at least."""

LEAST_SKY = 0.3
"""Part of the good pixels that must remain as sky."""

UNUSABLE = Mask.BAD | Mask.NO_DATA | Mask.COSMIC_RAY
"""Pixels that say nothing about sky or sources."""

CLIPPINGS = 5


@dataclass(frozen=True, slots=True)
class Sky:
    """Mean level of the sky and noise of one pixel, in the unit of the image."""

    level: float
    noise: float


NOTHING = Sky(0.0, 1.0)
"""What sep returns where it finds no sky at all."""


def unusable(mask: MaskPixels) -> Flags:
    """Where a mask says that a pixel holds no measurement."""
    return np.asarray((mask & np.int16(UNUSABLE)) != 0)


def subtract_background(
    exposure: MaskedImage, *, mesh: int = MESH, segments: NDArray[np.int32] | None = None, halo: int = HALO
) -> tuple[MaskedImage, Sky]:
    """Subtract the sky; variance and mask stay.

    Parameters
    ----------
    exposure
        Image to work on.
    mesh
        Side of a mesh cell in pixels.
    segments
        Not 0 where sources were found: left out, with their surroundings. Without it the sky is a rough one, from
        a quarter of the pixels, that is good enough to find sources: their faint outskirts make it too bright.
    halo
        How many pixels of their surroundings.

    Raises
    ------
    UnusableImageError
        If every pixel is masked, or the image is constant.
    """
    bad = unusable(exposure.mask)
    if bad.all():
        raise UnusableImageError(what="image", required="unmasked pixels", found="none")
    image = np.ascontiguousarray(exposure.image, dtype=np.float32)
    if not (np.isfinite(image) | bad).all():
        raise UnusableImageError(what="image", required="finite values where it is not masked", found="NaN or infinity")
    good = image[~bad] if np.ptp(image[::8]) == 0 else None  # looking at all pixels of every image would be dear
    if good is not None and np.ptp(good) == 0:
        raise UnusableImageError(what="image", required="noise", found=f"a constant, {good[0]:g}")
    if segments is None:
        plane, sky = _sampled(image, bad, mesh, step=(2, 2))
    else:
        plane, sky = _sampled(image, bad | _sources(segments > 0, halo, bad), mesh, step=(2, 1))
    return MaskedImage(_less(image, plane, bad), exposure.variance, exposure.mask, dict(exposure.header)), sky


def _sources(found: Flags, halo: int, bad: Flags) -> Flags:
    """Mark sources with as much of their surroundings as leaves sky enough to measure."""
    while halo > 0:
        covered = grown(found, halo)
        if np.count_nonzero(covered | bad) <= (1 - LEAST_SKY) * bad.size + LEAST_SKY * np.count_nonzero(bad):
            return covered
        halo //= 2
    return found if np.count_nonzero(found | bad) < bad.size / 2 else np.zeros_like(found)


def _sampled(image: Pixels, bad: Flags, mesh: int, *, step: tuple[int, int]) -> tuple[Pixels, Sky]:
    """Measure the sky on every so many rows and columns: the mean of a cell stays better known than sources need."""
    down, across = step
    part = np.ascontiguousarray(image[::down, ::across])
    height, width = min(mesh // down, part.shape[0]), min(mesh // across, part.shape[1])
    return _fine(part, np.ascontiguousarray(bad[::down, ::across]), height, width)


def _fine(image: Pixels, bad: Flags, height: int, width: int) -> tuple[Pixels, Sky]:
    back = sep.Background(image, mask=bad, bw=width, bh=height)
    sky = Sky(float(back.globalback), float(back.globalrms))
    return (back.back(dtype=np.float32), sky) if sky != NOTHING else _flat(image, bad)


def _less(image: Pixels, plane: Pixels, bad: Flags) -> Pixels:
    out = np.empty_like(image)
    _subtract(image, plane, bad, out)
    return out


@compiled
def _subtract(image: Pixels, plane: Pixels, bad: Flags, out: Pixels) -> None:
    """Subtract a plane that has fewer rows and perhaps fewer columns; bad pixels become 0."""
    ny, nx = image.shape
    down, across = (2 if len(plane) < ny else 1), (2 if plane.shape[1] < nx else 1)
    sky = np.empty(nx + 1, dtype=np.float32)
    for j in range(ny):
        for i in range(plane.shape[1]):
            for k in range(across):
                sky[i * across + k] = plane[j // down, i]
        for i in range(nx):
            out[j, i] = np.float32(0) if bad[j, i] else image[j, i] - sky[i]


def _flat(image: Pixels, bad: Flags) -> tuple[Pixels, Sky]:
    """Measure one level for the whole image, where no cell of the mesh is half free of sources and bad pixels."""
    good = image[~bad]
    for _ in range(CLIPPINGS):
        middle = np.median(good)
        noise = 1.4826 * np.median(np.abs(good - middle))
        good = good[np.abs(good - middle) <= 3 * noise]
    return np.full_like(image, middle), Sky(float(middle), float(noise))


def grown(chosen: Flags, radius: int) -> Flags:
    """Mark the chosen pixels and all within `radius` of them along both axes."""
    out = np.empty_like(chosen)
    _grow(np.ascontiguousarray(chosen), radius, out)
    return out


@compiled
def _grow(chosen: Flags, radius: int, out: Flags) -> None:
    """Spread along the rows, and what came of it along the columns, downwards and upwards."""
    ny, nx = chosen.shape
    wide = np.zeros((ny, nx), dtype=np.bool_)
    for j in range(ny):
        done = 0
        for i in range(nx):
            if chosen[j, i]:
                for ii in range(max(done, i - radius), min(nx, i + radius + 1)):
                    wide[j, ii] = True
                done = i + radius + 1
    left, none, full = np.zeros(nx, dtype=np.int16), np.int16(0), np.int16(radius + 1)
    for j in range(ny):
        for i in range(nx):
            left[i] = full if wide[j, i] else max(left[i] - np.int16(1), none)
            out[j, i] = left[i] > none
    left[:] = none
    for j in range(ny - 1, -1, -1):
        for i in range(nx):
            left[i] = full if wide[j, i] else max(left[i] - np.int16(1), none)
            out[j, i] |= left[i] > none
