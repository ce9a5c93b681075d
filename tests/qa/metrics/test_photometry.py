"""PA1, PA2 and PF1 on stars of known scatter, and the bias against truth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.metrics import Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.photometry import pa1, pa2, pf1, photometric_bias

if TYPE_CHECKING:
    from astropy.table import Table
    from conftest import Field

SIGMA = 10.0


def _noisy(field: Field, **changes: float) -> Tables:
    return Tables(matched=field.but(**{"scatter_mmag": SIGMA, **changes}).draw())


def _median_spread(visits: int) -> float:
    """Return the median of a sample's standard deviation (divided by n) in units of sigma, from many draws."""
    return float(np.median(np.random.default_rng(0).normal(size=(100_000, visits)).std(axis=1)))


@pytest.mark.parametrize("visits", [3, 5, 20])
def test_pa1_is_the_scatter_of_the_magnitudes(field: Field, visits: int) -> None:
    """Normal scatter gives its known median spread, within three standard errors."""
    estimate = pa1(_noisy(field, visits=visits))
    assert estimate.n == 300
    assert estimate.stderr is not None
    assert abs(estimate.value - SIGMA * _median_spread(visits)) < 3 * estimate.stderr
    assert estimate.stderr < 0.1 * SIGMA


def test_pa1_s_standard_error_is_the_scatter_over_skies(field: Field) -> None:
    """Over many skies PA1 scatters as its standard error says."""
    estimates = [pa1(_noisy(field, seed=seed, stars=100)) for seed in range(60)]
    errors = [estimate.stderr for estimate in estimates if estimate.stderr is not None]
    assert np.std([estimate.value for estimate in estimates]) == pytest.approx(np.mean(errors), rel=0.3)


def test_pa2_is_the_normal_s_ninety_per_cent_point(field: Field) -> None:
    """Nine tenths of normal deviates lie within 1.645 sigma, whatever the number of visits."""
    for visits in (2, 6):
        estimate = pa2(_noisy(field, visits=visits, stars=1000))
        assert estimate.stderr is not None
        assert abs(estimate.value - 1.6449 * SIGMA) < 3 * estimate.stderr
        assert estimate.n == 1000 * math.comb(visits, 2)


def test_pa2_of_very_many_pairs_takes_an_even_share(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every so many-th distance between two detections of a star; the value stays within its error."""
    tables = _noisy(field, visits=30, stars=200)
    every = pa2(tables)
    monkeypatch.setattr("qa.metrics.photometry.MOST_PAIRS", every.n // 5)
    share = pa2(tables)
    assert every.n / 7 < share.n < every.n / 3
    assert share.stderr is not None
    assert abs(share.value - every.value) < 3 * share.stderr
    assert abs(share.value - 1.6449 * SIGMA) < 3 * share.stderr


def test_pf1_is_the_normal_s_tail(field: Field) -> None:
    """15 mmag is 1.5 sigma sqrt(n / (n - 1)) for residuals about the mean of n."""
    estimate = pf1(_noisy(field, visits=5, stars=1000))
    expected = 100 * math.erfc(1.5 * math.sqrt(5 / 4) / math.sqrt(2))
    assert estimate.stderr is not None
    assert abs(estimate.value - expected) < 3 * estimate.stderr


def test_pf1_allows_more_in_u_z_and_y(field: Field) -> None:
    """The limit is 22.5 mmag there."""
    matched = _noisy(field).matched
    assert pf1(Tables(matched=matched, band="y")).value < 0.4 * pf1(Tables(matched=matched, band="r")).value


@settings(max_examples=10)
@given(offset=st.floats(-5, 5), seed=st.integers(0, 100))
def test_a_common_offset_and_the_order_of_rows_do_not_matter(field: Field, offset: float, seed: int) -> None:
    """Repeatability is about differences, and a table is a set of rows."""
    matched = field.but(stars=40, scatter_mmag=SIGMA).draw()
    other = matched[np.random.default_rng(seed).permutation(len(matched))]
    other["mag"] = other["mag"] + offset
    for metric in (pa1, pa2, pf1):
        one, two = metric(Tables(matched=matched)), metric(Tables(matched=other))
        assert two.value == pytest.approx(one.value, rel=1e-9)
        assert two.stderr == pytest.approx(one.stderr, rel=1e-6)
        assert two.n == one.n


def test_a_perfect_field_measures_zero(field: Field) -> None:
    """No scatter, no deviation - and still no certainty about the fraction."""
    tables = Tables(matched=field.draw())
    assert pa1(tables).value == pytest.approx(0, abs=1e-9)
    assert pa2(tables).value == 0
    estimate = pf1(tables)
    assert estimate.value == 0
    assert estimate.stderr is not None
    assert estimate.stderr > 0


def test_two_visits_are_too_few_for_pa1(field: Field) -> None:
    """The reason counts the stars that have three."""
    with pytest.raises(
        CannotMeasureError, match=r"at least 10 .* seen in 3 visits or more are needed, and there are 0"
    ):
        pa1(_noisy(field, visits=2))


def test_nine_stars_are_too_few(field: Field) -> None:
    """Ten are the fewest."""
    for metric in (pa1, pa2, pf1):
        with pytest.raises(CannotMeasureError, match="there are 9"):
            metric(_noisy(field, stars=9))
        assert metric(_noisy(field, stars=10)).n >= 10


@pytest.mark.pipeline
def test_the_bias_is_the_offset_put_in(truth: Table, objects: Table) -> None:
    """Objects 7 mmag too faint have a bias of +7 mmag; galaxies, flagged and crowded ones have no say."""
    pytest.importorskip("scipy")
    objects["mag"] += 0.007 + np.random.default_rng(5).normal(0, 0.01, len(objects))
    objects["mag"][:500] += 1.0
    objects["flag"][:200] = True
    objects["extendedness"][200:300] = 1.0
    objects["snr"][300:400] = 20.0
    truth["isolated"][400:500] = False
    estimate = photometric_bias(Tables(objects=objects, truth_coverage=truth))
    assert estimate.n == 1500
    assert estimate.stderr is not None
    assert abs(estimate.value - 7) < 3 * estimate.stderr
    assert estimate.stderr == pytest.approx(10 * math.sqrt(math.pi / 2 / 1500), rel=0.35)
