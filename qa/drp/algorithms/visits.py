"""What is said of each exposure in one line: seeing, sky, zero point, depth and how well it was calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from qa.drp.algorithms import psf_quality
from qa.drp.algorithms.psf import FWHM_PER_SIGMA
from qa.drp.algorithms.skygrid import ARCSEC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.drp.algorithms.fit import Fit
    from qa.drp.algorithms.observations import DetectorCatalog
    from qa.drp.algorithms.solution import Solution

    Floats = NDArray[np.float64]

AB_NJY = 31.4
"""AB magnitude of one nJy."""

DEPTH_SNR = 5.0

META = {
    "sky_noise_ratio": "SKYRATIO",
    **psf_quality.FACTS,
    "overscan_noise_ratio": "OSCANREL",
    "amplifier_step": "AMPSTEP",
    "airmass": "AIRMASS",
}
"""Columns taken over from the meta of the catalogues, see `isr`, `characterize` and `psf_quality`."""


def nanojansky(zero_point: float) -> float:
    """NJy of one electron, given its AB magnitude."""
    return float(10 ** (0.4 * (AB_NJY - zero_point)))


def summarize(found: Fit, solutions: Sequence[Solution]) -> Table:
    """Build the visit summary, one row for each solution.

    fwhm in arcsec; sky in electron/px; sky_noise in nJy/px; zero_point, depth5 (AB magnitude of a point source at 5
    sigma) and zero_point_gradient (largest difference between corners) in mag; rms in mas and mmag: astrom_rms and
    phot_rms of the calibrating stars about the mean of their objects, astrom_ref_rms and phot_ref_rms about the
    reference, 0 where there is nothing to compare. What `META` names is NaN where it is not known, as is
    cosmic_ray_fraction, the part of the pixels marked as struck in that exposure alone. n_matched stars
    tie the exposure to the rest, n_reference of them to the reference catalogue; n_rejected were dropped as wrong.
    `relative` tells that there was no reference: the positions rest on the header of a visit, the magnitudes on a
    nominal zero point.
    """
    residuals = _residuals(found)
    rows = []
    for index, (catalog, solution) in enumerate(zip(found.exposures.catalogs, solutions, strict=True)):
        row = _describe(catalog, solution) | {name: _number(catalog, key) for name, key in META.items()}
        rows.append(row | {name: values[index] for name, values in residuals.items()})
    return Table(rows=rows)


def _residuals(found: Fit) -> dict[str, Sequence[float | int | bool]]:
    """Give the residuals of the fit, one value for each catalogue."""
    astrometry, photometry = found.astrometry, found.photometry
    seen = np.bincount(astrometry.groups, astrometry.kept, minlength=1)[astrometry.groups] > 1
    nearest = np.where(found.anchored, astrometry.groups, 0)
    count = len(found.exposures.catalogs)
    shift, excess = astrometry.residual * 0, photometry.residual * 0
    if found.anchored.any():
        shift = astrometry.position - found.anchors.position[nearest]
        excess = photometry.magnitude - found.anchors.magnitude[nearest]

    def rms(square: Floats, chosen: NDArray[np.bool_]) -> list[float]:
        total = np.bincount(found.stars.catalog, square * chosen, minlength=count)
        return [float(value) for value in 1000 * np.sqrt(total / np.maximum(found.count(chosen), 1))]

    return {
        "n_matched": found.count(found.tied & astrometry.kept & photometry.kept).tolist(),
        "n_reference": found.count(found.anchored & astrometry.kept).tolist(),
        "n_rejected": found.count(found.tied & ~(astrometry.kept & photometry.kept)).tolist(),
        "astrom_rms": rms((astrometry.residual**2).mean(axis=1), seen & astrometry.kept),
        "phot_rms": rms(photometry.residual**2, seen & photometry.kept),
        "astrom_ref_rms": rms((shift**2).mean(axis=1), found.anchored & astrometry.kept),
        "phot_ref_rms": rms(excess**2, found.anchored & photometry.kept),
        "relative": [not found.absolute] * count,
    }


def _describe(catalog: DetectorCatalog, solution: Solution) -> dict[str, Any]:
    meta, sources = catalog.sources.meta, catalog.sources
    scale = float(np.sqrt(abs(np.linalg.det(solution.wcs.cd)))) * ARCSEC
    e1, e2, e = _shape(sources)
    corners = solution.zero_point.at(*np.meshgrid([0, solution.nx - 1], [0, solution.ny - 1]))
    return {
        "visit": catalog.visit,
        "detector": catalog.detector,
        "fwhm": float(meta["PSFFWHM"]) * scale,
        "e1": e1,
        "e2": e2,
        "e": e,
        "zero_point": solution.zero_point.middle,
        "zero_point_gradient": float(np.ptp(corners)),
        "depth5": _depth(solution, noise=float(meta["SKYNOISE"]), fwhm=float(meta["PSFFWHM"])),
        "sky": float(meta["SKY"]),
        "sky_noise": float(meta["SKYNOISE"]) * nanojansky(solution.zero_point.middle),
        "n_psf_stars": int(meta["NPSF"]),
        "n_sources": len(sources),
        "n_pixels": solution.nx * solution.ny,
        "cosmic_ray_fraction": _number(catalog, "CRPIX") / (solution.nx * solution.ny),
    }


def _depth(solution: Solution, *, noise: float, fwhm: float) -> float:
    """AB magnitude of a point source of 5 sigma, from the PSF's noise-equivalent area (King 1983, PASP 95, 163)."""
    area = 4 * np.pi * (fwhm / FWHM_PER_SIGMA) ** 2  # of a Gaussian
    if solution.psf is not None:
        area = 1 / float((solution.psf.stamp((solution.nx - 1) / 2, (solution.ny - 1) / 2) ** 2).sum())
    return float(solution.zero_point.middle - 2.5 * np.log10(DEPTH_SNR * max(noise, 1e-6) * np.sqrt(area)))


def _number(catalog: DetectorCatalog, key: str) -> float:
    """Read a number from the meta of a catalogue; NaN where it is not known."""
    value = catalog.sources.meta.get(key)
    return float(value) if isinstance(value, int | float) else np.nan


def _shape(sources: Table) -> tuple[float, float, float]:
    """Median e1, e2 and |e| of the PSF stars; 0 without any."""
    stars = np.asarray(sources["psf_star"], dtype=bool)
    if not stars.any():
        return 0.0, 0.0, 0.0
    e1, e2 = np.asarray(sources["e1"])[stars], np.asarray(sources["e2"])[stars]
    return float(np.median(e1)), float(np.median(e2)), float(np.median(np.hypot(e1, e2)))
