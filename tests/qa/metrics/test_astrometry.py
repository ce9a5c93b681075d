"""AM, AD, AF and AA on stars of known scatter, and the bias against truth."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from qa.metrics import METRICS, Tables
from qa.metrics.astrometry import aa1, ad1, af1, astrometric_bias, separation_scatter
from qa.metrics.base import CannotMeasureError
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from astropy.table import Table
    from conftest import Field

    from qa.metrics import Estimate

pytestmark = pytest.mark.pipeline
SIGMA = 10.0
SCOPE = Scope("hsc", "twin", "r")


def _noisy(field: Field, **changes: float) -> Tables:
    return Tables(matched=field.but(**{"scatter_mas": SIGMA, **changes}).draw())


def am1(tables: Tables) -> Estimate:
    """AM1."""
    return separation_scatter(tables, distance=5.0, name="AM1")


@pytest.mark.parametrize("visits", [3, 8])
def test_am1_is_root_two_times_the_scatter_of_a_star(field: Field, visits: int) -> None:
    """A separation has the errors of two stars; the sample's median standard deviation follows from chi."""
    estimate = am1(_noisy(field, visits=visits))
    chi = np.random.default_rng(0).normal(size=(100_000, visits)).std(axis=1, ddof=1)
    assert estimate.stderr is not None
    assert abs(estimate.value - SIGMA * math.sqrt(2) * np.median(chi)) < 3 * estimate.stderr
    assert estimate.stderr < 0.1 * SIGMA


def test_am1_s_standard_error_is_the_scatter_over_skies(field: Field) -> None:
    """Pairs share stars: the error is several times that of independent pairs, and right."""
    estimates = [am1(_noisy(field, seed=seed, stars=60, visits=3)) for seed in range(60)]
    errors = [estimate.stderr for estimate in estimates if estimate.stderr is not None]
    assert np.std([estimate.value for estimate in estimates]) == pytest.approx(np.mean(errors), rel=0.35)


def test_ad1_and_af1_follow_from_the_scatter(field: Field) -> None:
    """For many visits the deviations are |normal| less their median, in units of root two sigma."""
    tables = _noisy(field, visits=25, stars=150)
    unit = SIGMA * math.sqrt(2)
    limit = ad1(tables)
    assert limit.value == pytest.approx(unit * (1.6449 - 0.6745), rel=0.05)
    assert limit.stderr is not None
    assert limit.stderr < 0.05 * unit
    outside = af1(tables)
    assert outside.value == pytest.approx(100 * math.erfc((20 / unit + 0.6745) / math.sqrt(2)), abs=1.0)


@settings(max_examples=10)
@given(ra=st.floats(0, 360), dec=st.floats(-80, 80), seed=st.integers(0, 100))
def test_the_place_on_the_sky_and_the_order_of_rows_do_not_matter(
    field: Field, ra: float, dec: float, seed: int
) -> None:
    """Turning the sky leaves separations as they are, also across right ascension 0."""
    matched = field.but(stars=50, visits=4, scatter_mas=SIGMA, size_arcmin=8.0, ra=180.0, dec=0.0).draw()
    turned = _turned(matched, ra, dec)[np.random.default_rng(seed).permutation(len(matched))]
    for metric in (am1, ad1, af1):
        one, two = metric(Tables(matched=matched)), metric(Tables(matched=turned))
        # Degrees as float64 hold positions to 1e-7 mas; a deviation near the limit of AF1 may change sides.
        assert two.value == pytest.approx(one.value, rel=1e-4, abs=0.2 if metric is af1 else 0)
        assert two.n == one.n


def _turned(matched: Table, ra: float, dec: float) -> Table:
    from qa.metrics.sphere import to_angles, unit_vectors

    lon, lat = np.radians(ra - 180.0), np.radians(dec)
    tilt = np.array([[np.cos(lat), 0, np.sin(lat)], [0, 1, 0], [-np.sin(lat), 0, np.cos(lat)]])
    turn = np.array([[np.cos(lon), -np.sin(lon), 0], [np.sin(lon), np.cos(lon), 0], [0, 0, 1]])
    table = matched.copy()
    angles = to_angles(unit_vectors(np.radians(matched["ra"]), np.radians(matched["dec"])) @ (turn @ tilt).T)
    table["ra"], table["dec"] = np.degrees(angles[0]), np.degrees(angles[1])
    return table


