"""Fluxes of galaxies: Kron ellipses, with the light that the PSF throws beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sep

from qa.drp.algorithms.background import unusable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.psf import Psf
    from qa.drp.algorithms.sources import Detections
    from qa.drp.image import MaskedImage

    Floats = NDArray[np.float64]

KRON_FACTOR, KRON_REACH, KRON_SMALLEST = 2.5, 6.0, 1.75
"""Kron (1980), ApJS 43, 305, with the constants of SExtractor (Bertin & Arnouts 1996, A&AS 117, 393)."""

WINGS = 6.0
"""A PSF is followed to so many FWHM."""


def kron_flux(image: MaskedImage, found: Detections, *, psf: Psf | None = None) -> tuple[Floats, Floats]:
    """Flux within Kron ellipses and its error, in the unit of the image.

    Pixels of other sources, and unusable ones, count as the mean of the others. With a `psf` the flux is corrected for
    the part of a point source's light outside a circle of the ellipse's area: all of what a star lacks, most of what
    a faint galaxy lacks, next to nothing of a large one.
    """
    if not len(found):
        return np.zeros(0), np.zeros(0)
    mask = unusable(image.mask)
    variance = np.where(np.isfinite(image.variance), image.variance, np.float32(0))
    shape = (found.x, found.y, found.a, found.b, found.theta)
    others = {"mask": mask, "segmap": found.segments, "seg_id": np.arange(1, len(found) + 1, dtype=np.int32)}
    radius, _ = sep.kron_radius(image.image, *shape, KRON_REACH, **others)
    radius = np.clip(np.nan_to_num(radius) * KRON_FACTOR, 2 * KRON_SMALLEST, KRON_FACTOR * KRON_REACH)
    flux, error, _ = sep.sum_ellipse(image.image, *shape, radius, var=variance, subpix=1, **others)
    inside = np.ones(len(found)) if psf is None else enclosed(psf, found, radius * np.sqrt(found.a * found.b))
    return np.nan_to_num(flux) / inside, np.nan_to_num(error) / inside


def enclosed(psf: Psf, found: Detections, radius: Floats) -> Floats:
    """Part of a point source's light within circles (px): the PSF amid the sources, as wide as it is at each."""
    middle = np.round(np.array([np.median(found.x)])), np.round(np.array([np.median(found.y)]))
    fwhm, typical = psf.at(found.x, found.y)[0], float(psf.at(*middle)[0][0])
    half = int(np.ceil(WINGS * typical))
    stamp = psf.draw(*middle, half=half)[0].ravel()
    v, u = np.mgrid[-half : half + 1, -half : half + 1]
    distance = np.hypot(u, v).ravel()
    outwards = np.argsort(distance, kind="stable")
    # The pixels nearer than a radius fill its circle up to half a pixel's ring.
    light = np.interp(radius * typical / fwhm, distance[outwards], np.cumsum(stamp[outwards]))
    return np.asarray(np.clip(light, 0.1, 1.0))
