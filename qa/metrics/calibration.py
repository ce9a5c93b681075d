"""How well the calibration of the visits fits: residuals of astrometry, photometry, PSF model and sky noise.

All are read off the visit summary, which the pipeline writes with one row per visit and detector.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, column, require
from qa.metrics.statistics import fraction_error, mean_error, quantile_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]

PERCENT = 100.0
MMAG = 1000.0
MILLION = 1e6


def spread_median(tables: Tables, *, name: str, scale: float = 1.0) -> Estimate:
    """Median over visits and detectors of a positive column of the visit summary, times `scale`.

    A value of 0 says that there was nothing to compare and does not count. The standard error is analytic, with
    visits as the independent clusters.
    """
    return _median(tables, name, scale=scale, positive=True)


def offset_median(tables: Tables, *, name: str, scale: float = 1.0, zero: float = 0.0) -> Estimate:
    """Median over visits and detectors of a column of the visit summary less `zero`, times `scale`.

    For the standard error see `spread_median`.
    """
    return _median(tables, name, scale=scale, zero=zero)


def _median(tables: Tables, name: str, *, scale: float, zero: float = 0.0, positive: bool = False) -> Estimate:
    values = column(tables.visit_summary, name).astype(np.float64)
    good = np.isfinite(values) & ((values > 0) | (not positive))
    require(int(good.sum()), 1, f"detectors with a measured {name}")
    visit = np.unique(column(tables.visit_summary, "visit")[good], return_inverse=True)[1].reshape(-1)
    chosen = scale * (values[good] - zero)
    stderr = quantile_error(chosen, 0.5, partial(mean_error, cluster=visit))
    return Estimate(float(np.median(chosen)), len(chosen), stderr)


def rejected_matches(tables: Tables) -> Estimate:
    """Percentage of the calibrating stars of all visits that were dropped as wrong matches.

    `n_matched` counts stars that were kept, `n_rejected` those dropped. The standard error is analytic, with visits as
    independent; with one visit it is binomial.
    """
    rejected, kept = (column(tables.visit_summary, name).astype(np.float64) for name in ("n_rejected", "n_matched"))
    total = rejected + kept
    require(int(np.nansum(total)), 1, "calibrating stars")
    visit = np.unique(column(tables.visit_summary, "visit"), return_inverse=True)[1].reshape(-1)
    fraction = float(rejected.sum() / total.sum())
    sums = np.bincount(visit, rejected - fraction * total)
    count = len(sums)
    if count > 1 and sums.any():
        stderr = float(np.sqrt(np.sum(sums**2) * count / (count - 1)) / total.sum())
    else:
        stderr = fraction_error(np.arange(int(total.sum())) < rejected.sum(), mean_error)
    return Estimate(PERCENT * fraction, int(total.sum()), PERCENT * stderr)


_define = partial(
    MetricDefinition,
    family="calibration",
    citation="obsqa; residuals of the pipeline's own fit",
    unit="mas",
    direction=Direction.LOWER,
    bands=None,
    reads=("visit_summary",),
)
_MEDIAN = "Median over visits and detectors of the"


def _spread(name: str, title: str, what: str, unit: str, *, source: str, scale: float = 1.0) -> Metric:
    definition = _define(name=name, title=title, definition=f"{_MEDIAN} {what}.", unit=unit)
    return Metric(definition, partial(spread_median, name=source, scale=scale))


def _offset(name: str, title: str, what: str, *, source: str, zero: float = 0.0) -> Metric:
    definition = _define(
        name=name, title=title, definition=f"{_MEDIAN} {what}.", unit="%", direction=Direction.ZERO, citation="obsqa"
    )
    return Metric(definition, partial(offset_median, name=source, scale=PERCENT, zero=zero))


def _level(name: str, title: str, what: str, unit: str, *, source: str, scale: float) -> Metric:
    """Define a fact of the exposures of which 0 is a value like any other."""
    definition = _define(name=name, title=title, definition=f"{_MEDIAN} {what}.", unit=unit, citation="obsqa")
    return Metric(definition, partial(offset_median, name=source, scale=scale))


METRICS = (
    _spread(
        "astrometric_residual",
        "Residual of the astrometric fit",
        "root mean square distance of its calibrating stars from the mean position of their object",
        "mas",
        source="astrom_rms",
    ),
    _spread(
        "astrometric_reference_residual",
        "Residual of the astrometric fit to the reference",
        "root mean square distance of its calibrating stars from the reference catalogue, whose errors it holds",
        "mas",
        source="astrom_ref_rms",
    ),
    _spread(
        "photometric_residual",
        "Residual of the photometric fit",
        "root mean square of its calibrating stars' magnitudes about the mean of their object",
        "mmag",
        source="phot_rms",
    ),
    _spread(
        "photometric_reference_residual",
        "Residual of the photometric fit to the reference",
        "root mean square of its calibrating stars' magnitudes about the reference catalogue, whose errors it holds",
        "mmag",
        source="phot_ref_rms",
    ),
    _spread(
        "zero_point_gradient",
        "Gradient of the zero point",
        "largest difference of the fitted zero point between corners of the detector",
        "mmag",
        source="zero_point_gradient",
        scale=MMAG,
    ),
    Metric(
        _define(
            name="rejected_matches",
            title="Calibrating stars rejected",
            definition="Percentage of the stars matched for the calibration of all visits that were dropped as wrong.",
            unit="%",
        ),
        rejected_matches,
    ),
    _offset(
        "sky_noise_excess",
        "Sky noise beyond expectation",
        "excess of the measured noise of empty sky over what the variance plane promises",
        source="sky_noise_ratio",
        zero=1.0,
    ),
    _offset(
        "overscan_noise_excess",
        "Read noise beyond what is claimed",
        "excess of the noise in the overscan over the read noise that the cards of the raw exposure claim",
        source="overscan_noise_ratio",
        zero=1.0,
    ),
    _level(
        "amplifier_step",
        "Steps between amplifiers",
        "root mean square step of the sky, relative to it, where amplifiers meet side by side",
        "%",
        source="amplifier_step",
        scale=PERCENT,
    ),
    _level(
        "cosmic_ray_fraction",
        "Pixels struck by cosmic rays",
        "number of pixels per million that are marked as struck by cosmic rays in the exposure alone",
        "",
        source="cosmic_ray_fraction",
        scale=MILLION,
    ),
    _offset(
        "psf_size_residual",
        "PSF model, residual of size",
        "median fractional difference, model less star, of the second-moment size T = xx + yy of stars",
        source="psf_size_residual",
    ),
    _spread(
        "psf_size_scatter",
        "PSF model, scatter of size",
        "scatter over stars of the fractional difference, model less star, of the second-moment size T = xx + yy",
        "%",
        source="psf_size_scatter",
        scale=PERCENT,
    ),
    _spread(
        "psf_ellipticity_residual",
        "PSF model, residual of ellipticity",
        "root mean square over stars of the modulus of the ellipticity of the model less that of the star",
        "",
        source="psf_e_residual",
    ),
)
