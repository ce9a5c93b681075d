"""Finding sources and measuring them: detection, apertures, flags. Images are background-subtracted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sep
from scipy.spatial import cKDTree

from qa.drp.algorithms.background import unusable
from qa.drp.algorithms.jit import compiled
from qa.drp.image import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import MaskedImage, MaskPixels, Pixels

    Floats = NDArray[np.float64]

MIN_AREA = 5
"""Connected pixels above the threshold that make a source."""

DEBLENDING_LEVELS = 16
"""Brightness levels at which a source is looked at for parts; twice as many find 2 % more parts at twice the cost."""

KERNEL_REACH = 1.1
"""Half the side of the detection kernel in its FWHM."""

SPOILED = Mask.BAD | Mask.NO_DATA | Mask.SATURATED
"""Bits that spoil a flux when they lie within its aperture."""


@dataclass(frozen=True, slots=True)
class Detections:
    """Isophotal detections: centroid and rms sizes in px, and which pixels belong to which (1-based, 0 for none)."""

    x: Floats
    y: Floats
    a: Floats
    b: Floats
    theta: Floats
    area: NDArray[np.int64]
    segments: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of sources."""
        return len(self.x)


def kernel(fwhm: float) -> Pixels:
    """Round Gaussian of the given FWHM (px), of sum 1, to 1.1 FWHM from its middle: what is beyond tells nothing."""
    line = profile(fwhm)
    return np.outer(line, line)


def profile(fwhm: float) -> Pixels:
    """Return the Gaussian along one axis, of sum 1."""
    half = max(1, round(KERNEL_REACH * fwhm))
    line = np.exp(-4 * np.log(2) * (np.arange(-half, half + 1) / fwhm) ** 2)
    return np.asarray(line / line.sum(), dtype=np.float32)


def smoothed(image: Pixels, bad: NDArray[np.bool_], *, fwhm: float) -> Pixels:
    """Convolve with `kernel`; bad pixels, and what is beyond the edge, count as 0."""
    out = np.empty_like(image)
    _smooth(np.ascontiguousarray(image), bad, profile(fwhm), out)
    return out


@compiled
def _smooth(image: Pixels, bad: NDArray[np.bool_], line: Pixels, out: Pixels) -> None:
    """Convolve along the rows into a ring of rows, and from there along the columns."""
    ny, nx = image.shape
    taps, half = len(line), len(line) // 2
    ring, padded = np.zeros((taps, nx), dtype=np.float32), np.zeros(nx + taps - 1, dtype=np.float32)
    for j in range(ny + half):
        row = ring[j % taps]
        row[:] = 0.0
        if j < ny:
            for i in range(nx):
                padded[half + i] = np.float32(0) if bad[j, i] else image[j, i]
            for k in range(taps):
                for i in range(nx):
                    row[i] += line[k] * padded[i + k]
        if j >= half:
            into = out[j - half]
            into[:] = 0.0
            for k in range(taps):
                one = ring[(j + 1 + k) % taps]
                for i in range(nx):
                    into[i] += line[k] * one[i]


def detect(
    exposure: MaskedImage,
    *,
    noise: float | Pixels,
    threshold: float,
    fwhm: float,
    area: int = MIN_AREA,
    levels: int = DEBLENDING_LEVELS,
) -> Detections:
    """Find what rises above `threshold` times `noise` on `area` px once smoothed with a Gaussian of `fwhm` (px).

    At so many `levels` of brightness a source is looked at for parts.
    """
    # Both limits are global in sep; bright stars and dense fields overrun its defaults.
    sep.set_extract_pixstack(max(300_000, exposure.image.size // 4))
    sep.set_sub_object_limit(8192)
    bad = unusable(exposure.mask)
    # sep's own convolution takes ten times as long.
    image = smoothed(exposure.image, bad, fwhm=fwhm)
    if not isinstance(noise, float):
        image[bad] = 0  # where nothing is known about the noise, nothing is found
    found, segments = sep.extract(
        image,
        threshold,
        err=noise,
        minarea=area,
        filter_kernel=None,
        deblend_nthresh=levels,
        segmentation_map=True,
    )
    a, b = np.maximum(found["a"], 0.3), np.maximum(found["b"], 0.3)
    theta = np.clip(np.nan_to_num(found["theta"]), -np.pi / 2, np.pi / 2)
    return Detections(found["x"], found["y"], a, b, theta, found["npix"].astype(np.int64), segments)


def windowed_centroids(exposure: MaskedImage, *, x: Floats, y: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Centroids (px) under a round Gaussian of `sigma` px that moves with them; where that does not end, (x, y).

    The iteration is that of SExtractor's windowed positions (https://sextractor.readthedocs.io, "Windowed positional
    parameters").
    """
    if not len(x):
        return x, y
    # Finer parts of pixels than one change nothing but the cost, which is four times as high with sep's eleven.
    x_new, y_new, _ = sep.winpos(exposure.image, x, y, sigma, mask=unusable(exposure.mask), subpix=1)
    known = np.isfinite(x_new + y_new)
    return np.where(known, x_new, x), np.where(known, y_new, y)


def aperture_flux(exposure: MaskedImage, *, x: Floats, y: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Flux within circles and its error, in the unit of the image. Unusable pixels count as the mean of the others."""
    variance = np.where(np.isfinite(exposure.variance), exposure.variance, np.float32(0))
    flux, error, _ = sep.sum_circle(exposure.image, x, y, radius, var=variance, mask=unusable(exposure.mask), subpix=0)
    return np.nan_to_num(flux), np.nan_to_num(error)


def bits_within(mask: MaskPixels, *, x: Floats, y: Floats, radius: Floats) -> NDArray[np.int16]:
    """OR of the mask bits within circles; a circle that leaves the image has `EDGE` set."""
    out = np.zeros(len(x), dtype=np.int16)
    _or_bits(mask, np.ascontiguousarray(x), np.ascontiguousarray(y), np.ascontiguousarray(radius), out)
    ny, nx = mask.shape
    outside = (x - radius < 0) | (y - radius < 0) | (x + radius > nx - 1) | (y + radius > ny - 1)
    out[outside] |= np.int16(Mask.EDGE)
    return out


@compiled
def _or_bits(mask: MaskPixels, x: Floats, y: Floats, radius: Floats, out: NDArray[np.int16]) -> None:
    ny, nx = mask.shape
    for k in range(len(x)):
        r = radius[k]
        for j in range(max(0, int(y[k] - r)), min(ny, int(y[k] + r) + 1)):
            for i in range(max(0, int(x[k] - r)), min(nx, int(x[k] + r) + 1)):
                if (i - x[k]) ** 2 + (j - y[k]) ** 2 <= r * r:
                    out[k] |= mask[j, i]


def blended(x: Floats, y: Floats, flux: Floats, *, reach: float, fraction: float) -> NDArray[np.bool_]:
    """Whether a source has neighbours within `reach` px that together shine with `fraction` of its flux."""
    light = np.zeros(len(x))
    if len(x) > 1:
        pairs = cKDTree(np.column_stack([x, y])).query_pairs(reach, output_type="ndarray")
        np.add.at(light, pairs[:, 0], np.maximum(flux[pairs[:, 1]], 0))
        np.add.at(light, pairs[:, 1], np.maximum(flux[pairs[:, 0]], 0))
    return light > fraction * np.maximum(flux, 0)


def footprint_mask(segments: NDArray[np.int32], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels that belong to the chosen ones of the detections."""
    return np.concatenate([[False], chosen])[segments]
