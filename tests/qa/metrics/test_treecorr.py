"""The approximate correlation function beside the sum over all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from qa.metrics import Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.sphere import ARCMIN, pairs_between, separation
from qa.metrics.treecorr import Binning, stack_correlation, xi_plus

if TYPE_CHECKING:
    from conftest import Field
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

pytestmark = pytest.mark.pipeline


def scene(count: int, seed: int, *, dec: float = 0.01) -> tuple[Floats, Floats, NDArray[np.complex128]]:
    """Return positions within 10 arcmin and ellipticities that vary smoothly and are noisy."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-5, 5, (2, count))
    values = 0.02 * np.cos(x / 3) + 0.02j * np.sin(y / 4) + rng.normal(0, 0.005, (2, count)).T @ [1, 1j]
    return 2.0 + x * ARCMIN / np.cos(dec), dec + y * ARCMIN, values


def brute(ra: Floats, dec: Floats, values: NDArray[np.complex128], binning: Binning) -> tuple[Floats, Floats]:
    """Sum over all pairs, without turning the ellipticities; as in the tree, separations are chords."""
    first, second = pairs_between(ra, dec, binning.low * ARCMIN, binning.high * ARCMIN)
    apart = 2 * np.sin(separation(ra[first], dec[first], ra[second], dec[second]) / 2) / ARCMIN
    place = (np.log(apart / binning.low) / binning.width).astype(np.int64)
    pairs = np.bincount(place, minlength=binning.bins).astype(np.float64)
    products = np.bincount(place, (values[first] * values[second].conj()).real, minlength=binning.bins)
    return products / np.where(pairs > 0, pairs, np.nan), pairs


@given(count=st.integers(2, 80), seed=st.integers(0, 100))
@example(count=40, seed=40)  # a pair whose chord and arc lie in different bins
@settings(max_examples=15)
def test_without_tolerance_it_is_the_sum_over_all_pairs(count: int, seed: int) -> None:
    """Pair by pair and bin by bin; ellipticities are kept in single precision."""
    ra, dec, values = scene(count, seed)
    binning = Binning(bins=8, low=0.25, high=8.0, slop=0.0)
    _, xi, pairs = xi_plus(ra, dec, values, binning)
    expected, counted = brute(ra, dec, values, binning)
    assert pairs.tolist() == counted.tolist()
    assert xi == pytest.approx(expected, rel=1e-4, abs=1e-8, nan_ok=True)


def test_with_tolerance_pairs_change_bins_and_none_is_lost() -> None:
    """The number of pairs within the bins stays within a few percent, and so does the correlation."""
    ra, dec, values = scene(400, 5)
    exact = xi_plus(ra, dec, values, Binning(slop=0.0))
    close = xi_plus(ra, dec, values, Binning())
    assert close[2].sum() == pytest.approx(exact[2].sum(), rel=0.02)
    assert not np.array_equal(close[2], exact[2])
    many = exact[2] > 500
    assert close[1][many] == pytest.approx(exact[1][many], rel=0.1)
    assert close[0][many] == pytest.approx(exact[0][many], rel=0.03)


def test_stars_at_one_place_are_one_cell() -> None:
    """Duplicates neither fail nor pair with each other."""
    ra, dec = np.array([2.0] * 12 + [2.0 + ARCMIN]), np.zeros(13)
    _, xi, pairs = xi_plus(ra, dec, np.full(13, 0.1 + 0j), Binning(bins=4, low=0.5, high=2.0))
    assert pairs.sum() == 12
    assert np.nanmax(np.abs(xi - 0.01)) < 1e-7


def test_no_stars_have_no_pairs() -> None:
    """All bins are empty."""
    nothing = np.zeros(0)
    radius, xi, pairs = xi_plus(nothing, nothing, nothing.astype(np.complex128), Binning(bins=3))
    assert np.isnan(radius).all()
    assert np.isnan(xi).all()
    assert pairs.tolist() == [0, 0, 0]


def test_the_stack_takes_the_median_over_visits(field: Field) -> None:
    """A common residual of e has the correlation e squared at all separations."""
    matched = field.but(stars=200, visits=3).draw()
    matched["e1"] = np.where(np.asarray(matched["visit"]) == 900, 0.5, 0.01)
    matched["psf_e2"] = 0.02
    for limits in ({"high": 1.0}, {"low": 5.0}):
        estimate = stack_correlation(Tables(matched=matched), **limits)
        assert estimate.value == pytest.approx(0.01**2 + 0.02**2, rel=1e-5)


def test_few_stars_are_a_reason(field: Field) -> None:
    """The stack asked for more than fifty groups."""
    with pytest.raises(CannotMeasureError, match=r"at least 50 unflagged stars .* and there are 20"):
        stack_correlation(Tables(matched=field.but(stars=20).draw()), high=1.0)
