"""PSF stars and a model of the PSF over a detector: an elliptical profile plus pixels, both varying smoothly.

In a catalogue's meta the model is in psf_* (`PsfModel.to_row`), NPSF is the number of its stars, 0 for a guess, PSFFWHM
its FWHM in px; PSFDSIZE, PSFSSIZE and PSFDE tell how well it fits (`psf_quality.psf_residuals`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from qa.drp.algorithms.moments import Moments, adaptive_moments
from qa.drp.algorithms.psf_profile import draw_stamp, draw_stamps, profile_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""The FWHM given everywhere is that of the Gaussian with the same adaptive moments."""

STAR_SNR = 30.0
"""A star fainter than this tells little about the PSF."""

BRIGHT_SNR = 500.0
"""At this S/N a star's noise is as large as what makes stars differ from a smooth model; a few tenths of a per cent."""

LOCUS = 0.04
"""Half width in ln(size) of the window that finds the stars: sizes of stars agree, those of galaxies do not."""

UNLIKE = 0.06
"""No star differs from the model by more than this in ln(size), e1 or e2."""

DEFAULT_SIGMA = 2.0
"""Size in px assumed for an image without any source."""

STARS_PER_TERM = 4
"""Stars asked for per coefficient of the model."""

BETA = 3.5
"""Moffat exponent where the stars do not tell: between a turbulent atmosphere (4.8) and the optics' wings."""

STAMP_REACH, LARGEST_HALF = 4.0, 40
"""A stamp reaches so many FWHM from its middle, and at most so many px."""


def _no_planes() -> Floats:
    return np.zeros((1, 1, 1))


class Psf(Protocol):
    """What photometry needs to know of a PSF, be it that of a visit or of a coadd."""

    @property
    def n_stars(self) -> int:
        """Stars it rests on; 0 where it is a guess."""

    @property
    def fwhm(self) -> float:
        """FWHM in px, typical of the image."""

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """FWHM in px, e1 and e2 at pixels."""

    def draw(self, x: Floats, y: Floats, *, half: int) -> Floats:
        """PSFs of total flux 1 at pixels (x, y), each on the 2 half + 1 pixels squared around its nearest pixel."""


