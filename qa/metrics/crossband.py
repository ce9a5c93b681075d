"""Positions in other bands against those in r (LPM-17, Table 19), and the tables such comparisons read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.metrics.base import CannotMeasureError, Direction, Estimate, Metric, MetricDefinition, column, radians, require
from qa.metrics.groups import Catalog, Selection, select
from qa.metrics.sphere import ARCSEC, MAS, nearest, separation, to_angles, unit_vectors
from qa.metrics.statistics import fraction_error, mean_error, pair_mean_error, quantile_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

REFERENCE = "r"
STARS = Selection(snr=50.0, magnitudes=(17.0, 21.5))
FEWEST = 10
ABF1_DESIGN = 10.0
AB2_DESIGN = 20.0
MATCH_ARCSEC = 0.5
MOST_VISITS = 20
"""Of more visits in a band so many are compared, evenly spaced, which bounds the number of pairs of visits."""
_COLUMNS = ("object", "visit", "mag", "snr", "extendedness", "flag")


@dataclass(frozen=True, slots=True)
class Separations:
    """Separations (pairs of visits, stars) of a star in a visit from itself in a reference visit; NaN where not seen.

    `reference` and `visit` (pairs of visits,) number the visits; in mas.
    """

    values: Floats
    reference: Ints
    visit: Ints


def across_bands(by_band: Mapping[str, Tables]) -> dict[str, Tables]:
    """Return each band's tables with those of all bands in `bands`, the same star having the same number in all.

    Groups of a band take the number of the nearest group of r (of the first band, where there is no r) within 0.5
    arcsec, the nearer one where two claim it; the others get numbers of their own.
    """
    first = REFERENCE if REFERENCE in by_band else next(iter(by_band), "")
    known = _means(by_band[first].matched) if first and by_band[first].matched is not None else None
    shared = dict(by_band)
    for place, (band, tables) in enumerate(by_band.items()):
        if known is not None and tables.matched is not None and band != first:
            matched = tables.matched.copy(copy_data=False)
            matched["object"] = _numbers(tables.matched, known, place)
            shared[band] = replace(tables, matched=matched)
    return {band: replace(tables, bands=shared) for band, tables in shared.items()}


@dataclass(frozen=True, slots=True)
class _Means:
    numbers: Ints
    place: Ints
    ra: Floats
    dec: Floats


def _means(matched: Any) -> _Means:  # noqa: ANN401 - an astropy table or a catalogue
    """Return the groups' numbers and mean positions, and to which of them each row belongs."""
    numbers, place = np.unique(column(matched, "object").astype(np.int64), return_inverse=True)
    vectors = unit_vectors(radians(matched, "ra"), radians(matched, "dec"))
    sums = [np.bincount(place.reshape(-1), part, minlength=len(numbers)) for part in vectors.T]
    return _Means(numbers, place.reshape(-1), *to_angles(np.stack(sums, axis=-1)))


def _numbers(matched: Any, known: _Means, place: int) -> Ints:  # noqa: ANN401 - see above
    own = _means(matched)
    near = nearest(own.ra, own.dec, known.ra, known.dec, tolerance=MATCH_ARCSEC * ARCSEC)
    back = nearest(known.ra, known.dec, own.ra, own.dec, tolerance=MATCH_ARCSEC * ARCSEC)
    mutual = (near >= 0) & (back[near] == np.arange(len(near)))
    # Far beyond any number in use, and different from band to band.
    strange = -(np.arange(len(near)) + 1) - place * 10**12
    numbers: Ints = np.where(mutual, known.numbers[near], strange)[own.place]
    return numbers


