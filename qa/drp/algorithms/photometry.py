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


@dataclass(frozen=True, slots=True)
class Photometry:
    """Terms of the fit, and for each star whether it was kept and how far it is from its object's mean (mag)."""

    terms: Floats
    kept: NDArray[np.bool_]
    residual: Floats


def solve_photometry(exposures: Exposures, stars: Stars, reference: Reference, astrometry: Astrometry) -> Photometry:
    """Fit the zero points; the stars are grouped as the astrometry found them."""
    design = PHOTOMETRY.design(exposures, stars.catalog, np.column_stack([stars.x, stars.y]), stars.crude)
    prior = PHOTOMETRY.prior(exposures)
    known = np.flatnonzero(np.isfinite(reference.magnitude))
    terms, kept = solve_grouped(
        np.vstack([design, np.zeros((len(known), len(prior)))]),
        np.concatenate([stars.magnitude, reference.magnitude[known]])[:, None],
        errors=np.concatenate([stars.magnitude_err, reference.magnitude_err[known]]),
        groups=np.concatenate([astrometry.groups, known]),
        prior=prior,
    )
    kept = kept[: len(stars.magnitude)] & astrometry.kept
    magnitude = stars.magnitude + (design @ terms)[:, 0]
    mean = group_means(magnitude[:, None], kept / stars.magnitude_err**2, astrometry.groups)[astrometry.groups, 0]
    return Photometry(terms, kept, magnitude - mean)


def zero_points(exposures: Exposures, terms: Floats, catalog: int, x: Floats, y: Floats) -> Floats:
    """AB magnitude of one electron at pixels of one catalogue, by the solution."""
    crude = exposures.crude(catalog, x, y)
    index = np.full(len(x), catalog, dtype=np.int64)
    return np.asarray(PHOTOMETRY.design(exposures, index, np.column_stack([x, y]), crude) @ terms)[:, 0]
