"""Pairs of large catalogues: the same as those of comparing all with all, and an even share of too many."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from qa.errors import MissingExtraError
from qa.metrics.annulus import thinned_pairs
from qa.metrics.sphere import ARCMIN, separation, to_angles, unit_vectors

pytestmark = pytest.mark.pipeline
DEGREE = 60 * ARCMIN
Angles = tuple[np.ndarray, np.ndarray]


def _around(seed: int, *, ra: float, dec: float, radius: float, count: int = 90) -> Angles:
    """Return positions about a place, anywhere on the sphere."""
    rng = np.random.default_rng(seed)
    shifts = rng.normal(size=(count, 3))
    shifts *= radius * rng.uniform(0, 1, (count, 1)) / np.linalg.norm(shifts, axis=1, keepdims=True)
    return to_angles(unit_vectors(np.array([ra]), np.array([dec])) + shifts)


def _all_pairs(ra: np.ndarray, dec: np.ndarray, low: float, high: float) -> set[tuple[int, int]]:
    first, second = np.triu_indices(len(ra), 1)
    apart = separation(ra[first], dec[first], ra[second], dec[second])
    keep = (low <= apart) & (apart < high)
    return set(zip(first[keep].tolist(), second[keep].tolist(), strict=True))


def _as_set(first: np.ndarray, second: np.ndarray) -> set[tuple[int, int]]:
    pairs = set(zip(np.minimum(first, second).tolist(), np.maximum(first, second).tolist(), strict=True))
    assert len(pairs) == len(first)
    return pairs


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    ra=st.one_of(st.just(0.0), st.floats(0, 6.28)),
    dec=st.one_of(st.sampled_from([-np.pi / 2, 0.0, np.pi / 2]), st.floats(-1.5, 1.5)),
    scale=st.sampled_from(
        [(10 * ARCMIN, 4 * ARCMIN, 6 * ARCMIN), (5 * DEGREE, 2 * DEGREE, 2.1 * DEGREE), (3.0, 0.5, 2.0)]
    ),
)
def test_each_pair_of_the_annulus_is_found_once(
    seed: int, ra: float, dec: float, scale: tuple[float, float, float]
) -> None:
    """Also across right ascension 0, around the poles, and where the annulus is as large as the sky."""
    radius, low, high = scale
    positions = _around(seed, ra=ra, dec=dec, radius=radius)
    found = thinned_pairs(*positions, low, high, identifiers=np.arange(90), most=10_000)
    assert found.one_in == 1
    assert _as_set(found.first, found.second) == _all_pairs(*positions, low, high)


def test_a_whole_circle_is_an_annulus_without_a_hole() -> None:
    """From 0 to beyond half a turn, every star pairs with every other; one star has no pair."""
    positions = _around(1, ra=1.0, dec=0.3, radius=3.0)
    found = thinned_pairs(*positions, 0.0, 4.0, identifiers=np.arange(90), most=10_000)
    assert len(_as_set(found.first, found.second)) == 90 * 89 // 2
    one = (positions[0][:1], positions[1][:1])
    assert len(thinned_pairs(*one, 0.0, 4.0, identifiers=np.arange(1), most=10).first) == 0


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), most=st.integers(1, 400))
def test_of_too_many_pairs_an_even_share_is_taken_whatever_the_order_of_rows(seed: int, most: int) -> None:
    """At most so many, one in a power of two of those there are, and the same stars when the rows are shuffled."""
    ra, dec = _around(7, ra=0.0, dec=1.2, radius=10 * ARCMIN)
    identifiers = 1000 + np.random.default_rng(7).permutation(90)
    everything = _all_pairs(ra, dec, 4 * ARCMIN, 6 * ARCMIN)
    found = thinned_pairs(ra, dec, 4 * ARCMIN, 6 * ARCMIN, identifiers=identifiers, most=most)
    assert _as_set(found.first, found.second) <= everything
    assert len(found.first) <= most
    assert (found.one_in == 1) == (len(everything) <= most)
    order = np.random.default_rng(seed).permutation(90)
    again = thinned_pairs(ra[order], dec[order], 4 * ARCMIN, 6 * ARCMIN, identifiers=identifiers[order], most=most)
    assert _as_set(order[again.first], order[again.second]) == _as_set(found.first, found.second)


def test_the_share_is_even_over_stars() -> None:
    """Of 2000 stars each keeps about one partner in four, as pairs drawn independently would."""
    ra, dec = _around(3, ra=2.0, dec=-0.5, radius=10 * ARCMIN, count=2000)
    every = thinned_pairs(ra, dec, 4 * ARCMIN, 6 * ARCMIN, identifiers=np.arange(2000), most=2_000_000)
    share = thinned_pairs(ra, dec, 4 * ARCMIN, 6 * ARCMIN, identifiers=np.arange(2000), most=len(every.first) // 3)
    assert share.one_in == 4
    of_all, of_share = (np.bincount(np.concatenate(pairs[:2]), minlength=2000) for pairs in (every, share))
    expected = of_all / 4
    excess = (of_share - expected) / np.sqrt(expected * 3 / 4)
    assert abs(excess.mean()) < 0.15
    assert excess.std() == pytest.approx(1, abs=0.15)


def test_without_numba_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs of large catalogues need the extra `pipeline`."""
    monkeypatch.setitem(sys.modules, "qa.metrics.kernels", None)
    with pytest.raises(MissingExtraError, match=r"obsqa\[pipeline\]"):
        thinned_pairs(np.zeros(2), np.zeros(2), 0.0, 1.0, identifiers=np.arange(2), most=5)
