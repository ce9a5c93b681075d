"""What is said of each exposure in one line: seeing, sky, zero point and how well it was calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from qa.drp.algorithms.skygrid import ARCSEC
from qa.drp.algorithms.solution import Solution, solutions_from_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.astrometry import Astrometry
    from qa.drp.algorithms.observations import DetectorCatalog, Exposures, Stars
    from qa.drp.algorithms.photometry import Photometry

AB_NJY = 31.4
"""AB magnitude of one nJy."""


def nanojansky(zero_point: float) -> float:
    """NJy of one electron, given its AB magnitude."""
    return float(10 ** (0.4 * (AB_NJY - zero_point)))


def summarize(
    exposures: Exposures,
    solutions: Table,
    stars: Stars,
    astrometry: Astrometry,
    photometry: Photometry,
    counts: NDArray[np.int64],
) -> Table:
    """Build the visit summary: fwhm in arcsec, sky in electron/px, sky_noise in nJy/px, rms in mas and mmag.

    The rms are those of its calibrating stars about the mean of their objects; 0 where nothing was repeated.
    """
    by_key = solutions_from_table(solutions)
    seen = np.bincount(astrometry.groups, astrometry.kept)[astrometry.groups] > 1
    rows = []
    for index, catalog in enumerate(exposures.catalogs):
        if catalog.key not in by_key:
            continue
        mine = (stars.catalog == index) & seen
        row = _describe(catalog, by_key[catalog.key]) | {"n_matched": int(counts[index])}
        row["astrom_rms"] = 1000 * _rms(astrometry.residual[mine & astrometry.kept].ravel())
        row["phot_rms"] = 1000 * _rms(photometry.residual[mine & photometry.kept])
        rows.append(row)
    return Table(rows=rows)


def _describe(catalog: DetectorCatalog, solution: Solution) -> dict[str, float | int]:
    meta, sources = catalog.sources.meta, catalog.sources
    scale = float(np.sqrt(abs(np.linalg.det(solution.wcs.cd)))) * ARCSEC
    e1, e2, e = _shape(sources)
    return {
        "visit": catalog.visit,
        "detector": catalog.detector,
        "fwhm": float(meta["PSFFWHM"]) * scale,
        "e1": e1,
        "e2": e2,
        "e": e,
        "zero_point": solution.zero_point.middle,
        "sky": float(meta["SKY"]),
        "sky_noise": float(meta["SKYNOISE"]) * nanojansky(solution.zero_point.middle),
        "n_psf_stars": int(meta["NPSF"]),
        "n_sources": len(sources),
        "n_pixels": solution.nx * solution.ny,
    }


def _shape(sources: Table) -> tuple[float, float, float]:
    """Median e1, e2 and |e| of the PSF stars; 0 without any."""
    stars = np.asarray(sources["psf_star"], dtype=bool)
    if not stars.any():
        return 0.0, 0.0, 0.0
    e1, e2 = np.asarray(sources["e1"])[stars], np.asarray(sources["e2"])[stars]
    return float(np.median(e1)), float(np.median(e2)), float(np.median(np.hypot(e1, e2)))


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2))) if len(values) else 0.0
