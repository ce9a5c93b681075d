"""The PSF: correlations of its residual ellipticity (LPM-17, Table 27), its width and its ellipticity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import CannotMeasureError, Direction, Estimate, Metric, MetricDefinition, column, radians, require
from qa.metrics.groups import Catalog, Selection, select
from qa.metrics.pairs import PairMean, blocks_between
from qa.metrics.sphere import ARCMIN, span
from qa.metrics.statistics import mean_error, quantile_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Complexes = NDArray[np.complex128]

STARS = Selection(snr=50.0)
FEWEST = 10
# The median of a normal sample scatters sqrt(pi / 2) times as much as its mean.
MEDIAN_TO_MEAN = float(np.sqrt(np.pi / 2))


@dataclass(frozen=True, slots=True)
class Residuals:
    """Ellipticity residuals e1 + i e2 (n,), star less PSF model, of the stars of one visit; positions in radian."""

    ra: Floats
    dec: Floats
    values: Complexes


def residuals_by_visit(tables: Tables) -> tuple[Residuals, ...]:
    """Return the residual ellipticities of all good stars, visit by visit; worked out once for a shared catalogue."""
    catalog = Catalog.of(tables.matched)
    return catalog.once((residuals_by_visit, STARS), lambda: _residuals(catalog))


def _residuals(catalog: Catalog) -> tuple[Residuals, ...]:
    rows = select(catalog, STARS).rows
    e1, e2, psf_e1, psf_e2 = (
        column(catalog, name)[rows].astype(np.float64) for name in ("e1", "e2", "psf_e1", "psf_e2")
    )
    values = (e1 - psf_e1) + 1j * (e2 - psf_e2)
    ra, dec = (radians(catalog, name)[rows] for name in ("ra", "dec"))
    good = np.flatnonzero(np.isfinite(values))
    visits = column(catalog, "visit")[rows][good]
    order = np.argsort(visits, kind="stable")
    groups = np.split(good[order], np.flatnonzero(np.diff(visits[order])) + 1)
    return tuple(Residuals(ra[here], dec[here], values[here]) for here in groups)


def correlation(residuals: Residuals, low: float, high: float) -> Estimate | None:
    """Return xi_+, the mean of Re(e_i conj(e_j)) over pairs with low <= separation < high (arcmin); None for few pairs.

    The standard error is analytic and dyadic: pairs that have a star in common are not independent.
    """
    mean = PairMean(len(residuals.ra))
    for first, second in blocks_between(residuals.ra, residuals.dec, low * ARCMIN, high * ARCMIN):
        mean.add((residuals.values[first] * residuals.values[second].conj()).real, first, second)
    return mean.estimate() if mean.n >= FEWEST else None


def visit_correlations(tables: Tables, *, low: float, high: float, name: str) -> tuple[Estimate, ...]:
    """Return `correlation` of each visit that has the pairs for it.

    Raises
    ------
    CannotMeasureError
        If none has; the reason says how large the visits are.
    """
    visits = residuals_by_visit(tables)
    each = Catalog.of(tables.matched).once(
        (correlation, STARS, low, high), lambda: [correlation(residuals, low, high) for residuals in visits]
    )
    found = [estimate for estimate in each if estimate is not None]
    if not found:
        extent = max((span(part.ra, part.dec) / ARCMIN for part in visits if len(part.ra)), default=0.0)
        most = max(len(part.ra) for part in visits)
        msg = (
            f"{name} needs {FEWEST} pairs of stars {low:g} to {high:g} arcmin apart in a visit; the visits span up to "
            f"{extent:.3g} arcmin and hold up to {most} stars"
        )
        raise CannotMeasureError(msg)
    return tuple(found)


def residual_correlation(tables: Tables, *, low: float, high: float, name: str) -> Estimate:
    """Absolute value of the median over visits of xi_+ of the residual ellipticities (rho_1 of Rowe 2010).

    Separations as in `lsst.faro.measurement.TExTask`, e = (xx - yy + 2 i xy) / (xx + yy). The standard error is
    analytic: that of the visits' mean, times sqrt(pi / 2) from three visits on.
    """
    found = visit_correlations(tables, low=low, high=high, name=name)
    errors = np.array([estimate.stderr for estimate in found], dtype=np.float64)
    widening = MEDIAN_TO_MEAN if len(found) > 2 else 1.0  # noqa: PLR2004 - the median of two is their mean
    stderr = widening * float(np.sqrt(np.sum(errors**2))) / len(found)
    value = abs(float(np.median([estimate.value for estimate in found])))
    return Estimate(value, sum(estimate.n for estimate in found), stderr)


def summary_median(tables: Tables, *, name: str) -> Estimate:
    """Median over visits and detectors of a column of the visit summary.

    The standard error is analytic, with visits as the independent clusters.
    """
    values = column(tables.visit_summary, name).astype(np.float64)
    good = np.isfinite(values)
    require(int(good.sum()), 1, f"detectors with a measured {name}")
    visit = np.unique(column(tables.visit_summary, "visit")[good], return_inverse=True)[1].reshape(-1)
    values = values[good]
    return Estimate(
        float(np.median(values)), len(values), quantile_error(values, 0.5, partial(mean_error, cluster=visit))
    )


_define = partial(MetricDefinition, family="shapes", unit="", direction=Direction.LOWER)


def resolved(estimate: Estimate, *, resolution: float, name: str) -> Estimate:
    """Return an estimate whose standard error is within `resolution`: a noisier one says nothing of the requirement.

    Raises
    ------
    CannotMeasureError
        If it is noisier.
    """
    if estimate.stderr is not None and estimate.stderr > resolution:
        msg = (
            f"{name} needs a standard error of {resolution:g} or less, its minimum level; "
            f"{estimate.n} pairs give {estimate.stderr:.2g}"
        )
        raise CannotMeasureError(msg)
    return estimate


def _correlation_metric(name: str, low: float, high: float, resolution: float) -> Metric:
    definition = _define(
        name=name,
        title=f"Residual PSF ellipticity correlation, {low:g} to {high:g} arcmin",
        definition=f"Absolute value of the median over visits of the correlation xi_+ of the ellipticity residuals, "
        f"star less PSF model, of pairs of stars {low:g} to {high:g} arcmin apart; measured where its standard "
        f"error is {resolution:g} or less.",
        citation="LPM-17, Table 27 (residual ellipticity correlations); lsst/faro tex.py",
        bands=("r", "i"),
        reads=("matched",),
    )

    def estimate(tables: Tables) -> Estimate:
        found = residual_correlation(tables, low=low, high=high, name=name)
        return resolved(found, resolution=resolution, name=name)

    return Metric(definition, estimate)


METRICS = (
    _correlation_metric("TE1", 0.25, 1.0, 3e-5),
    _correlation_metric("TE2", 5.0, 10.0, 3e-7),
    Metric(
        _define(
            name="psf_fwhm",
            title="PSF full width at half maximum",
            definition="Median over visits and detectors of the full width at half maximum of the PSF.",
            citation="obsqa",
            unit="arcsec",
            bands=None,
            reads=("visit_summary",),
        ),
        partial(summary_median, name="fwhm"),
    ),
    Metric(
        _define(
            name="psf_ellipticity",
            title="PSF ellipticity",
            definition="Median over visits and detectors of the modulus of the PSF's ellipticity.",
            citation="LPM-17, Table 13 (SE1, ellipticity of the delivered image)",
            bands=None,
            reads=("visit_summary",),
        ),
        partial(summary_median, name="e"),
    ),
)
