"""PA1 as validate_drp defined it: the interquartile range of differences of pairs drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, column, require
from qa.metrics.groups import Selection, select

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables
    from qa.metrics.groups import Groups

    Floats = NDArray[np.float64]

BRIGHT = Selection(snr=200.0)
MMAG = 1000.0
FEWEST = 10
SHUFFLES = 50
SEED = 1
# Of a normal distribution the interquartile range is 1.349 standard deviations, and estimates it with 37 % efficiency.
IQR_TO_SIGMA = 0.741
EFFICIENCY = 0.37


def pair_differences(groups: Groups, magnitudes: Floats, *, seed: int = SEED, shuffles: int = SHUFFLES) -> Floats:
    """Return differences (shuffles, groups) of two magnitudes of each group drawn at random, over the square root of 2.

    `magnitudes` (n,) go with the groups' detections. One pair a group is drawn in each shuffle.
    """
    rng = np.random.default_rng(seed)
    counts, starts = groups.counts, groups.starts
    differences = np.empty((shuffles, len(counts)))
    for shuffle in range(shuffles):
        first = rng.integers(0, counts)
        # Any other of the group: a step of 1 to n - 1, round the end.
        second = (first + rng.integers(1, counts)) % counts
        differences[shuffle] = magnitudes[starts + first] - magnitudes[starts + second]
    differences /= np.sqrt(2.0)
    return differences


def pa1_validate_drp(tables: Tables, *, selection: Selection = BRIGHT) -> Estimate:
    """Mean over 50 random draws of one pair per star of the interquartile range of their differences, in mmag.

    Differences are divided by the square root of 2, the range by that of a normal distribution of unit width, as in
    `lsst.validate.drp.repeatability.calcPhotRepeat`. The seed is fixed. The standard error is that of the
    interquartile range of as many normal numbers as there are stars; draws share their stars and take nothing off.
    """
    groups = select(tables.matched, selection)
    require(len(groups), FEWEST, f"{selection} seen in two visits or more")
    magnitudes = column(tables.matched, "mag")[groups.rows].astype(np.float64)
    differences = MMAG * pair_differences(groups, magnitudes)
    low, high = np.percentile(differences, (25, 75), axis=1)
    value = float(np.mean(IQR_TO_SIGMA * (high - low)))
    return Estimate(value, len(groups), value / float(np.sqrt(2 * EFFICIENCY * len(groups))))


METRICS = (
    Metric(
        MetricDefinition(
            name="PA1_validate_drp",
            family="photometry",
            title="Photometric repeatability, as validate_drp has it",
            definition="Mean over 50 random draws of the interquartile range, over 1.349, of the difference of two "
            "magnitudes of each unresolved source with a median S/N of 200 or more, over the square root of 2. PA1 "
            "is the median of the sources' own standard deviations.",
            citation="LPM-17, Table 14 (photometric repeatability); lsst/validate_drp repeatability.py",
            unit="mmag",
            direction=Direction.LOWER,
            bands=None,
            reads=("matched",),
        ),
        pa1_validate_drp,
    ),
)
