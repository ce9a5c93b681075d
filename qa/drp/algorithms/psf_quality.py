"""How well a PSF model tells the stars, each star being held out of the fit that is compared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.psf import (
    FWHM_PER_SIGMA,
    Psf,
    PsfModel,
    ellipticity,
    moments_of_stamps,
    polynomials,
    star_weights,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.moments import Moments

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

JUDGE_SNR, MOST_JUDGES, FEWEST_JUDGES = 50.0, 40, 3
"""Stars that judge the model: their S/N at least, how many of them at most and at least."""

FACTS = {"psf_size_residual": "PSFDSIZE", "psf_size_scatter": "PSFSSIZE", "psf_e_residual": "PSFDE"}
"""Names of the residuals in tables, and in the meta of a catalogue."""

BIG_PULL = 0.999
"""A star that holds the model by more than this has nothing to be compared with once it is left out."""


def psf_residuals(model: Psf, moments: Moments, stars: Flags) -> dict[str, float]:
    """Compare the moments of the drawn model with those of stars, both at the same places within a pixel.

    A `PsfModel` is taken to be fitted to these stars; the PSF of a coadd comes from the visits.

    Returns
    -------
    facts
        PSFDSIZE: median of (T_model - T_star) / T_star with T = xx + yy. PSFSSIZE: its scatter (1.4826 times the median
        absolute deviation). PSFDE: root mean square of |e_model - e_star|. For these two each star's residual is
        divided by 1 - h, h being its leverage: that is what it would be, had the star not taken part (Allen 1974,
        Technometrics 16, 125). Empty where too few stars can judge.
    """
    chosen = np.flatnonzero(stars & (moments.snr > JUDGE_SNR))
    chosen = np.sort(chosen[np.argsort(-moments.snr[chosen], kind="stable")[:MOST_JUDGES]])
    free = np.ones(len(chosen))
    if isinstance(model, PsfModel):
        free -= _leverage(model, moments, stars)[np.searchsorted(np.flatnonzero(stars), chosen)]
    chosen, free = chosen[free > 1 - BIG_PULL], free[free > 1 - BIG_PULL]
    drawn = _moments_of(model, moments.x[chosen], moments.y[chosen])
    good = drawn.converged
    if good.sum() < FEWEST_JUDGES:
        return {}
    chosen, free = chosen[good], free[good]
    total = (moments.xx + moments.yy)[chosen]
    size = (drawn.xx + drawn.yy)[good] / total - 1
    (m1, m2), (s1, s2) = ellipticity(drawn), ellipticity(moments)
    shape = np.hypot(m1[good] - s1[chosen], m2[good] - s2[chosen]) / free
    middle = float(np.median(size))
    scatter = 1.4826 * float(np.median(np.abs(size - middle) / free))
    return {"PSFDSIZE": middle, "PSFSSIZE": scatter, "PSFDE": float(np.sqrt(np.mean(shape**2)))}


def _leverage(model: PsfModel, moments: Moments, stars: Flags) -> Floats:
    """Diagonal of the hat matrix of the weighted fit."""
    basis = polynomials(moments.x[stars], moments.y[stars], shape=(model.ny, model.nx), order=model.order)
    weights = star_weights(moments.snr[stars])
    inverse = np.linalg.pinv(basis.T @ (basis * weights[:, None]))
    return np.asarray(weights * np.sum((basis @ inverse) * basis, axis=1))


def _moments_of(model: Psf, x: Floats, y: Floats) -> Moments:
    sigma = model.fwhm / FWHM_PER_SIGMA
    stamps = model.draw(x, y, half=int(np.ceil(5 * sigma)) + 1)  # all the pixels the weight sees
    return moments_of_stamps(stamps, x - np.floor(x + 0.5), y - np.floor(y + 0.5), sigma=sigma)
