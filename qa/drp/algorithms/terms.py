"""The smooth terms of the calibration: what belongs to a detector, what to a visit, what to a detector in a visit.

A detector's distortion and flat-field error are the same in every visit; a visit adds pointing, rotation, refraction
and transparency, smooth over the whole field. Sharing the terms lets a few stars per detector suffice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.psf import polynomials

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.observations import Exposures

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Terms:
    """Orders of the polynomials and, for each order from 0, the standard deviation expected of their coefficients."""

    detector: tuple[float, ...]
    visit: tuple[float, ...]
    exposure: tuple[float, ...]

    def prior(self, exposures: Exposures) -> Floats:
        """Return the expected standard deviation of each term, in the order of the columns of `design`."""
        blocks = [
            np.tile(_per_term(self.detector), len(exposures.detectors)),
            np.tile(_per_term(self.visit), len(exposures.visits)),
            np.tile(_per_term(self.exposure), len(exposures.catalogs)),
        ]
        return np.concatenate(blocks)

    def design(self, exposures: Exposures, catalog: Ints, pixels: Floats, crude: Floats) -> Floats:
        """Value of each term at points: catalogue index, pixels (n, 2), crude positions (n, 2) in arcsec."""
        on_detector = np.empty((len(catalog), len(_per_term(self.detector))))
        on_exposure = np.empty((len(catalog), len(_per_term(self.exposure))))
        for index in np.unique(catalog):
            mine = catalog == index
            x, y = pixels[mine, 0], pixels[mine, 1]
            shape = exposures.catalogs[index].shape
            on_detector[mine] = polynomials(x, y, shape=shape, order=len(self.detector) - 1)
            on_exposure[mine] = polynomials(x, y, shape=shape, order=len(self.exposure) - 1)
        u, v = exposures.field(crude, catalog).T
        order = len(self.visit) - 1
        on_field = np.column_stack([u ** (n - j) * v**j for n in range(order + 1) for j in range(n + 1)])
        blocks = (
            (on_detector, exposures.detector_of[catalog], len(exposures.detectors)),
            (on_field, exposures.visit_of[catalog], len(exposures.visits)),
            (on_exposure, catalog, len(exposures.catalogs)),
        )
        return np.hstack([_spread(*block) for block in blocks])


def _per_term(by_order: tuple[float, ...]) -> Floats:
    return np.repeat(by_order, np.arange(1, len(by_order) + 1)).astype(np.float64)


def _spread(basis: Floats, owner: Ints, count: int) -> Floats:
    """Put the columns of each row where those of its owner are."""
    out = np.zeros((len(basis), count, basis.shape[1]))
    out[np.arange(len(basis)), owner] = basis
    return out.reshape(len(basis), -1)


ASTROMETRY = Terms(detector=(5.0, 5.0, 3.0, 1.0), visit=(10.0, 5.0, 0.1), exposure=(0.01, 0.01))
"""Arcsec."""

PHOTOMETRY = Terms(detector=(0.2, 0.1), visit=(50.0, 0.2, 0.2), exposure=(0.005,))
"""Magnitudes. The first term of a visit is its zero point, which nothing is known about."""
