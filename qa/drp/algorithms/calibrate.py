"""From the catalogues of all exposures of a tract in one band to calibrated positions, magnitudes and objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table, vstack

from qa.drp.algorithms.astrometry import (
    Astrometry,
    Reference,
    calibrated,
    find_offsets,
    first_positions,
    solve_astrometry,
)
from qa.drp.algorithms.errors import CalibrationError
from qa.drp.algorithms.matching import group_visits
from qa.drp.algorithms.observations import DetectorCatalog, Exposures, Stars, arrange, stars_of
from qa.drp.algorithms.photometry import Photometry, solve_photometry, zero_points
from qa.drp.algorithms.psf import polynomials
from qa.drp.algorithms.solution import (
    ZERO_POINT_ORDER,
    Solution,
    ZeroPoint,
    fit_tan_sip,
    solutions_from_table,
    solutions_to_table,
)
from qa.drp.algorithms.visits import summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FEWEST = 3
"""Stars with a reference, or seen in other visits, that a detector needs."""

NODES = 9
"""Grid of the solution over a detector through which its WCS and zero point are fitted."""

MATCH_RADIUS = 0.5
"""Arcsec between detections of one object in several visits."""

MATCH_SNR = 5.0


@dataclass(frozen=True, slots=True)
class Failure:
    """An exposure that could not be calibrated, and why."""

    visit: int
    detector: int
    reason: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Tables of the calibrated exposures (`solution.solutions_from_table` reads the first), and what failed."""

    solutions: Table
    matched: Table
    visit_summary: Table
    failures: tuple[Failure, ...]


def calibrate(catalogs: Sequence[DetectorCatalog], reference: Table, *, band: str) -> Calibration:
    """Calibrate all exposures of a tract in one band together. The order of the catalogues does not matter.

    Raises
    ------
    CalibrationError
        If the reference has no stars in the band, or no exposure can be tied to it.
    """
    _require_reference(reference, band)
    if not catalogs:
        raise CalibrationError(what="tract", required="catalogues", found="none")
    exposures = arrange(catalogs)
    stars, anchors = stars_of(exposures), _anchors(exposures, reference, band)
    start = first_positions(stars, anchors, find_offsets(exposures, stars, anchors))
    if not np.isfinite(start).any():
        found = f"none among {len(stars.x)} stars of {len(catalogs)} detectors"
        raise CalibrationError(what="tract", required="stars that match the reference", found=found)
    astrometry = solve_astrometry(exposures, stars, anchors, start)
    photometry = solve_photometry(exposures, stars, anchors, astrometry)
    counts = _useful(exposures, stars, astrometry, len(anchors.position))
    solved = np.flatnonzero(counts >= FEWEST)
    if not len(solved):
        raise CalibrationError(what="tract", required=f"{FEWEST} matched stars on a detector", found=f"{counts.max()}")
    solutions = solutions_to_table(_solution(exposures, int(i), astrometry, photometry) for i in solved)
    matched = _matched(exposures, solutions, anchors)
    summary = summarize(exposures, solutions, stars, astrometry, photometry, counts)
    return Calibration(solutions, matched, summary, _failures(exposures, counts))


def _require_reference(reference: Table, band: str) -> None:
    column = f"mag_{band}"
    if column not in reference.colnames:
        known = ", ".join(name for name in reference.colnames if name.startswith("mag_")) or "no magnitudes"
        raise CalibrationError(what="reference catalogue", required=f"a column {column}", found=known)
    if not np.isfinite(np.asarray(reference[column], dtype=np.float64)).any():
        raise CalibrationError(what="reference catalogue", required=f"stars with {column}", found="none")


def _anchors(exposures: Exposures, reference: Table, band: str) -> Reference:
    position = exposures.plane(np.asarray(reference["ra"]), np.asarray(reference["dec"]))
    magnitude = np.asarray(reference[f"mag_{band}"], dtype=np.float64)
    good = np.isfinite(position).all(axis=1) & np.isfinite(magnitude)
    scatter = np.hypot(np.asarray(reference["ra_err"]), np.asarray(reference["dec_err"])) / np.sqrt(2) / 1000
    errors = np.maximum(scatter[good], 1e-4), np.maximum(np.asarray(reference[f"mag_err_{band}"])[good], 1e-4)
    return Reference(position[good], errors[0], magnitude[good], errors[1])


