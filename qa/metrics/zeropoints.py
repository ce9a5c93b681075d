"""Zero points across the sky and the AB scale (LPM-17, Tables 15 and 17), measured against the truth.

The errors are those of stars on the coadd, so they hold what the night's zero points, the reference catalogue they
were tied to, flat fields and background leave behind, and the noise of the cells' medians.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, require
from qa.metrics.sphere import offsets
from qa.metrics.statistics import fraction_error, mean_error, quantile_error
from qa.metrics.truth import BIAS_SNR, matched_stars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MMAG = 1000.0
STARS_IN_CELL = 20
"""A cell is halved as long as both halves hold so many stars."""
FEWEST_CELLS = 4
PF2_DESIGN = 10.0
PA4_DESIGN = 15.0


def cells(x: Floats, y: Floats, *, least: int = STARS_IN_CELL) -> Ints:
    """Return for each point (n,) the number of its cell, from 0.

    The points are halved at the median along their longer side, and the halves again, while both keep `least`
    points: a cell is as small as its stars allow, whatever the outline of the field.
    """
    number = np.zeros(len(x), dtype=np.int64)
    waiting, count = [np.arange(len(x))], 0
    while waiting:
        here = waiting.pop()
        if len(here) < 2 * least:
            number[here] = count
            count += 1
            continue
        along = x if np.ptp(x[here]) >= np.ptp(y[here]) else y
        order = here[np.argsort(along[here], kind="stable")]
        waiting += [order[len(order) // 2 :], order[: len(order) // 2]]
    return number


def cell_errors(tables: Tables) -> Floats:
    """Zero-point error of each cell of the sky, less the median of all cells, in mmag.

    A cell's error is the median of measured less true magnitude over its isolated stars of S/N of 50 or more.

    Raises
    ------
    CannotMeasureError
        If there are stars for fewer than four cells.
    """
    stars = matched_stars(tables)
    require(len(stars.magnitudes), FEWEST_CELLS * STARS_IN_CELL, "isolated bright stars with a known truth")
    differences = MMAG * (stars.magnitudes - stars.true_magnitudes)
    ra, dec = stars.true.ra, stars.true.dec
    east, north = offsets(ra, dec, np.full_like(ra, ra[0]), np.full_like(dec, np.median(dec)))
    number = cells(east, north)
    medians = np.array([np.median(differences[number == cell]) for cell in range(int(number.max()) + 1)])
    return np.asarray(medians - np.median(medians), dtype=np.float64)


def pa3(tables: Tables) -> Estimate:
    """Root mean square of the zero-point errors of cells of the sky, in mmag.

    The noise of the cells' medians is not taken out. The standard error is analytic, with cells as independent.
    """
    errors = cell_errors(tables)
    value = float(np.sqrt(np.mean(errors**2)))
    return Estimate(value, len(errors), mean_error(errors**2) / (2 * value) if value > 0 else None)


def pa4(tables: Tables) -> Estimate:
    """Size of the zero-point error exceeded by PF2 (design: 10 %) of the cells, in mmag. For its error see `pa3`."""
    size = np.abs(cell_errors(tables))
    fraction = 1 - PF2_DESIGN / 100
    return Estimate(float(np.quantile(size, fraction)), len(size), quantile_error(size, fraction, mean_error))


def pf2(tables: Tables) -> Estimate:
    """Percentage of the cells whose zero-point error is larger than PA4 (design: 15 mmag). For its error see `pa3`."""
    outside = np.abs(cell_errors(tables)) > PA4_DESIGN
    return Estimate(100 * float(np.mean(outside)), len(outside), 100 * fraction_error(outside, mean_error))


def pa6(tables: Tables) -> Estimate:
    """Size of the median of measured less true AB magnitude over isolated bright stars of the coadd, in mmag.

    The standard error is analytic: stars are independent.
    """
    stars = matched_stars(tables)
    differences = MMAG * (stars.magnitudes - stars.true_magnitudes)
    stderr = quantile_error(differences, 0.5, mean_error)
    return Estimate(abs(float(np.median(differences))), len(differences), stderr)


_CELLS = (
    f"a cell being a part of the sky with {STARS_IN_CELL} to {2 * STARS_IN_CELL} isolated stars of the coadd of S/N of "
    f"{BIAS_SNR:g} or more, and its error the median of their measured less true magnitudes, less the median over cells"
)
_define = partial(
    MetricDefinition,
    family="photometry",
    citation="LPM-17, Table 15 (zero points across the sky); against the truth of the simulated exposures",
    unit="mmag",
    direction=Direction.LOWER,
    bands=None,
    reads=("objects", "truth_coverage"),
)
METRICS = (
    Metric(
        _define(
            name="PA3",
            title="Zero point across the sky",
            definition=f"Root mean square of the zero-point errors of cells of the sky, {_CELLS}; it holds the noise "
            "of these medians.",
        ),
        pa3,
    ),
    Metric(
        _define(
            name="PA4",
            title="Zero point across the sky, outlier limit",
            definition=f"Size of the zero-point error exceeded by 10 % of the cells of the sky, {_CELLS}.",
        ),
        pa4,
    ),
    Metric(
        _define(
            name="PF2",
            title="Zero point across the sky, outlier fraction",
            definition=f"Percentage of the cells of the sky whose zero-point error is larger than 15 mmag, {_CELLS}.",
            unit="%",
        ),
        pf2,
    ),
    Metric(
        _define(
            name="PA6",
            title="Accuracy of the AB scale",
            definition="Size of the median of measured less true AB magnitude over isolated stars of the coadd with "
            f"S/N of {BIAS_SNR:g} or more.",
            citation="LPM-17, Table 17 (physical scale); against the truth of the simulated exposures",
        ),
        pa6,
    ),
)
