"""Pairs of stars visit by visit: the compiled way equals the formula, and neither order nor place matters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")
pytest.importorskip("scipy")

from qa.errors import MissingExtraError
from qa.metrics import METRICS, Tables, separations
from qa.metrics.astrometry import STARS, separation_scatter
from qa.metrics.base import CannotMeasureError
from qa.metrics.groups import Catalog
from qa.metrics.separations import find_pairs, separation_deviations
from qa.metrics.sphere import to_angles, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astropy.table import Table
    from conftest import Field

    from qa.metrics.base import Estimate

pytestmark = pytest.mark.pipeline
RELAXED = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def as_if_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take every catalogue for a large one."""
    for module in ("qa.metrics.separations", "qa.metrics.groups"):
        monkeypatch.setattr(f"{module}.LARGE", 0)
    monkeypatch.setattr(separations, "DENSE", 0)
    monkeypatch.setattr(separations, "FEW_STARS", 0)
    yield
    monkeypatch.undo()


def _patchy(field: Field, seed: int, *, stars: int = 60, visits: int = 9) -> Table:
    """Return stars of which each detection is missing with a chance of a third."""
    matched = field.but(seed=seed, stars=stars, visits=visits, scatter_mas=10.0, size_arcmin=9.0).draw()
    return matched[np.random.default_rng(seed).random(len(matched)) < 2 / 3]


def _am1(table: Table) -> Estimate:
    return separation_scatter(Tables(matched=table), distance=5.0, name="AM1")


@RELAXED
@given(seed=st.integers(0, 1000))
def test_the_way_of_large_catalogues_is_the_way_of_small_ones(field: Field, seed: int) -> None:
    """The same pairs, and scatters, deviations and errors equal to 1e-6."""
    matched = _patchy(field, seed)
    small = _am1(matched)
    limit = separation_deviations(Tables(matched=matched), STARS, distance=5.0, name="AD1")
    with pytest.MonkeyPatch.context() as patch:
        for module in ("qa.metrics.separations", "qa.metrics.groups"):
            patch.setattr(f"{module}.LARGE", 0)
        patch.setattr(separations, "DENSE", 0)
        patch.setattr(separations, "FEW_STARS", 0)
        large = _am1(matched)
        other = separation_deviations(Tables(matched=matched), STARS, distance=5.0, name="AD1")
    assert large.n == small.n
    assert large.value == pytest.approx(small.value, rel=1e-6)
    assert large.stderr == pytest.approx(small.stderr, rel=0.05)
    assert np.sort(other.values) == pytest.approx(np.sort(limit.values), abs=1e-4)


@RELAXED
@given(seed=st.integers(0, 1000), ra=st.floats(0, 360), dec=st.one_of(st.just(90.0), st.floats(-90, 90)))
def test_a_large_catalogue_may_be_shuffled_and_turned(
    as_if_large: None, field: Field, seed: int, ra: float, dec: float
) -> None:
    """Neither the order of rows nor the place on the sky matters: across right ascension 0 and at the poles, too."""
    matched = field.but(stars=60, visits=6, scatter_mas=10.0, size_arcmin=9.0, ra=0.0, dec=0.0).draw()
    lon, lat = np.radians(ra), np.radians(dec)
    tilt = np.array([[np.cos(lat), 0, -np.sin(lat)], [0, 1, 0], [np.sin(lat), 0, np.cos(lat)]])
    turn = np.array([[np.cos(lon), -np.sin(lon), 0], [np.sin(lon), np.cos(lon), 0], [0, 0, 1]])
    turned = matched[np.random.default_rng(seed).permutation(len(matched))]
    angles = to_angles(unit_vectors(np.radians(turned["ra"]), np.radians(turned["dec"])) @ (turn @ tilt).T)
    turned["ra"], turned["dec"] = np.degrees(angles[0]), np.degrees(angles[1])
    one, two = _am1(matched), _am1(turned)
    assert two.n == one.n
    assert two.value == pytest.approx(one.value, rel=1e-4)


def test_the_order_of_rows_changes_no_digit_of_a_large_catalogue(as_if_large: None, field: Field) -> None:
    """Values, numbers and errors are the same to the last bit."""
    matched = _patchy(field, 3)
    shuffled = matched[np.random.default_rng(1).permutation(len(matched))]
    assert _am1(shuffled) == _am1(matched)


