"""What becomes of the sources that were drawn: counted, counted twice, merged, and classified."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, column, require
from qa.metrics.sphere import ARCSEC, nearest, pairs_between
from qa.metrics.statistics import fraction_error, mean_error
from qa.metrics.truth import EXTENDED, counterparts, object_positions, primary, truth_positions, well_covered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

COUNTED_RANGE = 3.0
ABOVE_LIMIT = 2.0
"""Counts and blends are those of sources so many magnitudes brighter than the coadd's 5-sigma point-source depth:
galaxies, too, should all be found there."""
FEWEST_COUNTED = 20
DUPLICATE_ARCSEC = 0.5
BLEND_ARCSEC = (1.5, 3.0)
BLEND_CONTRAST = 2.5
FEWEST_BLENDS = 10
CLASSIFIED_SNR = 20.0
FEWEST_CLASSIFIED = 10


def faint_limit(tables: Tables) -> float:
    """Return the magnitude 2 mag brighter than the coadd's 5-sigma depth, the mean over patches by area."""
    depth, area = (column(tables.depth, name).astype(np.float64) for name in ("depth5", "area_arcmin2"))
    good = np.isfinite(depth) & (area > 0)
    require(int(good.sum()), 1, "patches with a measured depth")
    return float(np.average(depth[good], weights=area[good])) - ABOVE_LIMIT


def _clean(tables: Tables) -> Flags:
    clean: Flags = primary(tables) & ~column(tables.objects, "flag").astype(bool)
    return clean


def _counted(tables: Tables) -> tuple[Flags, Flags, tuple[float, float]]:
    """Tell which objects and which drawn sources lie in the range of magnitudes that is counted."""
    faint = faint_limit(tables)
    limits = faint - COUNTED_RANGE, faint
    magnitudes, true = (column(table, "mag").astype(np.float64) for table in (tables.objects, tables.truth_coverage))
    here = primary(tables) & (limits[0] <= magnitudes) & (magnitudes < limits[1])
    there = (limits[0] <= true) & (true < limits[1]) & (column(tables.truth_coverage, "n_visits") > 0)
    words = f"drawn sources of magnitude {limits[0]:.1f} to {limits[1]:.1f} on the coadd"
    require(int(there.sum()), FEWEST_COUNTED, words)
    return here, there, limits


def number_counts_excess(tables: Tables) -> Estimate:
    """How many more objects than drawn sources there are in 3 mag, from 2 mag brighter than the depth on, in percent.

    The standard error is analytic: objects without a source of these magnitudes, and sources without such an object,
    come and go independently.
    """
    here, there, _ = _counted(tables)
    found, drawn = int(here.sum()), int(there.sum())
    place = counterparts(object_positions(tables)[here], truth_positions(tables)[there])
    alone = int((place < 0).sum()) + drawn - len(np.unique(place[place >= 0]))
    return Estimate(100 * (found / drawn - 1), drawn, 100 * float(np.sqrt(alone)) / drawn)


def counts_slope(magnitudes: Floats, low: float, high: float) -> tuple[float, float]:
    """Return the slope s of counts that go as 10^(s m) between two magnitudes, and its standard error, in dex per mag.

    Maximum likelihood: of the exponential distribution, cut at both ends, that has the mean of the magnitudes.
    """
    mean = float(np.mean((magnitudes - low) / (high - low)))
    left, right = -100.0, 100.0
    for _ in range(60):
        middle = (left + right) / 2
        left, right = (middle, right) if _moments(middle)[0] < mean else (left, middle)
    rate = (left + right) / 2
    scale = 1 / ((high - low) * np.log(10))
    return float(rate * scale), float(scale / np.sqrt(len(magnitudes) * _moments(rate)[1]))


def _moments(rate: float) -> tuple[float, float]:
    """Mean and variance of the density that goes as exp(rate t) on 0 <= t <= 1."""
    if abs(rate) < 1e-3:  # noqa: PLR2004 - the terms beyond cancel below this
        return 0.5 + rate / 12, 1 / 12
    return float(1 / -np.expm1(-rate) - 1 / rate), float(1 / rate**2 - 1 / (4 * np.sinh(rate / 2) ** 2))


def number_counts_slope_error(tables: Tables) -> Estimate:
    """Slope of the objects' number counts less that of the drawn sources', in dex per mag, in the range above.

    The standard error is analytic, as if both counts were independent: an upper limit.
    """
    here, there, limits = _counted(tables)
    require(int(here.sum()), FEWEST_COUNTED, f"objects of magnitude {limits[0]:.1f} to {limits[1]:.1f}")
    found, error = counts_slope(column(tables.objects, "mag").astype(np.float64)[here], *limits)
    drawn, other = counts_slope(column(tables.truth_coverage, "mag").astype(np.float64)[there], *limits)
    return Estimate(found - drawn, int(here.sum()), float(np.hypot(error, other)))


def duplicate_fraction(tables: Tables) -> Estimate:
    """Percentage of primary objects with another primary object within 0.5 arcsec.

    The standard error is analytic: objects are independent.
    """
    positions = object_positions(tables)[primary(tables)]
    count = len(positions.ra)
    require(count, 1, "primary objects")
    twice = np.zeros(count, dtype=bool)
    for one in pairs_between(positions.ra, positions.dec, 0.0, DUPLICATE_ARCSEC * ARCSEC):
        twice[one] = True
    return Estimate(100 * float(np.mean(twice)), count, 100 * fraction_error(twice, mean_error))


