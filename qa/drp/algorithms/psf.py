"""PSF stars and a smooth model of the PSF's size and shape over a detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.moments import Moments

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""The FWHM given everywhere is that of the Gaussian with the same adaptive moments."""

STAR_SNR = 30.0
"""A star fainter than this tells little about the PSF."""

LOCUS = 0.04
"""Half width in ln(size) of the window that finds the stars: sizes of stars agree, those of galaxies do not."""

DEFAULT_SIGMA = 2.0
"""Size in px assumed for an image without any source."""

STARS_PER_TERM = 4
"""Stars asked for per coefficient of the model."""


@dataclass(frozen=True, slots=True)
class PsfModel:
    """Polynomials over the detector of ln(sigma / px), e1 and e2, rows of `coefficients`.

    e1 = (xx - yy) / (xx + yy), e2 = 2 xy / (xx + yy). `n_stars` is 0 where the model is a guess.
    """

    nx: int
    ny: int
    order: int
    coefficients: Floats
    n_stars: int

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """FWHM in px, e1 and e2 at pixels."""
        size, e1, e2 = self.coefficients @ polynomials(x, y, shape=(self.ny, self.nx), order=self.order).T
        return FWHM_PER_SIGMA * np.exp(size), e1, e2

    @property
    def fwhm(self) -> float:
        """FWHM in px at the centre of the detector."""
        middle = np.array([(self.nx - 1) / 2]), np.array([(self.ny - 1) / 2])
        return float(self.at(*middle)[0][0])


def polynomials(x: Floats, y: Floats, *, shape: tuple[int, int], order: int) -> Floats:
    """All products u^i v^j with i + j <= order, of pixels scaled to [-1, 1]; columns, constant first."""
    ny, nx = shape
    u = 2 * np.asarray(x, dtype=np.float64) / max(nx - 1, 1) - 1
    v = 2 * np.asarray(y, dtype=np.float64) / max(ny - 1, 1) - 1
    return np.column_stack([u ** (n - j) * v**j for n in range(order + 1) for j in range(n + 1)])


def ellipticity(moments: Moments) -> tuple[Floats, Floats]:
    """Return e1 and e2 of sources; 0 where the moments did not converge."""
    total = np.where(moments.converged, moments.xx + moments.yy, np.inf)
    return (moments.xx - moments.yy) / total, 2 * moments.xy / total


def fit_psf(moments: Moments, clean: Flags, *, shape: tuple[int, int]) -> tuple[PsfModel, Flags]:
    """Select the stars among the `clean` sources and fit the model to them.

    Returns
    -------
    model
        Of order 2 if there are stars enough, else lower. Without stars: the median size of all sources, round.
    stars
        Which sources it rests on.
    """
    usable = clean & moments.converged & (moments.snr > STAR_SNR)
    log_size = np.log(moments.size)
    stars = _densest(log_size, usable, moments.snr)
    if not stars.any():
        return _guess(moments, shape), stars
    e1, e2 = ellipticity(moments)
    values = np.vstack([log_size, e1, e2])
    weights = np.minimum(moments.snr, 200.0) ** 2
    order, fit = 0, np.array([np.average(values[:, stars], axis=1, weights=weights[stars])]).T
    for _ in range(4):
        basis = polynomials(moments.x, moments.y, shape=shape, order=order)
        stars = _agreeing(values - fit @ basis.T, usable, stars, moments.snr)
        order = _affordable(int(stars.sum()))
        basis = polynomials(moments.x, moments.y, shape=shape, order=order)
        fit = _weighted_fit(basis[stars], values[:, stars], weights[stars])
    return PsfModel(shape[1], shape[0], order, fit, int(stars.sum())), stars


def _densest(log_size: Floats, usable: Flags, snr: Floats) -> Flags:
    """Select the sources in the fullest window of size; bright ones count for more, as most of them are stars."""
    if not usable.any():
        return np.zeros(len(log_size), dtype=bool)
    order = np.argsort(log_size[usable], kind="stable")
    sizes = log_size[usable][order]
    total = np.concatenate([[0.0], np.cumsum(np.log(snr[usable][order] / STAR_SNR) + 0.5)])
    first = np.searchsorted(sizes, sizes - LOCUS, side="left")
    last = np.searchsorted(sizes, sizes + LOCUS, side="right")
    centre = sizes[np.argmax(total[last] - total[first])]
    return np.asarray(usable & (np.abs(log_size - centre) <= LOCUS))


def _agreeing(residuals: Floats, usable: Flags, stars: Flags, snr: Floats) -> Flags:
    """Select the sources on the present model; `stars` gives the scatter to allow."""
    keep = usable.copy()
    for row in residuals:
        middle = np.median(row[stars])
        scatter = 1.4826 * np.median(np.abs(row[stars] - middle))
        keep &= np.abs(row - middle) <= np.maximum(
            3.5 * max(scatter, 0.002), np.minimum(1.5 / np.maximum(snr, 1.0), LOCUS)
        )
    return keep if keep.any() else stars


def _affordable(stars: int) -> int:
    return 2 if stars >= 6 * STARS_PER_TERM else 1 if stars >= 3 * STARS_PER_TERM else 0


def _weighted_fit(basis: Floats, values: Floats, weights: Floats) -> Floats:
    root = np.sqrt(weights / weights.max())
    fit: Floats = np.linalg.lstsq(basis * root[:, None], (values * root).T, rcond=None)[0].T
    return fit


def _guess(moments: Moments, shape: tuple[int, int]) -> PsfModel:
    sizes = moments.size[moments.converged]
    sigma = float(np.median(sizes)) if len(sizes) else DEFAULT_SIGMA
    return PsfModel(shape[1], shape[0], 0, np.array([[np.log(sigma)], [0.0], [0.0]]), 0)