def test_radian_columns_are_taken_as_they_are(field: Field) -> None:
    """A column with the unit rad is not converted."""
    matched = field.but(scatter_mas=SIGMA).draw()
    other = matched.copy()
    for name in ("ra", "dec"):
        other[name] = np.radians(other[name])
        other[name].unit = "rad"
    assert am1(Tables(matched=other)).value == am1(Tables(matched=matched)).value


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("AM2", r"AM2 needs pairs 20 arcmin apart; the field spans 16.6 arcmin"),
        ("AM3", r"AM3 needs pairs 200 arcmin apart; the field spans 16.6 arcmin"),
    ],
)
def test_a_field_too_small_is_the_reason(field: Field, name: str, reason: str) -> None:
    """The reason names the distance needed and the one there is."""
    result = METRICS[name](_noisy(field), SCOPE)
    assert isinstance(result, Unmeasured)
    assert re.fullmatch(reason, result.reason)


def test_am2_is_measured_where_the_field_is_large_enough(field: Field) -> None:
    """20 arcmin fit into half a degree."""
    result = METRICS["AM2"](_noisy(field, size_arcmin=30.0), SCOPE)
    assert isinstance(result, Measurement)
    assert result.unit == "mas"


def test_few_pairs_are_a_reason(field: Field) -> None:
    """Five stars have no ten pairs; one visit has no scatter."""
    with pytest.raises(CannotMeasureError, match="at least 10 pairs 5 arcmin apart among 4 unflagged stars"):
        am1(_noisy(field, stars=4, size_arcmin=7.0))
    with pytest.raises(CannotMeasureError, match="at least 10 separations"):
        ad1(_noisy(field, visits=2))


def test_of_two_detections_in_one_visit_the_first_counts(field: Field) -> None:
    """A duplicate, however wrong, does not enter as a second position."""
    matched = field.but(scatter_mas=SIGMA).draw()
    before = am1(Tables(matched=matched))
    matched.add_row(matched[4])
    matched["mag"][-1] += 0.001
    assert am1(Tables(matched=matched)).value == before.value


def test_aa1_is_the_median_offset_in_the_worse_coordinate(field: Field) -> None:
    """A reference 30 mas off in declination gives 30; stars without a counterpart do not count."""
    matched = _noisy(field, scatter_mas=1.0).matched
    matched["ref_dec"] -= 30 / 3.6e6
    matched["ref_ra"][:500] = np.nan
    matched["ref_dec"][:500] = np.nan
    estimate = aa1(Tables(matched=matched))
    assert estimate.n == 200
    assert estimate.stderr is not None
    assert abs(estimate.value - 30) < 4 * estimate.stderr


def test_without_a_reference_aa1_says_so(field: Field) -> None:
    """No counterpart at all is a reason, not a NaN."""
    matched = field.draw()
    matched["ref_ra"] = np.nan
    with pytest.raises(CannotMeasureError, match="counterpart in the reference catalogue are needed, and there are 0"):
        aa1(Tables(matched=matched))


def test_the_bias_is_the_length_of_the_offset_put_in(truth: Table, objects: Table) -> None:
    """30 mas east and 40 mas north are 50 mas."""
    rng = np.random.default_rng(5)
    objects["ra"] += (30 + rng.normal(0, 10, len(objects))) / 3.6e6 / np.cos(np.radians(objects["dec"]))
    objects["dec"] += (40 + rng.normal(0, 10, len(objects))) / 3.6e6
    estimate = astrometric_bias(Tables(objects=objects, truth_coverage=truth))
    assert estimate.stderr is not None
    assert abs(estimate.value - 50) < 3 * estimate.stderr
    assert estimate.stderr == pytest.approx(10 * math.sqrt(math.pi / 2 / 2000), rel=0.35)
