"""Fluxes of point sources: the PSF fitted to the pixels, its position held.

The weights are those of the PSF where the sky's noise rules, and even out where the source's own light does (Naylor
1998, MNRAS 296, 339; Stetson 1987, PASP 99, 191): faint stars get the sharpest answer, bright ones one that, like an
aperture, does not hang on the model's core. The weights come from the model, not from the pixels they weigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.background import UNUSABLE
from qa.drp.algorithms.jit import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.psf import Psf
    from qa.drp.image import MaskedImage, MaskPixels, Pixels

    Floats = NDArray[np.float64]
    Segments = NDArray[np.int32]

FIT_REACH = 1.5
"""Pixels within so many FWHM take part."""

MOST_SHOT = 0.95
"""Part of the mean variance that a source's own photons can make up: the sky makes the rest."""

OUT_OF_USE = int(UNUSABLE)


@dataclass(frozen=True, slots=True)
class PointFluxes:
    """Fluxes as point sources with their errors, in the unit of the image, and chi2 per degree of freedom."""

    flux: Floats
    flux_err: Floats
    chi2: Floats


def psf_flux(
    image: MaskedImage, psf: Psf, *, x: Floats, y: Floats, segments: Segments | None = None, own: Segments | None = None
) -> PointFluxes:
    """Measure the sources at (x, y) as point sources of total flux, the wings beyond the pixels used included.

    Parameters
    ----------
    image
        Background-subtracted.
    psf
        Its PSF.
    x, y
        Places in px.
    segments, own
        Which source each pixel belongs to, and the number of each source in it: the pixels of others are left out.

    Returns
    -------
    fluxes
        0 with error 0 where no pixel can be used.
    """
    x, y = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
    out = np.zeros((len(x), 3))
    if len(x):
        half = max(2, int(np.ceil(FIT_REACH * psf.fwhm)))
        if segments is None or own is None:
            segments, own = np.zeros((1, 1), dtype=np.int32), np.zeros(len(x), dtype=np.int32)
        stamps = psf.draw(x, y, half=half)
        _fit_all(image.image, image.variance, image.mask, segments, own, stamps, x, y, FIT_REACH * psf.fwhm, out)
    return PointFluxes(*np.ascontiguousarray(out.T))


@compiled
def _fit_all(  # noqa: PLR0913, PLR0917 - numba knows no keyword-only arguments
    image: Pixels,
    variance: Pixels,
    mask: MaskPixels,
    segments: Segments,
    own: Segments,
    stamps: Floats,
    x: Floats,
    y: Floats,
    reach: float,
    out: Floats,
) -> None:
    ny, nx = image.shape
    side = stamps.shape[1]
    light, model, noise = np.empty(side * side), np.empty(side * side), np.empty(side * side)
    for k in range(len(x)):
        left, bottom = int(np.floor(x[k] + 0.5)) - side // 2, int(np.floor(y[k] + 0.5)) - side // 2
        n = 0
        for j in range(max(0, -bottom), min(side, ny - bottom)):
            for i in range(max(0, -left), min(side, nx - left)):
                jj, ii = bottom + j, left + i
                if (ii - x[k]) ** 2 + (jj - y[k]) ** 2 > reach * reach or (mask[jj, ii] & OUT_OF_USE) != 0:
                    continue
                if segments.size > 1 and segments[jj, ii] != 0 and segments[jj, ii] != own[k]:
                    continue
                if variance[jj, ii] < np.inf:
                    light[n], model[n], noise[n] = image[jj, ii], stamps[k, j, i], variance[jj, ii]
                    n += 1
        if n > 1:
            fit_flux(light[:n], model[:n], noise[:n], out[k])


def fit_flux(light: Floats, model: Floats, noise: Floats, out: Floats) -> None:
    """Fit the flux into out[0], with its error and chi2, from pixels of a source and the model of unit flux there.

    The weights are model / variance, with the variance as the straight line in the model that the variance plane shows.
    """
    n = len(light)
    mean_m, mean_v = float(np.mean(model)), float(np.mean(noise))
    steep, across = float(np.sum((model - mean_m) * (noise - mean_v))), float(np.sum((model - mean_m) ** 2))
    slope = max(0.0, steep / across) if across > 0 else 0.0
    slope = min(slope, MOST_SHOT * mean_v / mean_m) if mean_m > 0 else 0.0
    sky = mean_v - slope * mean_m if mean_v > 0 else 1.0
    above = below = spread = 0.0
    for i in range(n):
        weight = model[i] / (sky + slope * max(model[i], 0.0))
        above += weight * light[i]
        below += weight * model[i]
        spread += weight * weight * noise[i]
    if below <= 0:
        return
    flux = above / below
    chi2 = 0.0
    for i in range(n):
        chi2 += (light[i] - flux * model[i]) ** 2 / (sky + slope * max(model[i], 0.0))
    out[0], out[1], out[2] = flux, np.sqrt(spread) / below, chi2 / (n - 1)


fit_flux = compiled(fit_flux)
