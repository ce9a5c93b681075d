"""Separations, neighbours and pairs on the sphere."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy")

from qa.errors import MissingExtraError
from qa.metrics.sphere import ARCMIN, MAS, nearest, offsets, pairs_between, separation, span, to_angles, unit_vectors

pytestmark = pytest.mark.pipeline


def _patch(seed: int, *, ra: float, dec: float, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    decs = dec + rng.uniform(-10, 10, count) * ARCMIN
    return (ra + rng.uniform(-10, 10, count) * ARCMIN / np.cos(decs)) % (2 * np.pi), decs


@given(st.integers(0, 100), st.floats(0, 6.28), st.floats(-1.4, 1.4))
def test_pairs_are_those_of_comparing_all(seed: int, ra: float, dec: float) -> None:
    """The tree finds exactly the pairs that a comparison of all with all finds, also across right ascension 0."""
    ras, decs = _patch(seed, ra=ra, dec=dec)
    first, second = np.triu_indices(len(ras), 1)
    apart = separation(ras[first], decs[first], ras[second], decs[second])
    keep = (apart >= 4 * ARCMIN) & (apart < 6 * ARCMIN)
    found = pairs_between(ras, decs, 4 * ARCMIN, 6 * ARCMIN)
    assert np.array_equal(found[0], first[keep])
    assert np.array_equal(found[1], second[keep])


@given(st.floats(0, 6.28), st.floats(-1.5, 1.5))
def test_vectors_and_angles_are_inverse(ra: float, dec: float) -> None:
    """To vectors and back is the same place."""
    back = to_angles(unit_vectors(np.array([ra]), np.array([dec])))
    assert separation(np.array([ra]), np.array([dec]), *back)[0] < 1e-4 * MAS


def test_nearest_takes_the_nearest_within_the_tolerance() -> None:
    """The nearer of two is taken; nobody within the tolerance is -1; an empty list of others is no error."""
    zero = np.zeros(2)
    ra = np.array([0.0, 1.0])
    assert list(nearest(ra, zero, np.array([3e-6, -1e-6]), zero, tolerance=5e-6)) == [1, -1]
    assert list(nearest(ra, zero, np.zeros(0), np.zeros(0), tolerance=5e-6)) == [-1, -1]


def test_offsets_are_small_across_right_ascension_zero() -> None:
    """East is positive, also where right ascension wraps."""
    east, north = offsets(np.array([1e-8]), np.array([1e-8]), np.array([2 * np.pi - 1e-8]), np.array([0.0]))
    assert east[0] == pytest.approx(2e-8, rel=1e-6)
    assert north[0] == pytest.approx(1e-8)


@given(st.integers(0, 50), st.floats(0, 6.28), st.floats(-1.2, 1.2))
def test_span_is_the_largest_separation(seed: int, ra: float, dec: float) -> None:
    """To one per cent."""
    ras, decs = _patch(seed, ra=ra, dec=dec)
    first, second = np.triu_indices(len(ras), 1)
    largest = separation(ras[first], decs[first], ras[second], decs[second]).max()
    assert 0.99 * largest <= span(ras, decs) <= largest * (1 + 1e-12)


def test_without_scipy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbours need the extra `pipeline`."""
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    with pytest.raises(MissingExtraError, match=r"obsqa\[pipeline\]"):
        nearest(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1), tolerance=1e-6)