@pytest.mark.parametrize("large", [False, True])
def test_detections_without_a_position_are_not_seen(
    request: pytest.FixtureRequest, field: Field, *, large: bool
) -> None:
    """Leaving them out is the same, also where a star has no other; all of them are a reason."""
    if large:
        request.getfixturevalue("as_if_large")
    matched = _patchy(field, 4)
    unknown = np.random.default_rng(4).random(len(matched)) < 0.1
    unknown |= matched["object"] == 12
    without = _am1(matched[~unknown])
    matched["ra"][unknown] = np.nan
    found = _am1(matched)
    assert (found.value, found.n) == (pytest.approx(without.value, rel=1e-9), without.n)
    matched["dec"] = np.nan
    with pytest.raises(CannotMeasureError, match=r"none of the .* stars .* has a position"):
        _am1(matched)


def test_too_many_pairs_are_thinned_and_the_error_grows(
    as_if_large: None, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share gives a value within its error; its number is what was measured."""
    matched = field.but(stars=150, visits=4, scatter_mas=10.0).draw()
    every = _am1(matched)
    monkeypatch.setattr(separations, "MOST_PAIRS", every.n // 3)
    share = _am1(matched)
    assert every.n / 6 < share.n <= every.n / 3
    assert every.stderr is not None
    assert share.stderr is not None
    assert share.stderr > every.stderr
    assert abs(share.value - every.value) < 3 * share.stderr


def test_the_error_of_a_share_is_its_scatter_over_skies(
    as_if_large: None, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dyadic error covers what thinning adds."""
    monkeypatch.setattr(separations, "MOST_PAIRS", 150)
    estimates = [_am1(field.but(seed=seed, stars=60, visits=3, scatter_mas=10.0).draw()) for seed in range(60)]
    errors = [estimate.stderr for estimate in estimates if estimate.stderr is not None]
    assert np.std([estimate.value for estimate in estimates]) == pytest.approx(np.mean(errors), rel=0.35)


def test_separations_are_bounded_too(as_if_large: None, field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs are thinned so that their visits are not more than so many."""
    matched = field.but(stars=100, visits=20, scatter_mas=10.0).draw()
    monkeypatch.setattr(separations, "MOST_SEPARATIONS", 5000)
    found = separation_deviations(Tables(matched=matched), STARS, distance=5.0, name="AD1")
    assert 1000 < len(found.values) <= 5000


def test_metrics_that_share_a_catalogue_share_its_stars(field: Field) -> None:
    """The positions are put together once."""
    catalog = Catalog(field.but(scatter_mas=10.0).draw())
    tables = Tables(matched=catalog)
    one = find_pairs(tables, STARS, distance=5.0, name="AM1")
    two = find_pairs(tables, STARS, distance=3.0, name="AM0")
    assert two.stars is one.stars


def test_each_scale_has_its_own_design_values(field: Field) -> None:
    """AF3 counts deviations over 30 mas, AF2 those over 20, as LPM-17, Table 18, says."""
    matched = field.but(scatter_mas=14.0, size_arcmin=300.0, stars=1200).draw()
    tables = Tables(matched=Catalog(matched), band="r")
    for number, distance, limit in ((2, 20.0, 20.0), (3, 200.0, 30.0)):
        values = separation_deviations(tables, STARS, distance=distance, name="AF").values
        estimate = METRICS[f"AF{number}"].estimate
        assert estimate is not None
        assert estimate(tables).value == pytest.approx(100 * np.mean(np.abs(values) > limit))
        threshold = METRICS[f"AD{number}"].estimate
        assert threshold is not None
        assert threshold(tables).value == pytest.approx(np.percentile(values, 90))


def test_without_numba_a_large_catalogue_says_what_to_install(
    as_if_large: None, field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ordinary ones are measured without."""
    matched = field.but(scatter_mas=10.0).draw()
    for name in ("kernels", "tangent"):
        monkeypatch.setitem(sys.modules, f"qa.metrics.{name}", None)
    with pytest.raises(MissingExtraError, match=r"obsqa\[pipeline\]"):
        _am1(matched)
    monkeypatch.setattr(separations, "LARGE", 1000_000)
    monkeypatch.setattr(separations, "DENSE", 4_000_000)
    monkeypatch.setattr(separations, "FEW_STARS", 2000)
    assert _am1(matched).n > 0
