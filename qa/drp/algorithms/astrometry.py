"""Global astrometry: all visits and detectors of a tract tied to each other and to the reference at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.lsq import group_means, solve_grouped
from qa.drp.algorithms.matching import group_visits, match_detector, vote
from qa.drp.algorithms.terms import ASTROMETRY

if TYPE_CHECKING:
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
    """Reference stars on the common plane: positions (n, 2) and their errors in arcsec, AB magnitudes and errors."""

    position: Floats
    position_err: Floats
    magnitude: Floats
    magnitude_err: Floats


@dataclass(frozen=True, slots=True)
class Astrometry:
    """Terms of the fit, and for each star its object (reference stars first), position and whether it was kept."""

    terms: Floats
    groups: Ints
    position: Floats
    kept: NDArray[np.bool_]
    residual: Floats


def find_offsets(exposures: Exposures, stars: Stars, reference: Reference) -> dict[int, Floats]:
    """Rough offset (arcsec) of each catalogue from the reference; catalogues without one are absent.

    A detector with too few stars of its own takes the offset its visit's other stars agree on.
    """
    offsets: dict[int, Floats] = {}
    for visit in range(len(exposures.visits)):
        mine = np.flatnonzero(exposures.visit_of == visit)
        own = {int(i): vote(stars.crude[stars.catalog == i], reference.position) for i in mine}
        found = {i: offset for i, offset in own.items() if offset is not None}
        if found:
            common = np.median(np.array(list(found.values())), axis=0)
        else:
            pooled = vote(stars.crude[np.isin(stars.catalog, mine)], reference.position, cell=1.5)
            if pooled is None:
                continue
            common = pooled
        offsets |= {int(i): found.get(int(i), common) for i in mine}
    return offsets


def first_positions(stars: Stars, reference: Reference, offsets: dict[int, Floats]) -> Floats:
    """Positions good enough to link the visits: each detector mapped on the reference by itself. NaN without one."""
    position = np.full_like(stars.crude, np.nan)
    for index, offset in offsets.items():
        mine = stars.catalog == index
        if mine.any():
            position[mine] = match_detector(stars.crude[mine], reference.position, offset)
    return position


def solve_astrometry(exposures: Exposures, stars: Stars, reference: Reference, start: Floats) -> Astrometry:
    """Fit all terms to all stars, whose rough positions are `start`."""
    usable = np.asarray(np.isfinite(start).all(axis=1))
    design = ASTROMETRY.design(exposures, stars.catalog, np.column_stack([stars.x, stars.y]), stars.crude)
    prior = ASTROMETRY.prior(exposures)
    errors = np.where(usable, stars.position_err, 1e6)
    position, groups, kept = start, np.zeros(0, dtype=np.int64), np.asarray(usable)
    terms = np.zeros((len(prior), 2))
    for _ in range(PASSES):
        linked = np.where(usable[:, None], position, 1e9)  # what has no position stays alone
        groups = group_visits(linked, exposures.visit_of[stars.catalog], radius=LINK, seeds=reference.position)
        rows = np.vstack([design, np.zeros((len(reference.position), len(prior)))])
        values = np.vstack([stars.crude, reference.position])
        terms, kept = solve_grouped(
            rows,
            values,
            errors=np.concatenate([errors, reference.position_err]),
            groups=np.concatenate([groups, np.arange(len(reference.position))]),
            prior=prior,
        )
        position = stars.crude + design @ terms
    kept = kept[: len(groups)] & usable
    mean = group_means(position, kept / stars.position_err**2, groups)[groups]
    return Astrometry(terms, groups, position, kept, position - mean)


def calibrated(exposures: Exposures, terms: Floats, catalog: int, x: Floats, y: Floats) -> Floats:
    """Positions of pixels of one catalogue on the common plane in arcsec, by the solution."""
    crude = exposures.crude(catalog, x, y)
    index = np.full(len(x), catalog, dtype=np.int64)
    return crude + ASTROMETRY.design(exposures, index, np.column_stack([x, y]), crude) @ terms
