"""From the catalogues of all exposures of a tract in one band to calibrated positions, magnitudes and objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table, vstack

from qa.drp.algorithms.astrometry import calibrated
from qa.drp.algorithms.errors import CalibrationError
from qa.drp.algorithms.fit import Fit, fit, require_reference
from qa.drp.algorithms.guards import examine
from qa.drp.algorithms.matching import group_visits
from qa.drp.algorithms.photometry import zero_points
from qa.drp.algorithms.psf import polynomials
from qa.drp.algorithms.solution import (
    ZERO_POINT_ORDER,
    Solution,
    ZeroPoint,
    fit_tan_sip,
    psf_of,
    solutions_to_table,
)
from qa.drp.algorithms.visits import summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.drp.algorithms.observations import DetectorCatalog

    Floats = NDArray[np.float64]

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


def calibrate(catalogs: Sequence[DetectorCatalog], reference: Table | None, *, band: str) -> Calibration:
    """Calibrate all exposures of a tract in one band together. The order of the catalogues does not matter.

    Exposures that do not fit to the reference or to the others are left out and named with their reason; the rest is
    calibrated as if they were not there. Without a `reference` (None) the exposures are tied to each other, to the
    header of one of them and to a nominal zero point, which `relative` in the summary says.

    Raises
    ------
    CalibrationError
        If the reference has no stars in the band, or no exposure can be calibrated.
    """
    if reference is not None:
        require_reference(reference, band)
    if not catalogs:
        raise CalibrationError(what="tract", required="catalogues", found="none")
    rest, failures = list(catalogs), list[Failure]()
    while rest:
        found = fit(rest, reference, band=band)
        reasons = _reasons(found)
        if isinstance(found, Fit) and not reasons:
            return _result(found, sorted(failures, key=lambda one: (one.visit, one.detector)))
        failures += [Failure(*key, reason) for key, reason in reasons.items()]
        rest = [catalog for catalog in rest if catalog.key not in reasons]
    example = f"visit {failures[0].visit} detector {failures[0].detector}: {failures[0].reason}"
    required = "stars that match the reference" if reference is not None else "stars that match between visits"
    raise CalibrationError(what="tract", required=required, found=f"none on {len(catalogs)} detectors, {example}")


def _reasons(found: Fit | dict[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    if isinstance(found, Fit):
        return {found.exposures.catalogs[index].key: reason for index, reason in examine(found).items()}
    return found


def _result(found: Fit, failures: Sequence[Failure]) -> Calibration:
    solutions = [_solution(found, index) for index in range(len(found.exposures.catalogs))]
    matched = _matched(found, solutions)
    return Calibration(solutions_to_table(solutions), matched, summarize(found, solutions), tuple(failures))


def _solution(found: Fit, index: int) -> Solution:
    exposures = found.exposures
    catalog = exposures.catalogs[index]
    ny, nx = catalog.shape
    ramp = np.linspace(-0.05, 1.05, NODES)
    x, y = (plane.ravel() for plane in np.meshgrid(ramp * (nx - 1), ramp * (ny - 1)))
    sky = exposures.sky(calibrated(exposures, found.astrometry.terms, index, x, y))
    wcs = fit_tan_sip(x, y, *sky, shape=(ny, nx))
    level = zero_points(exposures, found.photometry.terms, index, x, y)
    basis = polynomials(x, y, shape=(ny, nx), order=ZERO_POINT_ORDER)
    coefficients = np.linalg.lstsq(basis, level, rcond=None)[0].astype(np.float64)
    return Solution(*catalog.key, nx, ny, wcs, ZeroPoint(nx, ny, coefficients), psf_of(catalog.sources.meta))


def _matched(found: Fit, solutions: Sequence[Solution]) -> Table:
    """List the detections of objects seen in two visits or in the reference."""
    exposures, anchors = found.exposures, found.anchors
    parts = [_detections(catalog, one) for catalog, one in zip(exposures.catalogs, solutions, strict=True)]
    table = vstack(parts, metadata_conflicts="silent")
    table.meta.clear()
    position = exposures.plane(np.asarray(table["ra"]), np.asarray(table["dec"]))
    groups = group_visits(position, np.asarray(table["visit"]), radius=MATCH_RADIUS, seeds=anchors.position)
    known = (groups < len(anchors.position)) & found.absolute
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
