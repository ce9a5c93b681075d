"""Relative and absolute astrometry (LPM-17, Tables 18 and 20) and bias against truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, require
from qa.metrics.groups import Selection, angles, select
from qa.metrics.separations import FEWEST, MOST_PAIRS, MOST_SEPARATIONS, find_pairs, separation_deviations
from qa.metrics.sphere import MAS, offsets, to_angles, unit_vectors
from qa.metrics.statistics import fraction_error, mean_error, pair_mean_error, quantile_error
from qa.metrics.truth import BIAS_SNR, matched_stars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]

STARS = Selection(snr=50.0, magnitudes=(17.0, 21.5))
REFERENCE_STARS = Selection(snr=50.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """One of the scales of LPM-17, Table 18: its number, distance in arcmin and the design values of AFx and ADx.

    `fraction` in %, `deviation` in mas.
    """

    number: int
    distance: float
    fraction: float
    deviation: float


SCALES = (Scale(1, 5.0, 10.0, 20.0), Scale(2, 20.0, 10.0, 20.0), Scale(3, 200.0, 10.0, 30.0))


def separation_scatter(tables: Tables, *, distance: float, name: str, selection: Selection = STARS) -> Estimate:
    """Median over pairs of stars of the standard deviation (n - 1) over visits of their separation, in mas.

    Follows `lsst.faro.utils.separations.calcRmsDistances`. The standard error is analytic and dyadic: pairs that have a
    star in common are not independent. Where only a share of the pairs is measured, it is the error of that share's.
    """
    pairs = find_pairs(tables, selection, distance=distance, name=name)
    place, spread = pairs.scatter()
    require(len(spread), FEWEST, f"pairs {distance:g} arcmin apart seen together in two visits")
    error = partial(pair_mean_error, pair=np.arange(len(place)), first=pairs.first[place], second=pairs.second[place])
    scale = 1 / MAS
    return Estimate(float(np.median(spread) * scale), len(spread), quantile_error(spread, 0.5, error) * scale)


def deviation_limit(tables: Tables, *, scale: Scale = SCALES[0], selection: Selection = STARS) -> Estimate:
    """ADx: deviation exceeded by AFx (design: 10 %) of the separations of pairs `scale.distance` apart, in mas.

    Follows `lsst.faro.measurement.ADxTask`. The standard error is analytic and dyadic; that of the median
    subtracted from the deviations is left out.
    """
    name = f"AD{scale.number}"
    deviations = separation_deviations(tables, selection, distance=scale.distance, name=name)
    value = float(np.percentile(deviations.values, 100 - scale.fraction))
    error = quantile_error(deviations.values, 1 - scale.fraction / 100, deviations.error)
    return Estimate(value, len(deviations.values), error)


def deviation_fraction(tables: Tables, *, scale: Scale = SCALES[0], selection: Selection = STARS) -> Estimate:
    """AFx: percentage of separations of pairs `scale.distance` apart that deviate by more than ADx (design).

    Follows `lsst.faro.measurement.AFxTask`. The standard error is analytic and dyadic.
    """
    name = f"AF{scale.number}"
    deviations = separation_deviations(tables, selection, distance=scale.distance, name=name)
    outside = np.abs(deviations.values) > scale.deviation
    return Estimate(100 * float(np.mean(outside)), len(outside), 100 * fraction_error(outside, deviations.error))


ad1 = partial(deviation_limit, scale=SCALES[0])
af1 = partial(deviation_fraction, scale=SCALES[0])


def aa1(tables: Tables) -> Estimate:
    """Median absolute offset of stars' mean positions from the reference catalogue, in the worse coordinate, in mas.

    It contains the errors of the reference catalogue. The standard error is analytic: stars are independent.
    """
    groups = select(tables.matched, REFERENCE_STARS)
    vectors = unit_vectors(*(angles(tables.matched, name, groups.rows) for name in ("ra", "dec")))
    ra, dec = to_angles(np.stack([groups.mean(part) for part in vectors.T], axis=-1))
    reference = [angles(tables.matched, name, groups.rows[groups.starts]) for name in ("ref_ra", "ref_dec")]
    east, north = (np.abs(part[np.isfinite(part)]) / MAS for part in offsets(ra, dec, *reference))
    require(len(east), FEWEST, f"{REFERENCE_STARS} with a counterpart in the reference catalogue")
    worse = max((east, north), key=lambda values: float(np.median(values)))
    return Estimate(float(np.median(worse)), len(worse), quantile_error(worse, 0.5, mean_error))


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


def _scatter_metric(scale: Scale) -> Metric:
    definition = _define(
        name=f"AM{scale.number}",
        title=f"Relative astrometry at {scale.distance:g} arcmin",
        definition=f"Median over pairs of unresolved sources {scale.distance:g} arcmin apart (within 1 arcmin) of the "
        "standard deviation over visits of their separation; sources of magnitude 17 to 21.5 with a median S/N of 50 "
        f"or more. Where there are more than {MOST_PAIRS / 1e6:g} million pairs, an even share of them counts.",
    )
    return Metric(definition, partial(separation_scatter, distance=scale.distance, name=definition.name))


def _outlier_metrics(scale: Scale) -> tuple[Metric, Metric]:
    title = f"Relative astrometry at {scale.distance:g} arcmin, outlier"
    limit = _define(
        name=f"AD{scale.number}",
        title=f"{title} limit",
        definition=f"Deviation exceeded by {scale.fraction:g} % of the separations of the pairs of AM{scale.number} "
        "seen together in three visits or more, a deviation being the distance from the pair's median less the median "
        f"of these distances. Where there are more than about {MOST_SEPARATIONS / 1e6:g} million separations, those "
        "of an even share of the pairs count.",
    )
    fraction = _define(
        name=f"AF{scale.number}",
        title=f"{title} fraction",
        definition=f"Percentage of the deviations of AD{scale.number} that are larger than {scale.deviation:g} mas in "
        "absolute value.",
        unit="%",
    )
    return Metric(limit, partial(deviation_limit, scale=scale)), Metric(
        fraction, partial(deviation_fraction, scale=scale)
    )


METRICS = (
    *(_scatter_metric(scale) for scale in SCALES),
    *(metric for scale in SCALES for metric in _outlier_metrics(scale)),
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