@dataclass(frozen=True, slots=True)
class PsfModel:
    """An elliptical Moffat profile plus residual pixels, both polynomials over the detector.

    `coefficients` are polynomials of ln(sigma / px), e1 and e2, one per row, of the adaptive moments; e1 = (xx - yy) /
    (xx + yy), e2 = 2 xy / (xx + yy). `planes`, shape (terms, side, side), are the polynomial's terms of the residual
    pixels, of a PSF of total flux 1; their sums are zero. `n_stars` is 0 where the model is a guess.
    """

    nx: int
    ny: int
    order: int
    coefficients: Floats
    n_stars: int
    beta: float = BETA
    planes: Floats = field(default_factory=_no_planes)

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """FWHM in px, e1 and e2 at pixels."""
        size, e1, e2 = self.coefficients @ polynomials(x, y, shape=(self.ny, self.nx), order=self.order).T
        return FWHM_PER_SIGMA * np.exp(size), e1, e2

    @property
    def fwhm(self) -> float:
        """FWHM in px at the centre of the detector."""
        middle = np.array([(self.nx - 1) / 2]), np.array([(self.ny - 1) / 2])
        return float(self.at(*middle)[0][0])

    @property
    def size(self) -> int:
        """Side of a stamp in px: all but a thousandth of the light of a PSF with beta = 3.5 falls within."""
        return 2 * min(LARGEST_HALF, int(np.ceil(STAMP_REACH * self.fwhm))) + 1

    def stamp(self, x: float, y: float, dx: float = 0.0, dy: float = 0.0) -> Floats:
        """PSF at a pixel, on `size` x `size` pixels, centred on the middle one plus (dx, dy), of sum 1."""
        shape, residual = self.local(x, y)
        out, half = np.zeros((self.size, self.size)), self.size // 2
        draw_stamp(out, half + dx, half + dy, np.eye(2), shape, profile_table(self.beta), residual, 1.0)
        return np.asarray(out / out.sum())

    def local(self, x: float, y: float) -> tuple[Floats, Floats]:
        """Moments xx, yy, xy (px^2) and residual pixels at a pixel."""
        place = np.array([x]), np.array([y])
        return self.shapes(*place)[0], np.tensordot(self.plane_terms(*place)[0], self.planes, 1)

    def plane_terms(self, x: Floats, y: Floats) -> Floats:
        """Factors of the residual planes at pixels, shape (n, terms)."""
        return polynomials(x, y, shape=(self.ny, self.nx), order=plane_order(self.planes))

    def shapes(self, x: Floats, y: Floats) -> Floats:
        """Moments xx, yy, xy (px^2) at pixels, shape (n, 3)."""
        fwhm, e1, e2 = self.at(x, y)
        # The total of the round PSF of the same area, over sqrt(1 - e^2).
        trace = (fwhm / FWHM_PER_SIGMA) ** 2 / np.sqrt(np.maximum(1 - e1**2 - e2**2, 0.05))
        return np.column_stack([trace * (1 + e1), trace * (1 - e1), trace * e2])

    def draw(self, x: Floats, y: Floats, *, half: int) -> Floats:
        """PSFs of total flux 1 at pixels (x, y), each on the 2 half + 1 pixels squared around its nearest pixel."""
        x, y = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
        out = np.empty((len(x), 2 * half + 1, 2 * half + 1))
        draw_stamps(out, x, y, self.shapes(x, y), profile_table(self.beta), self.planes, self.plane_terms(x, y))
        return out

    def to_row(self) -> dict[str, Any]:
        """Plain values, named psf_*, that survive FITS, YAML and Parquet; `from_row` undoes it."""
        return {
            "psf_nx": self.nx,
            "psf_ny": self.ny,
            "psf_n_stars": self.n_stars,
            "psf_beta": float(self.beta),
            "psf_terms": _to_text(self.coefficients, np.float64),
            "psf_side": self.planes.shape[1],
            "psf_planes": _to_text(self.planes, np.float32),
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> PsfModel:
        """Read what `to_row` wrote; other names are ignored."""
        coefficients = _from_text(row["psf_terms"], np.float64).reshape(3, -1)
        side = int(row["psf_side"])
        planes = _from_text(row["psf_planes"], np.float32).reshape(-1, side, side)
        order = plane_order(coefficients.T)
        counts = int(row["psf_nx"]), int(row["psf_ny"]), order, coefficients, int(row["psf_n_stars"])
        return cls(*counts, float(row["psf_beta"]), planes)


def plane_order(terms: Floats) -> int:
    """Order of the polynomial with so many terms as `terms` has rows."""
    return int(np.sqrt(2 * len(terms) + 0.25) - 1.5)


def _to_text(values: Floats, kind: type[np.floating[Any]]) -> str:
    # Text, because YAML, which carries a table's meta, takes a millisecond for ten numbers.
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")


def _from_text(text: str, kind: type[np.floating[Any]]) -> Floats:
    return np.frombuffer(base64.b64decode(text), dtype=kind).astype(np.float64)


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


def moments_of_stamps(stamps: Floats, dx: Floats, dy: Floats, *, sigma: float) -> Moments:
    """Adaptive moments of PSFs that lie (dx, dy) from the middle pixels of their stamps; no noise is assumed."""
    side = stamps.shape[1]
    image = stamps.reshape(-1, side).astype(np.float32)
    x, y = dx + side // 2, dy + side // 2 + side * np.arange(len(stamps))
    return adaptive_moments(image, np.ones_like(image), x=x, y=y, sigma=np.full(len(stamps), sigma))


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
    weights = star_weights(moments.snr)
    order, fit = 0, np.array([np.average(values[:, stars], axis=1, weights=weights[stars])]).T
    for _ in range(4):
        basis = polynomials(moments.x, moments.y, shape=shape, order=order)
        stars = _agreeing(values - fit @ basis.T, usable, stars, moments.snr)
        order = _affordable(int(stars.sum()))
        basis = polynomials(moments.x, moments.y, shape=shape, order=order)
        fit = _weighted_fit(basis[stars], values[:, stars], weights[stars])
    return PsfModel(shape[1], shape[0], order, fit, int(stars.sum())), stars


def star_weights(snr: Floats) -> Floats:
    """Weights of stars in the fit: inverse variances of their noise and of what the model cannot follow."""
    return np.asarray(snr**2 / (1 + (snr / BRIGHT_SNR) ** 2))


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
        # However much they scatter: a crowd of galaxies must not pass for stars.
        most = min(3.5 * max(scatter, 0.002), UNLIKE)
        keep &= np.abs(row - middle) <= np.maximum(most, np.minimum(1.5 / np.maximum(snr, 1.0), LOCUS))
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
