"""One exposure of one detector: sky, sources, PSF and measurement in the order they need each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import sep
from astropy.table import Table

from qa.drp.algorithms.background import HALO, subtract_background, unusable
from qa.drp.algorithms.moments import Moments, adaptive_moments
from qa.drp.algorithms.psf import FWHM_PER_SIGMA, Psf, PsfModel, ellipticity, fit_psf
from qa.drp.algorithms.psf_fit import MOST_STARS, cut_stars, fit_pixels, pixel_half
from qa.drp.algorithms.psf_photometry import psf_flux
from qa.drp.algorithms.psf_quality import psf_residuals
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

CROWDING, CROWDED = 3.0, 0.02
"""Neighbours within so many FWHM, with so much of a source's light, make it badly blended."""

WANDERED, WANDERED_SIGMAS = 1.5, 0.75
"""Moments that end farther than so many px, and isophotal sizes, from the detection are those of a blend."""

HALO_SIGMAS = 6.0
"""Light of a source this many isophotal sizes away still brightens the sky."""

SAMPLING = 8
"""Every so many rows tell the noise that is expected."""

SHARP, SHARP_SNR = 0.75, 20.0
"""A source narrower than this part of the PSF did not come through the atmosphere: a cosmic ray."""

EXTENDED, EXTENDED_NOISE = 0.2, 2.5
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
        Image in electrons with `DETECTED` and `COSMIC_RAY` set in its mask. Pixels that had the latter before are
        left out as bad ones are, and flag what they touch. `sources.meta` holds what
        the calibration needs: size, exposure time, sky (electron/px), FWHM (px), the approximate WCS, the PSF model
        (`PsfModel.from_row`), its residuals (`psf_quality.psf_residuals`; absent where stars are too few) and SKYRATIO,
        the measured noise of the sky over that expected from the variance.

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
    facts = {"NX": nx, "NY": ny, "NPSF": psf.n_stars, "SKYRATIO": sky.noise / _expected_noise(image, found)}
    sources.meta.update(header | facts | (psf.to_row() if isinstance(psf, PsfModel) else {}))
    return Characterization(MaskedImage(image.image, image.variance, mask, header), sources)


def measure(image: MaskedImage, found: Detections, *, psf: Psf | None = None) -> tuple[Table, Psf, Flags]:
    """Measure detections, with the PSF of the image or, where that is None, with one made from its stars.

    Returns
    -------
    sources
        x, y and their errors (px); flux as a point source with its error (unit of the image), psf_chi2 per degree of
        freedom and snr; aperture_flux with its error, corrected for the light outside the aperture; xx, yy, xy (px^2),
        e1, e2, those of the PSF there, fwhm (px); extendedness, psf_star, flag. Its meta tells how well the PSF fits
        the stars (`psf_quality.psf_residuals`).
    psf
        The model.
    cosmic
        Which detections are cosmic rays.
    """
    moments = _moments(image, found)
    own, stars = _star_model(image, moments)
    psf = _with_pixels(own, image, moments, stars, found) if psf is None else psf
    fwhm, psf_e1, psf_e2 = psf.at(moments.x, moments.y)
    flux, flux_err = _aperture(image, psf, moments, fwhm)
    numbers = np.arange(1, len(found) + 1, dtype=np.int32)
    point = psf_flux(image, psf, x=moments.x, y=moments.y, segments=found.segments, own=numbers)
    crowded = blended(moments.x, moments.y, flux, reach=CROWDING * psf.fwhm, fraction=CROWDED)
    spoiled = _spoiled(image, moments, APERTURE * fwhm)
    excess = (moments.size * FWHM_PER_SIGMA / fwhm) ** 2 - 1
    cosmic = _cosmic(moments, found, excess, psf)
    e1, e2 = ellipticity(moments)
    sources = Table(
        {
            "x": moments.x, "y": moments.y, "x_err": moments.x_err, "y_err": moments.y_err,
            "flux": point.flux, "flux_err": point.flux_err, "psf_chi2": point.chi2,
            "snr": point.flux / np.where(point.flux_err > 0, point.flux_err, np.inf),
            "aperture_flux": flux, "aperture_flux_err": flux_err,
            "xx": moments.xx, "yy": moments.yy, "xy": moments.xy, "e1": e1, "e2": e2,
            "psf_e1": psf_e1, "psf_e2": psf_e2, "fwhm": fwhm,
            "extendedness": _extendedness(moments, excess), "psf_star": stars,
            "flag": spoiled | crowded | cosmic | ~moments.converged,
        },
        meta=psf_residuals(psf, moments, stars),
    )  # fmt: skip
    return sources, psf, cosmic


