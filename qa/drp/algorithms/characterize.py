"""One exposure of one detector: sky, sources, PSF and measurement in the order they need each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from qa.drp.algorithms.background import HALO, subtract_background
from qa.drp.algorithms.moments import Moments, adaptive_moments
from qa.drp.algorithms.psf import FWHM_PER_SIGMA, PsfModel, ellipticity, fit_psf
from qa.drp.algorithms.sources import (
    SPOILED,
    Detections,
    aperture_flux,
    bits_within,
    blended,
    detect,
    footprint_mask,
)
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

THRESHOLD = 1.5
"""Detection threshold on single exposures, in sigma of one unsmoothed pixel."""

SMOOTHING = 2.5
"""FWHM in px of the detection kernel, before the PSF is known."""

APERTURE = 1.5
"""Radius of the flux aperture in FWHM of the PSF at the source: it follows the PSF, so that everywhere the same part of
the light is left outside."""

ENCLOSED = 0.953
"""Light of a Moffat profile (beta = 3.5) within that aperture."""

CROWDING, CROWDED = 3.0, 0.02
"""Neighbours within so many FWHM, with so much of a source's light, make it badly blended."""

HALO_SIGMAS = 6.0
"""Light of a source this many isophotal sizes away still brightens the sky."""

SHARP, SHARP_SNR = 0.75, 20.0
"""A source narrower than this part of the PSF did not come through the atmosphere: a cosmic ray."""

EXTENDED, EXTENDED_NOISE = 0.2, 3.0
"""A galaxy's squared size exceeds the PSF's by this fraction plus this many over the S/N."""


@dataclass(frozen=True, slots=True)
class Characterization:
    """A background-subtracted exposure and its catalogue (the columns of `measure`)."""

    image: MaskedImage
    sources: Table


def characterize(exposure: MaskedImage) -> Characterization:
    """Subtract the sky, find and measure the sources, model the PSF.

    Returns
    -------
    characterization
        Image in electrons with `DETECTED` and `COSMIC_RAY` set in its mask. `sources.meta` holds what
        the calibration needs: size, exposure time, sky (electron/px), FWHM (px) and the approximate WCS.

    Raises
    ------
    UnusableImageError
        If the image is constant or entirely masked.
    """
    rough, rough_sky = subtract_background(exposure)
    found = detect(rough, noise=rough_sky.noise, threshold=THRESHOLD, fwhm=SMOOTHING)
    image, sky = subtract_background(exposure, segments=found.segments, halo=halo_of(found))
    sources, psf, cosmic = measure(image, found)
    mask = image.mask.copy()
    mask[found.segments > 0] |= np.int16(Mask.DETECTED)
    mask[footprint_mask(found.segments, cosmic)] |= np.int16(Mask.COSMIC_RAY)
    ny, nx = image.shape
    header = image.header | {"SKY": sky.level, "SKYNOISE": sky.noise, "PSFFWHM": psf.fwhm}
    sources.meta.update(header | {"NX": nx, "NY": ny, "NPSF": psf.n_stars})
    return Characterization(MaskedImage(image.image, image.variance, mask, header), sources)


def measure(image: MaskedImage, found: Detections) -> tuple[Table, PsfModel, Flags]:
    """Measure detections.

    Returns
    -------
    sources
        x, y and their errors (px); flux and its error (unit of the image, corrected for the light
        outside its aperture); snr of the flux; xx, yy, xy (px^2), e1, e2, those of the PSF there, fwhm (px);
        extendedness, psf_star, flag.
    psf
        The model.
    cosmic
        Which detections are cosmic rays.
    """
    sigma = np.clip(np.sqrt(found.a * found.b), 0.8, 8.0)
    moments = adaptive_moments(image.image, image.variance, x=found.x, y=found.y, sigma=sigma)
    typical = FWHM_PER_SIGMA * _typical_sigma(moments)
    spoiled = _spoiled(image, moments, np.full(len(found), typical))
    light = moments.snr**2
    crowded = blended(moments.x, moments.y, light, reach=CROWDING * typical, fraction=CROWDED)
    psf, stars = fit_psf(moments, ~spoiled & ~crowded, shape=image.shape)
    fwhm, psf_e1, psf_e2 = psf.at(moments.x, moments.y)
    flux, flux_err = aperture_flux(image, x=moments.x, y=moments.y, radius=APERTURE * fwhm)
    crowded = blended(moments.x, moments.y, flux, reach=CROWDING * psf.fwhm, fraction=CROWDED)
    spoiled = _spoiled(image, moments, APERTURE * fwhm)
    excess = (moments.size * FWHM_PER_SIGMA / fwhm) ** 2 - 1
    cosmic = _cosmic(moments, found, excess, psf)
    e1, e2 = ellipticity(moments)
    sources = Table(
        {
            "x": moments.x, "y": moments.y, "x_err": moments.x_err, "y_err": moments.y_err,
            "flux": flux / ENCLOSED, "flux_err": flux_err / ENCLOSED,
            "snr": flux / np.where(flux_err > 0, flux_err, np.inf),
            "xx": moments.xx, "yy": moments.yy, "xy": moments.xy, "e1": e1, "e2": e2,
            "psf_e1": psf_e1, "psf_e2": psf_e2, "fwhm": fwhm,
            "extendedness": _extendedness(moments, excess), "psf_star": stars,
            "flag": spoiled | crowded | cosmic | ~moments.converged,
        }
    )  # fmt: skip
    return sources, psf, cosmic


def halo_of(found: Detections) -> int:
    """Pixels beyond the isophotes of typical sources where their light still matters."""
    return max(HALO, round(HALO_SIGMAS * float(np.median(np.sqrt(found.a * found.b))))) if len(found) else HALO


def _typical_sigma(moments: Moments) -> float:
    good = moments.converged & (moments.snr > np.median(moments.snr)) if len(moments.x) else moments.converged
    return float(np.percentile(moments.size[good], 25)) if good.any() else 2.0


def _spoiled(image: MaskedImage, moments: Moments, radius: Floats) -> Flags:
    bits = bits_within(image.mask, x=moments.x, y=moments.y, radius=radius)
    return np.asarray((bits & np.int16(SPOILED | Mask.EDGE)) != 0)


def _cosmic(moments: Moments, found: Detections, excess: Floats, psf: PsfModel) -> Flags:
    if psf.n_stars == 0:
        return np.zeros(len(found), dtype=bool)
    narrow = moments.converged & (excess < SHARP**2 - 1)
    # The isophotes of faint stars are too small to tell.
    thin = (FWHM_PER_SIGMA * found.b < SHARP * psf.fwhm) & (moments.snr > SHARP_SNR)
    return np.asarray((narrow | thin | moments.collapsed) & (moments.snr > 1))


def _extendedness(moments: Moments, excess: Floats) -> Floats:
    limit = EXTENDED + EXTENDED_NOISE / np.maximum(moments.snr, 1.0)
    return (moments.converged & (excess > limit)).astype(np.float64)
