"""Relative and absolute astrometry (LPM-17, Tables 18 and 20) and bias against truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import CannotMeasureError, Direction, Estimate, Metric, MetricDefinition, column, radians, require
from qa.metrics.groups import Selection, select
from qa.metrics.sphere import ARCMIN, MAS, offsets, pairs_between, separation, span, to_angles, unit_vectors
from qa.metrics.statistics import fraction_error, mean_error, pair_mean_error, quantile_error
from qa.metrics.truth import BIAS_SNR, matched_stars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STARS = Selection(snr=50.0, magnitudes=(17.0, 21.5))
REFERENCE_STARS = Selection(snr=50.0)
ANNULUS_WIDTH = 2.0
FEWEST = 10
AF1_DESIGN = 10.0
AD1_DESIGN = 20.0
# Pairs times visits held at a time: 16 MB an array.
CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of stars about a distance apart, and the positions (stars, visits) of each star; NaN where not seen."""

    first: Ints
    second: Ints
    ra: Floats
    dec: Floats

    def distances(self, *, visits: int) -> Iterator[tuple[Ints, Floats]]:
        """Yield pieces of the pairs seen together in at least so many visits, and their separations (pairs, visits)."""
        seen = np.isfinite(self.ra)
        step = max(1, CHUNK // self.ra.shape[1])
        for start in range(0, len(self.first), step):
            place = np.arange(start, min(start + step, len(self.first)))
            common = (seen[self.first[place]] & seen[self.second[place]]).sum(axis=1)
            place = place[common >= visits]
            one, two = self.first[place], self.second[place]
            yield place, separation(self.ra[one], self.dec[one], self.ra[two], self.dec[two])


def find_pairs(tables: Tables, selection: Selection, *, distance: float, name: str) -> Pairs:
    """Return the pairs of selected stars whose mean positions are `distance` arcmin apart, within 1 arcmin.

    Raises
    ------
    CannotMeasureError
        If there are fewer than ten; the reason says whether the field is too small.
    """
    groups = select(tables.matched, selection)
    visit = np.unique(column(tables.matched, "visit")[groups.rows], return_inverse=True)[1]
    ra, dec = (np.full((len(groups), int(visit.max()) + 1), np.nan) for _ in range(2))
    # In reverse, so that of two detections in one visit the first counts.
    places = groups.group[::-1], visit[::-1]
    ra[places] = radians(tables.matched, "ra")[groups.rows][::-1]
    dec[places] = radians(tables.matched, "dec")[groups.rows][::-1]
    mean_ra, mean_dec = to_angles(np.nanmean(unit_vectors(ra, dec), axis=1))
    low, high = (distance + sign * ANNULUS_WIDTH / 2 for sign in (-1, 1))
    extent = span(mean_ra, mean_dec) / ARCMIN
    if extent < low:
        msg = f"{name} needs pairs {distance:g} arcmin apart; the field spans {extent:.3g} arcmin"
        raise CannotMeasureError(msg)
    first, second = pairs_between(mean_ra, mean_dec, low * ARCMIN, high * ARCMIN)
    require(len(first), FEWEST, f"pairs {distance:g} arcmin apart among {len(groups)} {selection}")
    return Pairs(first, second, ra, dec)


def separation_scatter(tables: Tables, *, distance: float, name: str, selection: Selection = STARS) -> Estimate:
    """Median over pairs of stars of the standard deviation (n - 1) over visits of their separation, in mas.

    Follows `lsst.faro.utils.separations.calcRmsDistances`. The standard error is analytic and dyadic: pairs that have a
    star in common are not independent.
    """
    pairs = find_pairs(tables, selection, distance=distance, name=name)
    pieces = [(place, _spread(apart)) for place, apart in pairs.distances(visits=2)]
    place, spread = (np.concatenate(part) for part in zip(*pieces, strict=True))
    require(len(spread), FEWEST, f"pairs {distance:g} arcmin apart seen together in two visits")
    error = partial(pair_mean_error, pair=np.arange(len(place)), first=pairs.first[place], second=pairs.second[place])
    scale = 1 / MAS
    return Estimate(float(np.median(spread) * scale), len(spread), quantile_error(spread, 0.5, error) * scale)


def _spread(values: Floats) -> Floats:
    seen = np.isfinite(values)
    count = seen.sum(axis=1)
    mean = np.where(seen, values, 0.0).sum(axis=1) / count
    square = np.where(seen, (values - mean[:, np.newaxis]) ** 2, 0.0).sum(axis=1)
    spread: Floats = np.sqrt(square / (count - 1))
    return spread


@dataclass(frozen=True, slots=True)
class Deviations:
    """Deviations (n,) in mas of separations from their pair's median, and the pair (n,) each belongs to."""

    values: Floats
    pair: Ints
    first: Ints
    second: Ints

    def error(self, values: NDArray[np.generic]) -> float:
        """Return the standard error of the mean of `values` (n,) that go with the deviations."""
        return pair_mean_error(values, self.pair, self.first, self.second)


def separation_deviations(tables: Tables, *, distance: float, name: str, selection: Selection = STARS) -> Deviations:
    """Return how far each separation lies from its pair's median, less the median of all these deviations.

    Pairs seen together in three visits or more count. Follows `lsst.faro.utils.separations.calcSepOutliers` and the
    subtraction of the median in `lsst.faro.measurement.ADxTask`.
    """
    pairs = find_pairs(tables, selection, distance=distance, name=name)
    values, pair = [], []
    for place, apart in pairs.distances(visits=3):
        # A star measured against itself is at distance 0 and shows nothing.
        apart = np.where(apart > 0, apart, np.nan)  # noqa: PLW2901 - the same separations, cleaned
        from_median = np.abs(apart - _row_medians(apart)[:, np.newaxis])
        good = np.isfinite(from_median)
        values.append(from_median[good])
        pair.append(np.repeat(place, good.sum(axis=1)))
    all_values = np.concatenate(values)
    require(len(all_values), FEWEST, f"separations of pairs {distance:g} arcmin apart seen together in three visits")
    return Deviations((all_values - np.median(all_values)) / MAS, np.concatenate(pair), pairs.first, pairs.second)


def _row_medians(values: Floats) -> Floats:
    count = np.isfinite(values).sum(axis=1)
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    medians: Floats = (low + high) / 2
    return medians


def ad1(tables: Tables, *, selection: Selection = STARS) -> Estimate:
    """Deviation exceeded by AF1 (design: 10 %) of the separations of pairs 5 arcmin apart, in mas.

    Follows `lsst.faro.measurement.ADxTask`. The standard error is analytic and dyadic; that of the median
    subtracted from the deviations is left out.
    """
    deviations = separation_deviations(tables, distance=5.0, name="AD1", selection=selection)
    fraction = 1 - AF1_DESIGN / 100
    value = float(np.percentile(deviations.values, 100 - AF1_DESIGN))
    return Estimate(value, len(deviations.values), quantile_error(deviations.values, fraction, deviations.error))


def af1(tables: Tables, *, selection: Selection = STARS) -> Estimate:
    """Percentage of separations of pairs 5 arcmin apart that deviate by more than AD1 (design: 20 mas).

    Follows `lsst.faro.measurement.AFxTask`. The standard error is analytic and dyadic.
    """
    deviations = separation_deviations(tables, distance=5.0, name="AF1", selection=selection)
    outside = np.abs(deviations.values) > AD1_DESIGN
    return Estimate(100 * float(np.mean(outside)), len(outside), 100 * fraction_error(outside, deviations.error))


def aa1(tables: Tables) -> Estimate:
    """Median absolute offset of stars' mean positions from the reference catalogue, in the worse coordinate, in mas.

    It contains the errors of the reference catalogue. The standard error is analytic: stars are independent.
    """
    groups = select(tables.matched, REFERENCE_STARS)
    mean = [groups.mean(part[groups.rows]) for part in unit_vectors(*_radec(tables, "")).T]
    ra, dec = to_angles(np.stack(mean, axis=-1))
    reference = [values[groups.rows][groups.starts] for values in _radec(tables, "ref_")]
    east, north = (np.abs(part[np.isfinite(part)]) / MAS for part in offsets(ra, dec, *reference))
    require(len(east), FEWEST, f"{REFERENCE_STARS} with a counterpart in the reference catalogue")
    worse = max((east, north), key=lambda values: float(np.median(values)))
    return Estimate(float(np.median(worse)), len(worse), quantile_error(worse, 0.5, mean_error))


def _radec(tables: Tables, prefix: str) -> tuple[Floats, Floats]:
    return radians(tables.matched, f"{prefix}ra"), radians(tables.matched, f"{prefix}dec")


def astrometric_bias(tables: Tables) -> Estimate:
    """Length of the vector of median offsets, east and north, of isolated stars of the coadd from the truth, in mas.

    The standard error is analytic, that of the two medians taken along the vector: stars are independent.
    """
    stars = matched_stars(tables)
    measured, true = stars.measured, stars.true
    parts = [part / MAS for part in offsets(measured.ra, measured.dec, true.ra, true.dec)]
    east, north = (float(np.median(part)) for part in parts)
    errors = [quantile_error(part, 0.5, mean_error) for part in parts]
    length = float(np.hypot(east, north))
    along = (east / length, north / length) if length > 0 else (1.0, 0.0)
    return Estimate(length, len(parts[0]), float(np.hypot(along[0] * errors[0], along[1] * errors[1])))


_define = partial(
    MetricDefinition,
    family="astrometry",
    citation="LPM-17, Table 18 (relative astrometry); lsst/faro separations.py",
    unit="mas",
    direction=Direction.LOWER,
    bands=("r", "i"),
    reads=("matched",),
)


def _scatter_metric(number: int, distance: float) -> Metric:
    name = f"AM{number}"
    definition = _define(
        name=name,
        title=f"Relative astrometry at {distance:g} arcmin",
        definition=f"Median over pairs of unresolved sources {distance:g} arcmin apart (within 1 arcmin) of the "
        "standard deviation over visits of their separation; sources of magnitude 17 to 21.5 with a median S/N of 50 "
        "or more.",
    )
    return Metric(definition, partial(separation_scatter, distance=distance, name=name))


METRICS = (
    *(_scatter_metric(number, distance) for number, distance in ((1, 5.0), (2, 20.0), (3, 200.0))),
    Metric(
        _define(
            name="AD1",
            title="Relative astrometry at 5 arcmin, outlier limit",
            definition="Deviation exceeded by 10 % of the separations of the pairs of AM1 seen together in three "
            "visits or more, a deviation being the distance from the pair's median less the median of these distances.",
        ),
        ad1,
    ),
    Metric(
        _define(
            name="AF1",
            title="Relative astrometry at 5 arcmin, outlier fraction",
            definition="Percentage of the deviations of AD1 that are larger than 20 mas in absolute value.",
            unit="%",
        ),
        af1,
    ),
    Metric(
        _define(
            name="AA1",
            title="Absolute astrometry",
            definition="Median absolute offset of the mean positions of unresolved sources with a median S/N of 50 or "
            "more from the reference catalogue, in right ascension or declination, whichever is larger.",
            citation="LPM-17, Table 20 (absolute astrometry)",
            bands=None,
        ),
        aa1,
    ),
    Metric(
        _define(
            name="astrometric_bias",
            title="Astrometric bias",
            definition="Length of the vector of the median offsets in right ascension and declination from the truth, "
            f"over isolated stars of the coadd with S/N of {BIAS_SNR:g} or more.",
            citation="obsqa; against the truth of the simulated exposures",
            bands=None,
            reads=("objects", "truth_coverage"),
        ),
        astrometric_bias,
    ),
)