def visit_separations(tables: Tables, *, selection: Selection = STARS) -> Separations:
    """Return how far stars of each visit of a band lie from where they are in each visit of r.

    The stars are those that pass the selection with the detections of all bands together, as in
    `lsst.faro.measurement.AB1Task` and `lsst.faro.utils.separations.calcRmsDistancesVsRef`; two at least are common
    to both visits. A visit is not compared with itself.

    Raises
    ------
    CannotMeasureError
        If no two visits have two stars in common.
    """
    tables.of(REFERENCE)
    bands = list(tables.bands or ())
    parts = [tables.of(band).matched for band in bands]
    joint = Catalog({name: np.concatenate([column(part, name) for part in parts]) for name in _COLUMNS})
    groups = select(joint, selection)
    ra, dec = (np.concatenate([radians(part, name) for part in parts])[groups.rows] for name in ("ra", "dec"))
    band = np.concatenate([np.full(len(column(part, "visit")), place) for place, part in enumerate(parts)])[groups.rows]
    visit = np.asarray(joint["visit"])[groups.rows]

    def positions(wanted: str) -> tuple[Ints, Floats, Floats]:
        here = band == bands.index(wanted)
        numbers, place = np.unique(visit[here], return_inverse=True)
        planes = np.full((2, len(numbers), len(groups)), np.nan)
        planes[:, place.reshape(-1), groups.group[here]] = ra[here], dec[here]
        thinned = np.unique(np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_VISITS)).astype(np.int64))
        return numbers[thinned].astype(np.int64), planes[0, thinned], planes[1, thinned]

    reference, other = positions(REFERENCE), positions(tables.band or REFERENCE)
    first, second = (plane.reshape(-1) for plane in np.indices((len(reference[0]), len(other[0]))))
    keep = reference[0][first] != other[0][second]
    first, second = first[keep], second[keep]
    apart = separation(reference[1][first], reference[2][first], other[1][second], other[2][second]) / MAS
    enough = np.isfinite(apart).sum(axis=1) > 1
    if not enough.any():
        msg = (
            f"two visits with two stars in common are needed, and there are {len(groups)} stars in "
            f"{len(reference[0])} visits in {REFERENCE} and {len(other[0])} in {tables.band}"
        )
        raise CannotMeasureError(msg)
    return Separations(apart[enough], first[enough], second[enough])


def ab1(tables: Tables, *, selection: Selection = STARS) -> Estimate:
    """Mean over pairs of a visit in r and one in the band of the scatter of the separations of the same stars, in mas.

    The scatter is the standard deviation (n - 1) over stars, as in `lsst.faro.measurement.AB1Task`. The standard error
    is analytic and dyadic: pairs with a visit in common are not independent; for a single pair that of the scatter of
    normal numbers.
    """
    found = visit_separations(tables, selection=selection)
    spread = np.nanstd(found.values, axis=1, ddof=1)
    require(int(np.isfinite(found.values).sum()), FEWEST, f"separations of stars between {REFERENCE} and the band")
    if len(spread) == 1:
        stderr = float(spread[0] / np.sqrt(2 * (np.isfinite(found.values).sum() - 1)))
    else:
        visits = found.visit + int(found.reference.max()) + 1
        stderr = pair_mean_error(spread, np.arange(len(spread)), found.reference, visits)
    return Estimate(float(np.mean(spread)), len(spread), stderr)


def ab2(tables: Tables) -> Estimate:
    """Separation exceeded by ABF1 (design: 10 %) of the separations of AB1, in mas.

    The standard error is analytic, with stars as the independent clusters.
    """
    values, star = _flat(tables)
    fraction = 1 - ABF1_DESIGN / 100
    stderr = quantile_error(values, fraction, partial(mean_error, cluster=star))
    return Estimate(float(np.quantile(values, fraction)), len(values), stderr)


def abf1(tables: Tables) -> Estimate:
    """Percentage of the separations of AB1 larger than AB2 (design: 20 mas). For its error see `ab2`."""
    values, star = _flat(tables)
    outside = values > AB2_DESIGN
    return Estimate(
        100 * float(np.mean(outside)), len(outside), 100 * fraction_error(outside, partial(mean_error, cluster=star))
    )


def _flat(tables: Tables) -> tuple[Floats, Ints]:
    found = visit_separations(tables)
    pair, star = np.nonzero(np.isfinite(found.values))
    require(len(pair), FEWEST, f"separations of stars between {REFERENCE} and the band")
    return found.values[pair, star], star.astype(np.int64)


_define = partial(
    MetricDefinition,
    family="astrometry",
    citation="LPM-17, Table 19 (astrometry across bands); lsst/faro separations.py, calcRmsDistancesVsRef",
    unit="mas",
    direction=Direction.LOWER,
    bands=("u", "g", "i", "z", "y"),
    reads=("bands",),
    partners=(REFERENCE,),
)
_STARS = (
    "of unresolved sources of magnitude 17 to 21.5 with a median S/N of 50 or more between their position in a visit "
    "of the band and that in a visit in r"
)
METRICS = (
    Metric(
        _define(
            name="AB1",
            title="Astrometry against r",
            definition=f"Mean over pairs of visits of the standard deviation over stars of the separations {_STARS}.",
        ),
        ab1,
    ),
    Metric(
        _define(
            name="AB2",
            title="Astrometry against r, outlier limit",
            definition=f"Separation exceeded by 10 % of the separations {_STARS}.",
        ),
        ab2,
    ),
    Metric(
        _define(
            name="ABF1",
            title="Astrometry against r, outlier fraction",
            definition=f"Percentage larger than 20 mas of the separations {_STARS}.",
            unit="%",
        ),
        abf1,
    ),
)
