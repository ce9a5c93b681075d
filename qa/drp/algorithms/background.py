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

UNUSABLE = Mask.BAD | Mask.NO_DATA
"""Pixels that say nothing about sky or sources."""


@dataclass(frozen=True, slots=True)
class Sky:
    """Mean level of the sky and noise of one pixel, in the unit of the image."""

    level: float
    noise: float


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
        every other pixel, that is good enough to find sources: their faint outskirts make it too bright.
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
        plane, sky = _rough(image, bad, mesh)
    else:
        plane, sky = _fine(image, bad | _sources(segments > 0, halo, bad), mesh)
    subtracted = image - plane
    subtracted[bad] = 0
    return MaskedImage(subtracted, exposure.variance, exposure.mask, dict(exposure.header)), sky


def _sources(found: Flags, halo: int, bad: Flags) -> Flags:
    """Mark sources with as much of their surroundings as leaves sky enough to measure."""
    while halo > 0:
        covered = grown(found, halo)
        if np.count_nonzero(covered | bad) <= (1 - LEAST_SKY) * bad.size + LEAST_SKY * np.count_nonzero(bad):
            return covered
        halo //= 2
    return found if np.count_nonzero(found | bad) < bad.size / 2 else np.zeros_like(found)


def _rough(image: Pixels, bad: Flags, mesh: int) -> tuple[Pixels, Sky]:
    plane, sky = _fine(np.ascontiguousarray(image[::2, ::2]), np.ascontiguousarray(bad[::2, ::2]), mesh // 2)
    ny, nx = image.shape
    return np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1)[:ny, :nx], sky


def _fine(image: Pixels, bad: Flags, mesh: int) -> tuple[Pixels, Sky]:
    back = sep.Background(image, mask=bad, bw=min(mesh, image.shape[1]), bh=min(mesh, image.shape[0]))
    return back.back(dtype=np.float32), Sky(float(back.globalback), float(back.globalrms))


def grown(chosen: Flags, radius: int) -> Flags:
    """Mark the chosen pixels and all within `radius` of them along both axes."""
    out = chosen.copy()
    _grow(np.ascontiguousarray(chosen), radius, out)
    return out


@compiled
def _grow(chosen: Flags, radius: int, out: Flags) -> None:
    ny, nx = chosen.shape
    for j in range(ny):
        for i in range(nx):
            if not chosen[j, i]:
                continue
            # The inside of a source has nothing to add.
            if 0 < i < nx - 1 and 0 < j < ny - 1:
                around = chosen[j, i - 1] and chosen[j, i + 1] and chosen[j - 1, i] and chosen[j + 1, i]
                if around:
                    continue
            for jj in range(max(0, j - radius), min(ny, j + radius + 1)):
                for ii in range(max(0, i - radius), min(nx, i + radius + 1)):
                    out[jj, ii] = True
