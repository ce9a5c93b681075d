"""Global astrometry: all visits and detectors of a tract tied to each other and to the reference at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.lsq import group_means, solve_grouped
from qa.drp.algorithms.matching import group_visits
from qa.drp.algorithms.terms import ASTROMETRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from qa.drp.algorithms.observations import Exposures, Stars

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LINK = 0.5
"""Arcsec within which detections of two visits are the same star, once matched to the reference."""

PASSES = 2
"""Each pass groups the stars anew by the positions of the one before."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference stars on the common plane: positions (n, 2) and their errors in arcsec, AB magnitudes and errors.

    `others` are their magnitudes in all bands, NaN where unknown.
    """

    position: Floats
    position_err: Floats
    magnitude: Floats
    magnitude_err: Floats
    others: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Astrometry:
    """Terms of the fit, and for each star its object (reference stars first), position and whether it was kept."""

    terms: Floats
    groups: Ints
    position: Floats
    kept: NDArray[np.bool_]
    residual: Floats


def solve_astrometry(exposures: Exposures, stars: Stars, reference: Reference, start: Floats) -> Astrometry:
    """Fit all terms to all stars, whose rough positions are `start`."""
    usable = np.asarray(np.isfinite(start).all(axis=1))
    design = ASTROMETRY.design(exposures, stars.catalog, np.column_stack([stars.x, stars.y]), stars.crude)
    prior = ASTROMETRY.prior(exposures, stars.catalog)
    errors = np.where(usable, stars.position_err, 1e6)
    position, groups, kept = start, np.zeros(0, dtype=np.int64), np.asarray(usable)
    terms = np.zeros((len(prior), 2))
    for step in range(PASSES):
        linked = np.where(usable[:, None], position, 1e9)  # what has no position stays alone
        groups = group_visits(linked, exposures.visit_of[stars.catalog], radius=LINK, seeds=reference.position)
        values = np.vstack([stars.crude, reference.position])
        terms, kept = solve_grouped(
            design,
            values,
            errors=np.concatenate([errors, reference.position_err]),
            groups=np.concatenate([groups, np.arange(len(reference.position))]),
            prior=prior,
            start=terms if step else None,
        )
        position = stars.crude + design @ terms
    kept = kept[: len(groups)] & usable
    mean = group_means(position, kept / stars.position_err**2, groups)[groups]
    return Astrometry(terms, groups, position, kept, position - mean)


def calibrated(exposures: Exposures, terms: Floats, catalog: int, x: Floats, y: Floats) -> Floats:
    """Positions of pixels of one catalogue on the common plane in arcsec, by the solution."""
    return exposures.crude(catalog, x, y) + ASTROMETRY.at(exposures, terms, catalog, np.column_stack([x, y]))