def deblending_failures(tables: Tables) -> Estimate:
    """Percentage of close pairs of drawn sources of which not both have an object of their own.

    Pairs are 1.5 to 3 arcsec apart, differ by up to 2.5 mag, and both are 2 mag brighter than the coadd's depth; an
    object is a source's own within half the least distance. The standard error is analytic: pairs are independent.
    """
    magnitudes = column(tables.truth_coverage, "mag").astype(np.float64)
    bright = np.flatnonzero(well_covered(tables) & (magnitudes < faint_limit(tables)))
    true = truth_positions(tables)[bright]
    low, high = BLEND_ARCSEC
    first, second = pairs_between(true.ra, true.dec, low * ARCSEC, high * ARCSEC)
    alike = np.abs(magnitudes[bright][first] - magnitudes[bright][second]) <= BLEND_CONTRAST
    first, second = first[alike], second[alike]
    require(len(first), FEWEST_BLENDS, f"pairs of bright drawn sources {low:g} to {high:g} arcsec apart")
    objects = object_positions(tables)[primary(tables)]
    own = nearest(true.ra, true.dec, objects.ra, objects.dec, tolerance=low / 2 * ARCSEC) >= 0
    failed = ~(own[first] & own[second])
    return Estimate(100 * float(np.mean(failed)), len(failed), 100 * fraction_error(failed, mean_error))


def _classified(tables: Tables) -> tuple[Flags, Flags]:
    """Tell of each good object with an isolated counterpart whether it is a star, and whether it is called so."""
    place = counterparts(object_positions(tables), truth_positions(tables))
    isolated = well_covered(tables) & column(tables.truth_coverage, "isolated").astype(bool)
    extendedness = column(tables.objects, "extendedness").astype(np.float64)
    usable = _clean(tables) & (column(tables.objects, "snr") >= CLASSIFIED_SNR) & np.isfinite(extendedness)
    usable &= (place >= 0) & isolated[place]
    star: Flags = column(tables.truth_coverage, "star").astype(bool)[place[usable]]
    return star, extendedness[usable] < EXTENDED


def classification(tables: Tables, *, star: bool, purity: bool) -> Estimate:
    """Percentage of true stars (galaxies) called so or, with `purity`, of what is called so that is.

    Of primary, unflagged objects of S/N of 20 or more with an isolated counterpart in the truth. The standard error is
    analytic: objects are independent.
    """
    true, called = (part == star for part in _classified(tables))
    right = true[called] if purity else called[true]
    name = "stars" if star else "galaxies"
    what = f"objects called {name}" if purity else f"objects that are {name}"
    require(len(right), FEWEST_CLASSIFIED, f"{what}, of S/N of {CLASSIFIED_SNR:g} or more,")
    return Estimate(100 * float(np.mean(right)), len(right), 100 * fraction_error(right, mean_error))


_define = partial(
    MetricDefinition,
    family="completeness",
    citation="obsqa; against the truth of the simulated exposures",
    unit="%",
    direction=Direction.LOWER,
    bands=None,
    reads=("objects", "truth_coverage", "depth"),
)
_RANGE = "over the 3 mag that end 2 mag above the coadd's 5-sigma depth"
_classes = partial(_define, family="classification", direction=Direction.HIGHER, reads=("objects", "truth_coverage"))
_GOOD = "primary, unflagged objects with S/N of 20 or more and an isolated counterpart in the truth"


def _classification_metric(kind: str, *, purity: bool) -> Metric:
    definition = _classes(
        name=f"{kind}_{'purity' if purity else 'completeness'}",
        title=f"{'Purity' if purity else 'Completeness'} of the classification as {kind}",
        definition=f"Percentage of {_GOOD}, {f'classified as {kind},' if purity else f'which are a {kind},'} that "
        f"{f'are a {kind}' if purity else f'are classified as {kind}'}.",
    )
    return Metric(definition, partial(classification, star=kind == "star", purity=purity))


METRICS = (
    Metric(
        _define(
            name="number_counts_excess",
            title="Number counts against truth",
            definition=f"Excess of the number of primary objects over that of drawn sources, {_RANGE}.",
            direction=Direction.ZERO,
        ),
        number_counts_excess,
    ),
    Metric(
        _define(
            name="number_counts_slope_error",
            title="Slope of the number counts against truth",
            definition=f"Slope of the logarithm of the number of primary objects with magnitude, less that "
            f"of drawn sources, {_RANGE}.",
            unit="1/mag",
            direction=Direction.ZERO,
        ),
        number_counts_slope_error,
    ),
    Metric(
        _define(
            name="duplicate_fraction",
            title="Duplicate objects",
            definition="Percentage of primary objects that have another primary object within 0.5 arcsec.",
            citation="obsqa",
            reads=("objects",),
        ),
        duplicate_fraction,
    ),
    Metric(
        _define(
            name="deblending_failures",
            title="Close pairs not separated",
            definition="Percentage of pairs of drawn sources 1.5 to 3 arcsec apart, 2 mag brighter than the coadd's "
            "5-sigma depth and within 2.5 mag of each other, of which not both have a primary object within 0.75 "
            "arcsec.",
        ),
        deblending_failures,
    ),
    _classification_metric("star", purity=False),
    _classification_metric("star", purity=True),
    _classification_metric("galaxy", purity=False),
    _classification_metric("galaxy", purity=True),
)