def _useful(exposures: Exposures, stars: Stars, astrometry: Astrometry, anchors: int) -> Ints:
    """Stars of each catalogue that tie it to the reference or to another visit."""
    seen = np.bincount(astrometry.groups, astrometry.kept)
    tied = astrometry.kept & ((astrometry.groups < anchors) | (seen[astrometry.groups] > 1))
    return np.bincount(stars.catalog, tied, minlength=len(exposures.catalogs)).astype(np.int64)


def _failures(exposures: Exposures, counts: Ints) -> tuple[Failure, ...]:
    return tuple(
        Failure(*catalog.key, f"{count} stars matched the reference or another visit, {FEWEST} are needed")
        for catalog, count in zip(exposures.catalogs, counts, strict=True)
        if count < FEWEST
    )


def _solution(exposures: Exposures, index: int, astrometry: Astrometry, photometry: Photometry) -> Solution:
    catalog = exposures.catalogs[index]
    ny, nx = catalog.shape
    ramp = np.linspace(-0.05, 1.05, NODES)
    x, y = (plane.ravel() for plane in np.meshgrid(ramp * (nx - 1), ramp * (ny - 1)))
    sky = exposures.sky(calibrated(exposures, astrometry.terms, index, x, y))
    wcs = fit_tan_sip(x, y, *sky, shape=(ny, nx))
    level = zero_points(exposures, photometry.terms, index, x, y)
    basis = polynomials(x, y, shape=(ny, nx), order=ZERO_POINT_ORDER)
    coefficients = np.linalg.lstsq(basis, level, rcond=None)[0].astype(np.float64)
    return Solution(*catalog.key, nx, ny, wcs, ZeroPoint(nx, ny, coefficients))


def _matched(exposures: Exposures, solutions: Table, anchors: Reference) -> Table:
    """List the detections of objects seen in two visits or in the reference."""
    by_key = solutions_from_table(solutions)
    parts = [_detections(catalog, by_key[catalog.key]) for catalog in exposures.catalogs if catalog.key in by_key]
    table = vstack(parts, metadata_conflicts="silent")
    table.meta.clear()
    position = exposures.plane(np.asarray(table["ra"]), np.asarray(table["dec"]))
    groups = group_visits(position, np.asarray(table["visit"]), radius=MATCH_RADIUS, seeds=anchors.position)
    known = groups < len(anchors.position)
    nearest = np.where(known, groups, 0)
    ref_ra, ref_dec = exposures.sky(anchors.position)
    table["object"] = groups
    for name, values in (("ref_ra", ref_ra), ("ref_dec", ref_dec), ("ref_mag", anchors.magnitude)):
        table[name] = np.where(known, values[nearest], np.nan)
    keep = known | (np.bincount(groups)[groups] > 1)
    names = ["object", *(name for name in table.colnames if name != "object")]
    return table[names][keep]


def _detections(catalog: DetectorCatalog, solution: Solution) -> Table:
    sources = catalog.sources
    sources = sources[(np.asarray(sources["flux"]) > 0) & (np.asarray(sources["snr"]) > MATCH_SNR)]
    x, y, flux = (np.asarray(sources[name], dtype=np.float64) for name in ("x", "y", "flux"))
    ra, dec = solution.wcs.pixel_to_sky(x, y)
    table = Table(
        {"visit": np.full(len(x), catalog.visit), "detector": np.full(len(x), catalog.detector), "x": x, "y": y}
    )
    table["ra"], table["dec"] = ra, dec
    table["mag"] = solution.zero_point.at(x, y) - 2.5 * np.log10(flux)
    table["mag_err"] = 2.5 / np.log(10) * np.asarray(sources["flux_err"]) / flux
    for name in ("snr", "extendedness", "flag", "e1", "e2", "psf_e1", "psf_e2"):
        table[name] = np.asarray(sources[name])
    return table