def _moments(image: MaskedImage, found: Detections) -> Moments:
    sigma = np.clip(np.sqrt(found.a * found.b), 0.8, 8.0)
    moments = adaptive_moments(image.image, image.variance, x=found.x, y=found.y, sigma=sigma)
    away = np.hypot(moments.x - found.x, moments.y - found.y) > np.maximum(WANDERED, WANDERED_SIGMAS * sigma)
    return moments if not away.any() else _kept(moments, found, sigma, ~away)


def _kept(moments: Moments, found: Detections, sigma: Floats, keep: Flags) -> Moments:
    """Go back to where the iteration began for sources whose moments ran to a neighbour: two would be in one place."""
    starts = {"x": found.x, "y": found.y, "xx": sigma**2, "yy": sigma**2, "xy": np.zeros(len(sigma))}
    values = {name: np.where(keep, getattr(moments, name), start) for name, start in starts.items()}
    return replace(moments, **values, converged=moments.converged & keep)


def _star_model(image: MaskedImage, moments: Moments) -> tuple[PsfModel, Flags]:
    typical = FWHM_PER_SIGMA * _typical_sigma(moments)
    spoiled = _spoiled(image, moments, np.full(len(moments.x), typical))
    crowded = blended(moments.x, moments.y, moments.snr**2, reach=CROWDING * typical, fraction=CROWDED)
    return fit_psf(moments, ~spoiled & ~crowded, shape=image.shape)


def _with_pixels(psf: PsfModel, image: MaskedImage, moments: Moments, stars: Flags, found: Detections) -> PsfModel:
    chosen = np.flatnonzero(stars)
    if not len(chosen):
        return psf
    chosen = np.sort(chosen[np.argsort(-moments.snr[chosen], kind="stable")[:MOST_STARS]])
    x, y, own = moments.x[chosen], moments.y[chosen], chosen.astype(np.int32) + np.int32(1)
    return fit_pixels(psf, cut_stars(image, x, y, half=pixel_half(psf.fwhm), segments=found.segments, own=own))


def _aperture(image: MaskedImage, psf: Psf, moments: Moments, fwhm: Floats) -> tuple[Floats, Floats]:
    """Flux within the aperture and its error, over the PSF's light within it."""
    ny, nx = image.shape
    middle = np.array([float(nx // 2)]), np.array([float(ny // 2)])
    radius = APERTURE * psf.at(*middle)[0]
    half = int(np.ceil(radius[0])) + 1
    stamp = np.ascontiguousarray(psf.draw(*middle, half=half)[0])
    place = np.array([float(half)])
    enclosed = float(sep.sum_circle(stamp, place, place, radius, subpix=0)[0][0])
    flux, flux_err = aperture_flux(image, x=moments.x, y=moments.y, radius=APERTURE * fwhm)
    return flux / enclosed, flux_err / enclosed


def halo_of(found: Detections) -> int:
    """Pixels beyond the isophotes of typical sources where their light still matters."""
    return max(HALO, round(HALO_SIGMAS * float(np.median(np.sqrt(found.a * found.b))))) if len(found) else HALO


def _expected_noise(image: MaskedImage, found: Detections) -> float:
    variance = image.variance[::SAMPLING][(found.segments[::SAMPLING] == 0) & (unusable(image.mask[::SAMPLING]) == 0)]
    variance = variance[(variance > 0) & (variance < np.inf)]
    return float(np.sqrt(np.median(variance))) if len(variance) else np.inf


def _typical_sigma(moments: Moments) -> float:
    good = moments.converged & (moments.snr > np.median(moments.snr)) if len(moments.x) else moments.converged
    return float(np.percentile(moments.size[good], 25)) if good.any() else 2.0


def _spoiled(image: MaskedImage, moments: Moments, radius: Floats) -> Flags:
    bits = bits_within(image.mask, x=moments.x, y=moments.y, radius=radius)
    return np.asarray((bits & np.int16(SPOILED | Mask.COSMIC_RAY | Mask.EDGE)) != 0)


def _cosmic(moments: Moments, found: Detections, excess: Floats, psf: Psf) -> Flags:
    if psf.n_stars == 0:
        return np.zeros(len(found), dtype=bool)
    narrow = moments.converged & (excess < SHARP**2 - 1)
    # The isophotes of faint stars are too small to tell.
    thin = (FWHM_PER_SIGMA * found.b < SHARP * psf.fwhm) & (moments.snr > SHARP_SNR)
    return np.asarray((narrow | thin | moments.collapsed) & (moments.snr > 1))


def _extendedness(moments: Moments, excess: Floats) -> Floats:
    limit = EXTENDED + EXTENDED_NOISE / np.maximum(moments.snr, 1.0)
    return (moments.converged & (excess > limit)).astype(np.float64)
