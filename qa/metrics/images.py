"""Residual PSF ellipticity correlations image by image (LPM-17, Table 27: TE3, TE4 and TEF)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import CannotMeasureError, Direction, Estimate, Metric, MetricDefinition, require
from qa.metrics.shapes import visit_correlations
from qa.metrics.statistics import fraction_error, mean_error, quantile_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]

TEF_DESIGN = 15.0
TE3_DESIGN = 4e-5
TE4_DESIGN = 2e-7
NEAR = (0.25, 1.0)
FAR = (5.0, 10.0)
"""Separations in arcmin, as of TE1 and TE2."""
TE3_MINIMUM = 6e-5
TE4_MINIMUM = 5e-7
FEWEST_VISITS = 3


def image_correlations(
    tables: Tables, *, name: str, between: tuple[float, float], resolution: float
) -> tuple[Floats, float]:
    """Return the size of each visit's correlation xi_+ of residual ellipticities at some separations (arcmin).

    With it comes the standard error of the median visit.

    Raises
    ------
    CannotMeasureError
        If fewer than three visits have the pairs for it, or their noise hides what the requirement asks.
    """
    found = visit_correlations(tables, low=between[0], high=between[1], name=name)
    require(len(found), FEWEST_VISITS, f"visits with pairs of stars {between[0]:g} to {between[1]:g} arcmin apart")
    noise = float(np.median([np.nan if one.stderr is None else one.stderr for one in found]))
    # In noise alone 15 % of visits exceed 1.4 standard errors, which must not look like the requirement's minimum.
    if not noise <= resolution / 2:
        msg = (
            f"{name} needs a standard error of {resolution / 2:g} or less in a visit, half its minimum level; half of "
            f"the {len(found)} visits have {noise:.2g} or more"
        )
        raise CannotMeasureError(msg)
    return np.abs([one.value for one in found]), noise


def image_limit(tables: Tables, *, name: str, between: tuple[float, float], resolution: float) -> Estimate:
    """Size of the correlation exceeded by TEF (design: 15 %) of the visits.

    It holds the noise of single visits. The standard error is analytic: visits are independent, and that of the median
    visit, whose size the limit cannot be told better than, is added in square.
    """
    values, noise = image_correlations(tables, name=name, between=between, resolution=resolution)
    fraction = 1 - TEF_DESIGN / 100
    stderr = float(np.hypot(quantile_error(values, fraction, mean_error), noise))
    return Estimate(float(np.quantile(values, fraction)), len(values), stderr)


def tef(tables: Tables) -> Estimate:
    """Percentage of visits beyond TE3 (design: 4e-5) or TE4 (design: 2e-7), the larger of both percentages.

    LPM-17 sets one TEF for both limits. The standard error is analytic: visits are independent.
    """
    parts = ((NEAR, TE3_MINIMUM, TE3_DESIGN), (FAR, TE4_MINIMUM, TE4_DESIGN))
    outside = [
        image_correlations(tables, name="TEF", between=between, resolution=resolution)[0] > limit
        for between, resolution, limit in parts
    ]
    worse = max(outside, key=lambda part: float(np.mean(part)))
    return Estimate(100 * float(np.mean(worse)), len(worse), 100 * fraction_error(worse, mean_error))


_define = partial(
    MetricDefinition,
    family="shapes",
    citation="LPM-17, Table 27 (residual ellipticity correlations)",
    unit="",
    direction=Direction.LOWER,
    bands=("r", "i"),
    reads=("matched",),
)


def _limit_metric(name: str, between: tuple[float, float], resolution: float) -> Metric:
    low, high = between
    definition = _define(
        name=name,
        title=f"Residual PSF ellipticity correlation, {low:g} to {high:g} arcmin, outlier limit",
        definition="Absolute value of the correlation xi_+ of the ellipticity residuals, star less PSF model, of pairs "
        f"of stars {low:g} to {high:g} arcmin apart, exceeded by 15 % of the visits; measured where the standard "
        f"error of the median visit is {resolution:g} or less.",
    )
    return Metric(definition, partial(image_limit, name=name, between=between, resolution=resolution))


METRICS = (
    _limit_metric("TE3", NEAR, TE3_MINIMUM),
    _limit_metric("TE4", FAR, TE4_MINIMUM),
    Metric(
        _define(
            name="TEF",
            title="Residual PSF ellipticity correlation, outlier fraction",
            definition="Percentage of visits whose correlation of ellipticity residuals is larger than 4e-5 at 0.25 "
            "to 1 arcmin, or than 2e-7 at 5 to 10 arcmin, whichever is the larger percentage.",
            unit="%",
        ),
        tef,
    ),
)
