"""What is wrong with a calibration that was found: exposures that do not fit to the others, and why.

Each guard compares an exposure with the rest of its tract and band, so it needs a few visits to tell; the guard against
swapped filters compares with the bands of the reference, and works on a single visit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.lsq import group_medians
from qa.drp.algorithms.photometry import zero_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.fit import Fit

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FEWEST = 3
"""Stars with a reference, or seen in other visits, that a detector needs; and visits that a comparison needs."""

ZERO_POINT_SPREAD = 1.0
"""Mag by which a visit may differ from the others: clouds thicker than this spoil more than the level."""

POSITION_SCATTER, MAGNITUDE_SCATTER = 0.1, 0.05
"""Arcsec and mag: less is never suspicious."""

WORSE = 4.0
"""A visit that scatters this many times more than the others is not what it is said to be."""

JUDGES = 5
"""Stars needed to tell a scatter."""

COLOUR_STARS, BETTER = 10, 0.6
"""Reference stars needed to tell a filter; another band must fit with this part of the scatter."""


def examine(found: Fit) -> dict[int, str]:
    """Give the reason to reject each catalogue that is to be rejected, by its index; empty when all is well."""
    reasons: dict[int, str] = {}
    for guard in (_wrong_filter, _wrong_level, _scattered, _too_few):
        for index, reason in guard(found).items():
            reasons.setdefault(index, reason)
    return reasons


def _too_few(found: Fit) -> dict[int, str]:
    counts = found.count(found.tied & found.astrometry.kept)
    return {
        index: f"{count} stars matched the reference or another visit, {FEWEST} are needed"
        for index, count in enumerate(counts)
        if count < FEWEST
    }


def _wrong_filter(found: Fit) -> dict[int, str]:
    """Find visits whose magnitudes follow another band of the reference: the scatter about it is smaller."""
    reasons: dict[int, str] = {}
    for visit in range(len(found.exposures.visits)):
        mine = found.anchored & found.astrometry.kept & (found.exposures.visit_of[found.stars.catalog] == visit)
        mine &= found.stars.magnitude_err <= np.median(found.stars.magnitude_err[mine]) if mine.any() else False
        scatter = {band: _colour_scatter(found, mine, values) for band, values in found.anchors.others.items()}
        own = _colour_scatter(found, mine, found.anchors.magnitude)
        best = min(scatter, key=lambda band: (scatter[band], band), default="")
        if best and own > MAGNITUDE_SCATTER and scatter[best] < BETTER * own:
            text = f"its magnitudes follow band {best} of the reference, to {scatter[best]:.3f} mag"
            reasons |= _of_visit(found, visit, f"{text}, and its own band only to {own:.3f} mag: wrong filter")
    return reasons


def _colour_scatter(found: Fit, mine: NDArray[np.bool_], magnitude: Floats) -> float:
    """Robust scatter (mag) of stars about their reference, free levels for each detector."""
    known = magnitude[np.where(mine, found.astrometry.groups, 0)] if len(magnitude) else np.zeros(len(mine))
    mine = mine & np.isfinite(known)
    if mine.sum() < COLOUR_STARS:
        return np.inf
    offset = (found.stars.magnitude - known)[mine]
    catalogs = found.stars.catalog[mine]
    parts = [offset[catalogs == index] - np.median(offset[catalogs == index]) for index in np.unique(catalogs)]
    return _spread(np.concatenate(parts))


def _wrong_level(found: Fit) -> dict[int, str]:
    """Find visits, then detectors of a visit, whose zero point is far from that of the others."""
    exposures = found.exposures
    level = np.array([_level(found, index) for index in range(len(exposures.catalogs))])
    for detector in range(len(exposures.detectors)):
        same = exposures.detector_of == detector
        level[same] -= np.median(level[same])
    reasons: dict[int, str] = {}
    visits = np.array([np.median(level[exposures.visit_of == v]) for v in range(len(exposures.visits))])
    limit = max(ZERO_POINT_SPREAD, 5 * _spread(visits))
    if len(visits) < FEWEST:
        return reasons
    for index, deviation in enumerate(level - visits[exposures.visit_of]):
        if abs(deviation) > limit:
            reasons[index] = f"its zero point is {abs(deviation):.2f} mag off that of the visit's other detectors"
    for visit, deviation in enumerate(visits - np.median(visits)):
        if abs(deviation) > limit:
            text = (
                f"its zero point is {abs(deviation):.2f} mag {'above' if deviation > 0 else 'below'} the other visits'"
            )
            reasons |= _of_visit(found, visit, text)
    return reasons


def _level(found: Fit, index: int) -> float:
    """Zero point for one second in the middle of a catalogue's detector."""
    catalog = found.exposures.catalogs[index]
    ny, nx = catalog.shape
    middle = np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2])
    seconds = max(float(catalog.sources.meta["EXPTIME"]), 1e-3)
    return float(zero_points(found.exposures, found.photometry.terms, index, *middle)[0] - 2.5 * np.log10(seconds))


def _scattered(found: Fit) -> dict[int, str]:
    """Find visits whose stars do not agree with the other visits as these do among each other."""
    stars, anchors = found.stars, found.anchors
    groups = np.concatenate([found.astrometry.groups, np.arange(len(anchors.position))])
    several = (np.bincount(groups)[groups] >= FEWEST)[: len(stars.x)]
    position = np.vstack([found.astrometry.position, anchors.position])
    magnitude = np.concatenate([found.photometry.magnitude, anchors.magnitude])[:, None]
    shift = (position - group_medians(position, groups)[groups])[: len(stars.x)]
    excess = (magnitude - group_medians(magnitude, groups)[groups])[: len(stars.x), 0]
    exact = several & (stars.position_err < POSITION_SCATTER / 2)
    reasons = _worse(found, shift[:, 0] + shift[:, 1], exact, limit=POSITION_SCATTER, what="positions (arcsec)")
    exact = several & found.astrometry.kept & (stars.magnitude_err < MAGNITUDE_SCATTER / 2)
    return _worse(found, excess, exact, limit=MAGNITUDE_SCATTER, what="magnitudes") | reasons  # positions come first


def _worse(found: Fit, residual: Floats, chosen: NDArray[np.bool_], *, limit: float, what: str) -> dict[int, str]:
    visit_of = found.exposures.visit_of[found.stars.catalog]
    parts = [residual[chosen & (visit_of == v)] for v in range(len(found.exposures.visits))]
    spread = np.array([_spread(part) if len(part) >= JUDGES else 0.0 for part in parts])
    reasons: dict[int, str] = {}
    if len(spread) < FEWEST:
        return reasons
    for visit, value in enumerate(spread):
        others = float(np.median(np.delete(spread, visit)))
        if value > max(limit, WORSE * others):
            text = f"its {what} scatter by {value:.3f}, those of the other visits by {others:.3f}"
            reasons |= _of_visit(found, visit, text)
    return reasons


def _of_visit(found: Fit, visit: int, reason: str) -> dict[int, str]:
    return {int(index): reason for index in np.flatnonzero(found.exposures.visit_of == visit)}


def _spread(values: Floats) -> float:
    """Robust standard deviation; 0 without values."""
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
