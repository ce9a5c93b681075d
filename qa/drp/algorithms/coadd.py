"""Clipped, weighted mean of the warps of a patch.

A pixel that one visit sees much brighter than the others (a cosmic ray, a satellite) is left out. The weights are one
number per visit, from the noise of its sky: weights that know a source's own photons would hollow out bright stars.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.jit import compiled
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.drp.image import MaskPixels, Pixels

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Counts = NDArray[np.int16]

TILE = 256
"""Rows worked on at once: bounds the memory of the stack."""

CLIP, NEIGHBOUR_CLIP = 5.0, 2.5
"""Sigma of the sky above which a pixel, or one beside a clipped pixel, is left out."""

SEEING, SEEING_OF_TWO = 1.0, 2.0
"""Fraction of the typical value that visits may differ by for their seeing; more when only two can be compared."""

IMAGE_BITS = int(~(Mask.NO_DATA | Mask.CLIPPED | Mask.DETECTED | Mask.COSMIC_RAY | Mask.EDGE))
NO_DATA, CLIPPED = int(Mask.NO_DATA), int(Mask.CLIPPED)


@dataclass(frozen=True, slots=True)
class Coadd:
    """Coadd in nJy, and how many visits went into each pixel, shape (ny, nx)."""

    image: MaskedImage
    n_visits: NDArray[np.int16]


def coadd_warps(warps: Sequence[MaskedImage]) -> Coadd:
    """Average warps of one patch, shapes equal, `SKYVAR` in their headers. Their order does not matter.

    The mask of a pixel is the OR of those used; `CLIPPED` where a visit was left out; `NO_DATA` where none is left.

    Raises
    ------
    UnusableImageError
        If there are no warps, or their shapes differ.
    """
    if len({warp.shape for warp in warps}) != 1:
        found = ", ".join(str(warp.shape) for warp in warps) or "no warps"
        raise UnusableImageError(what="coadd", required="warps of one shape", found=found)
    warps = sorted(warps, key=lambda warp: (float(warp.header["SKYVAR"]), zlib.crc32(warp.image[::8].tobytes())))
    sky = np.array([float(warp.header["SKYVAR"]) for warp in warps])
    ny, nx = warps[0].shape
    out = MaskedImage(
        np.zeros((ny, nx), np.float32), np.full((ny, nx), np.inf, np.float32), np.zeros((ny, nx), np.int16)
    )
    n_visits = np.zeros((ny, nx), dtype=np.int16)
    for start in range(0, ny, TILE):
        _tile(warps, sky, rows=(start, min(start + TILE, ny)), out=out, n_visits=n_visits)
    weights = 1 / sky
    fwhm = np.array([float(warp.header.get("PSFFWHM", 0.0)) for warp in warps])
    out.header = {name: card for name, card in warps[0].header.items() if name not in {"SKYVAR", "PSFFWHM"}}
    out.header |= {"SKYVAR": float(1 / weights.sum()), "PSFFWHM": float(fwhm @ weights / weights.sum())}
    return Coadd(out, n_visits)


def _tile(
    warps: Sequence[MaskedImage], sky: Floats, *, rows: tuple[int, int], out: MaskedImage, n_visits: Counts
) -> None:
    """Coadd some rows; a row more on either side lets clipping see its neighbours."""
    low, high = max(rows[0] - 1, 0), min(rows[1] + 1, out.shape[0])
    images = np.stack([warp.image[low:high] for warp in warps])
    variances = np.stack([warp.variance[low:high] for warp in warps])
    masks = np.stack([warp.mask[low:high] for warp in warps])
    dropped = np.zeros(images.shape, dtype=np.bool_)
    if len(warps) > 1:
        deviation = np.zeros(images.shape, dtype=np.float32)
        _judge(images, variances, sky, deviation)
        _drop(deviation, dropped)
    inner, place = slice(rows[0] - low, rows[1] - low), slice(*rows)
    planes = (images[:, inner], variances[:, inner], masks[:, inner], dropped[:, inner])
    _average(*planes, 1 / sky, out.image[place], out.variance[place], out.mask[place], n_visits[place])


@compiled
def _judge(images: Pixels, variances: Pixels, sky: Floats, deviation: Pixels) -> None:
    """How far each visit is from the typical value beyond what seeing explains, in sigma of its sky."""
    count, ny, nx = images.shape
    values = np.empty(count, dtype=np.float32)
    scale = (1 / np.sqrt(sky)).astype(np.float32)
    for j in range(ny):
        for i in range(nx):
            n = 0
            for v in range(count):
                if variances[v, j, i] < np.inf:
                    # Insertion by minimum and maximum alone: a branch would be guessed wrong every other time.
                    larger = images[v, j, i]
                    for k in range(n):
                        smaller = min(values[k], larger)
                        larger = max(values[k], larger)
                        values[k] = smaller
                    values[n] = larger
                    n += 1
            if n < 2:  # noqa: PLR2004 - nothing to compare with
                continue
            typical = values[0] if n == 2 else values[(n - 1) // 2]  # noqa: PLR2004 - of two, the fainter
            allowed = np.float32(SEEING_OF_TWO if n == 2 else SEEING) * abs(typical)  # noqa: PLR2004
            for v in range(count):
                if variances[v, j, i] < np.inf:
                    deviation[v, j, i] = (abs(images[v, j, i] - typical) - allowed) * scale[v]


@compiled
def _drop(deviation: Pixels, dropped: Flags) -> None:
    count, ny, nx = deviation.shape
    for v in range(count):
        for j in range(ny):
            for i in range(nx):
                if deviation[v, j, i] > CLIP:
                    for jj in range(max(j - 1, 0), min(j + 2, ny)):
                        for ii in range(max(i - 1, 0), min(i + 2, nx)):
                            if deviation[v, jj, ii] > NEIGHBOUR_CLIP:
                                dropped[v, jj, ii] = True


@compiled
def _average(  # noqa: PLR0913, PLR0917 - planes in, planes out
    images: Pixels,
    variances: Pixels,
    masks: MaskPixels,
    dropped: Flags,
    weights: Floats,
    out_image: Pixels,
    out_variance: Pixels,
    out_mask: MaskPixels,
    n_visits: Counts,
) -> None:
    count, ny, nx = images.shape
    light, noise, total = np.empty(nx), np.empty(nx), np.empty(nx)
    bits = np.empty(nx, dtype=np.int16)
    for j in range(ny):
        light[:], noise[:], total[:], bits[:] = 0.0, 0.0, 0.0, 0
        used = n_visits[j]
        used[:] = 0
        # Visit by visit along a row, as the pixels lie in memory.
        for v in range(count):
            weight = weights[v]
            for i in range(nx):
                if not variances[v, j, i] < np.inf:
                    continue
                if dropped[v, j, i]:
                    bits[i] |= CLIPPED
                    continue
                used[i] += 1
                total[i] += weight
                light[i] += weight * images[v, j, i]
                noise[i] += weight * weight * variances[v, j, i]
                bits[i] |= masks[v, j, i] & IMAGE_BITS
        for i in range(nx):
            if used[i] > 0:
                out_image[j, i] = light[i] / total[i]
                out_variance[j, i] = noise[i] / (total[i] * total[i])
            else:
                bits[i] |= NO_DATA
            out_mask[j, i] = bits[i]
