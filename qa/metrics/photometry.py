"""Photometric repeatability (LPM-17, Table 14) and bias against truth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, column, require
from qa.metrics.groups import Selection, select
from qa.metrics.statistics import Weighted, fraction_error, mean_error, quantile_error
from qa.metrics.truth import BIAS_SNR, matched_stars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables
    from qa.metrics.groups import Groups

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BRIGHT = Selection(snr=200.0)
MMAG = 1000.0
FEWEST = 10
# "More than two visits": with two the scatter about their mean has a single degree of freedom.
VISITS = 3
PF1_DESIGN = 10.0
# So many pairs of detections of PA2 are compared at most; of more, an even share.
MOST_PAIRS = 5_000_000
PA2_DESIGN = 15.0
PA2_DESIGN_UZY = 22.5


def _repeated(tables: Tables, selection: Selection) -> tuple[Groups, Floats]:
    groups = select(tables.matched, selection)
    groups = groups.only(groups.counts >= VISITS)
    require(len(groups), FEWEST, f"{selection} seen in {VISITS} visits or more")
    return groups, column(tables.matched, "mag")[groups.rows].astype(np.float64)


def pa1(tables: Tables, *, selection: Selection = BRIGHT) -> Estimate:
    """Median over stars of the standard deviation of their magnitudes (divided by n, about the star's mean), in mmag.

    Follows `lsst.faro.utils.phot_repeat.calcPhotRepeat`. The standard error is analytic: stars are independent.
    """
    groups, magnitudes = _repeated(tables, selection)
    spread = groups.spread(magnitudes) * MMAG
    return Estimate(float(np.median(spread)), len(spread), quantile_error(spread, 0.5, mean_error))


def pf1(tables: Tables, *, selection: Selection = BRIGHT) -> Estimate:
    """Percentage of magnitudes further from their star's mean than PA2 (design: 15 mmag, 22.5 in u, z, y).

    Follows `lsst.faro.measurement.PF1Task`. The standard error is analytic, with stars as the independent clusters.
    """
    groups, magnitudes = _repeated(tables, selection)
    limit = PA2_DESIGN_UZY if tables.band in {"u", "z", "y"} else PA2_DESIGN
    outside = np.abs(groups.deviations(magnitudes)) * MMAG > limit
    stderr = fraction_error(outside, partial(mean_error, cluster=groups.group))
    return Estimate(100 * float(np.mean(outside)), len(outside), 100 * stderr)


def pa2(tables: Tables, *, selection: Selection = BRIGHT) -> Estimate:
    """Deviation exceeded by PF1 (design: 10 %) of the magnitudes, in mmag.

    A deviation is the difference of two magnitudes of a star over the square root of 2, free of the error of the mean.
    validate_drp's `calcPhotRepeatSample` draws one such pair per star at random, fifty times; this is the limit
    of infinitely many draws: every star has the weight 1, shared by all its pairs. The standard error is analytic,
    with stars as the independent clusters.
    """
    groups = select(tables.matched, selection)
    require(len(groups), FEWEST, f"{selection} seen in two visits or more")
    magnitudes = column(tables.matched, "mag")[groups.rows].astype(np.float64)
    first, second = pairs_in_groups(groups, most=MOST_PAIRS)
    deviations = MMAG / np.sqrt(2.0) * np.abs(magnitudes[first] - magnitudes[second])
    star = groups.group[first]
    weights = 1 / np.bincount(star)[star]
    fraction = 1 - PF1_DESIGN / 100
    weighted = Weighted(deviations, weights)
    value = weighted.quantile(fraction)
    error = mean_error(np.bincount(star, weights * (deviations <= value)))
    low, high = (weighted.quantile(min(max(fraction + sign * error, 0.0), 1.0)) for sign in (-1, 1))
    return Estimate(value, len(deviations), (high - low) / 2)


def pairs_in_groups(groups: Groups, *, most: int | None = None) -> tuple[Ints, Ints]:
    """Return the pairs of detections of the same group, as places in the groups' arrays.

    All pairs, or where they are more than `most`, those whose places in their group differ by 1, 1 + k, 1 + 2k, ...
    with the k that leaves about so many: an even share of neighbours and of visits far apart.
    """
    every = 1 if most is None else max(1, -(-int(np.sum(groups.counts * (groups.counts - 1) // 2)) // most))
    first, second = [], []
    for step in range(1, int(groups.counts.max()), every):
        found = np.flatnonzero(groups.group[:-step] == groups.group[step:])
        first.append(found)
        second.append(found + step)
    return np.concatenate(first), np.concatenate(second)


def photometric_bias(tables: Tables) -> Estimate:
    """Median of measured less true magnitude over isolated stars of the coadd with S/N of 50 or more, in mmag.

    The standard error is analytic: stars are independent.
    """
    stars = matched_stars(tables)
    differences = MMAG * (stars.magnitudes - stars.true_magnitudes)
    return Estimate(float(np.median(differences)), len(differences), quantile_error(differences, 0.5, mean_error))


_define = partial(
    MetricDefinition,
    family="photometry",
    citation="LPM-17, Table 14 (photometric repeatability); lsst/faro phot_repeat.py",
    unit="mmag",
    direction=Direction.LOWER,
    bands=None,
    reads=("matched",),
)
METRICS = (
    Metric(
        _define(
            name="PA1",
            title="Photometric repeatability",
            definition="Median over unresolved sources with a median S/N of 200 or more, seen in three visits or more, "
            "of the standard deviation of their magnitudes about their mean.",
        ),
        pa1,
    ),
    Metric(
        _define(
            name="PA2",
            title="Photometric repeatability, outlier limit",
            definition="Deviation exceeded by 10 % of the magnitudes of unresolved sources with a median S/N of 200 or "
            "more, a deviation being the difference of two magnitudes over the square root of 2, all pairs of a "
            f"source sharing its weight. Of more than {MOST_PAIRS / 1e6:g} million pairs, an even share counts.",
            citation="LPM-17, Table 14 (photometric repeatability); lsst/validate_drp repeatability.py",
        ),
        pa2,
    ),
    Metric(
        _define(
            name="PF1",
            title="Photometric repeatability, outlier fraction",
            definition="Percentage of the magnitudes of the sources of PA1 that lie further than 15 mmag (22.5 in u, "
            "z, y) from their source's mean.",
            unit="%",
        ),
        pf1,
    ),
    Metric(
        _define(
            name="photometric_bias",
            title="Photometric bias",
            definition="Median of measured less true magnitude over isolated stars of the coadd with S/N of "
            f"{BIAS_SNR:g} or more that are covered by at least half the visits of the deepest place.",
            citation="obsqa; against the truth of the simulated exposures",
            direction=Direction.ZERO,
            reads=("objects", "truth_coverage"),
        ),
        photometric_bias,
    ),
)
