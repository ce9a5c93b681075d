"""Global photometry: zero points of all visits and detectors of a tract, from repeated and from reference stars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.lsq import group_means, solve_grouped
from qa.drp.algorithms.terms import PHOTOMETRY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.astrometry import Astrometry, Reference
    from qa.drp.algorithms.observations import Exposures, Stars

    Floats = NDArray[np.float64]


UNKNOWN = 1e3
"""Error (mag) of what does not take part."""


@dataclass(frozen=True, slots=True)
class Photometry:
    """Terms of the fit; for each star its magnitude, whether it was kept and how far it is from its object's mean."""

    terms: Floats
    magnitude: Floats
    kept: NDArray[np.bool_]
    residual: Floats


def solve_photometry(exposures: Exposures, stars: Stars, reference: Reference, astrometry: Astrometry) -> Photometry:
    """Fit the zero points; the stars are grouped as the astrometry found them."""
    design = PHOTOMETRY.design(exposures, stars.catalog, np.column_stack([stars.x, stars.y]), stars.crude)
    prior = PHOTOMETRY.prior(exposures, stars.catalog)
    errors = np.where(astrometry.kept, stars.magnitude_err, UNKNOWN)  # a star in the wrong place is another star
    terms, kept = solve_grouped(
        design,
        np.concatenate([stars.magnitude, reference.magnitude])[:, None],
        errors=np.concatenate([errors, reference.magnitude_err]),
        groups=np.concatenate([astrometry.groups, np.arange(len(reference.magnitude))]),
        prior=prior,
    )
    kept = kept[: len(stars.magnitude)] & astrometry.kept
    magnitude = stars.magnitude + (design @ terms)[:, 0]
    mean = group_means(magnitude[:, None], kept / stars.magnitude_err**2, astrometry.groups)[astrometry.groups, 0]
    return Photometry(terms, magnitude, kept, magnitude - mean)


def zero_points(exposures: Exposures, terms: Floats, catalog: int, x: Floats, y: Floats) -> Floats:
    """AB magnitude of one electron at pixels of one catalogue, by the solution."""
    return PHOTOMETRY.at(exposures, terms, catalog, np.column_stack([x, y]))[:, 0]
