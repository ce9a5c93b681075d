"""The smooth terms of the calibration: what belongs to a detector, what to a visit, what to a detector in a visit.

A detector's distortion and flat-field error are the same in every visit; a visit adds pointing, rotation, refraction
and transparency, smooth over the whole field. Sharing the terms lets a few stars per detector suffice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.lsq import Design
from qa.drp.algorithms.psf import polynomials

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.observations import Exposures

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


VANISHING = 1e-5
"""Standard deviation (arcsec, mag) of what is not to be fitted."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Orders of the polynomials and, for each order from 0, the standard deviation expected of their coefficients.

    So many `stars` are asked for per coefficient: fewer would be fitted with their noise, and look better than they
    are.
    """

    detector: tuple[float, ...]
    visit: tuple[float, ...]
    exposure: tuple[float, ...]
    stars: int

    def prior(self, exposures: Exposures, catalog: Ints) -> Floats:
        """Return the expected standard deviation of each term, in the order of the columns of `design`.

        Terms of an order that the stars, of catalogues `catalog`, are too few for are expected to vanish.
        """
        stars = np.bincount(catalog, minlength=len(exposures.catalogs))
        blocks = (
            (self.detector, np.bincount(exposures.detector_of, stars)),
            (self.visit, np.bincount(exposures.visit_of, stars)),
            (self.exposure, stars),
        )
        return np.concatenate([self._affordable(orders, count) for orders, counts in blocks for count in counts])

    def _affordable(self, by_order: tuple[float, ...], count: float) -> Floats:
        needed = self.stars * np.cumsum(np.arange(1, len(by_order) + 1))
        needed[0] = 0
        return _per_term(tuple(np.where(count >= needed, by_order, np.minimum(by_order, VANISHING))))

    def design(self, exposures: Exposures, catalog: Ints, pixels: Floats, crude: Floats) -> Design:
        """Give each term at points: catalogue index (ascending), pixels (n, 2), crude positions (n, 2) in arcsec."""
        basis = self._basis(exposures, catalog, pixels, crude)
        columns = self._columns(exposures, np.arange(len(exposures.catalogs)))
        return Design(basis, columns, catalog, int(columns.max()) + 1)

    def at(self, exposures: Exposures, terms: Floats, catalog: int, pixels: Floats) -> Floats:
        """Effect of terms, shape (k, m), on pixels (n, 2) of one catalogue; shape (n, m)."""
        index = np.full(len(pixels), catalog, dtype=np.int64)
        crude = exposures.crude(catalog, pixels[:, 0], pixels[:, 1])
        return np.asarray(self._basis(exposures, index, pixels, crude) @ terms[self._columns(exposures, index[:1])[0]])

    def _basis(self, exposures: Exposures, catalog: Ints, pixels: Floats, crude: Floats) -> Floats:
        sizes = self._sizes
        basis = np.empty((len(catalog), sum(sizes)))
        for index in np.unique(catalog):
            mine = slice(*np.searchsorted(catalog, [index, index + 1]))
            x, y = pixels[mine].T
            shape = exposures.catalogs[index].shape
            basis[mine, : sizes[0]] = polynomials(x, y, shape=shape, order=len(self.detector) - 1)
            basis[mine, sizes[0] + sizes[1] :] = polynomials(x, y, shape=shape, order=len(self.exposure) - 1)
        u, v = exposures.field(crude, catalog).T
        powers = [(n - j, j) for n in range(len(self.visit)) for j in range(n + 1)]
        basis[:, sizes[0] : sizes[0] + sizes[1]] = np.column_stack([u**p * v**q for p, q in powers])
        return basis

    @property
    def _sizes(self) -> list[int]:
        return [len(_per_term(orders)) for orders in (self.detector, self.visit, self.exposure)]

    def _columns(self, exposures: Exposures, catalogs: Ints) -> Ints:
        """List the terms of each of the catalogues: its detector's, its visit's, its own."""
        sizes = self._sizes
        starts = np.cumsum([0, sizes[0] * len(exposures.detectors), sizes[1] * len(exposures.visits)])
        owners = exposures.detector_of[catalogs], exposures.visit_of[catalogs], catalogs
        parts = zip(starts, owners, sizes, strict=True)
        return np.hstack([start + owner[:, None] * size + np.arange(size) for start, owner, size in parts])


def _per_term(by_order: tuple[float, ...]) -> Floats:
    return np.repeat(by_order, np.arange(1, len(by_order) + 1)).astype(np.float64)


ASTROMETRY = Terms(detector=(5.0, 5.0, 3.0, 1.0), visit=(50.0, 5.0, 0.1), exposure=(0.01, 0.01), stars=2)
"""Arcsec."""

PHOTOMETRY = Terms(detector=(0.2, 0.1), visit=(50.0, 0.1, 0.1), exposure=(0.005,), stars=4)
"""Magnitudes. The first term of a visit is its zero point, which nothing is known about."""
