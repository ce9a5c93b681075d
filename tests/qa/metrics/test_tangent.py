"""Offsets on the tangent plane against the haversine formula, and visits by their bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from qa.metrics.separations import Pairs, Stars
from qa.metrics.sphere import MAS, separation, to_angles, unit_vectors
from qa.metrics.tangent import _changes, _offset, common_visits, offsets_from_means

pytestmark = pytest.mark.pipeline
ARCMIN = np.pi / 10800


def _two_stars(seed: int, *, ra: float, dec: float, arcmin: float, mas: float, visits: int = 150) -> Stars:
    """Return two stars so far apart, each seen in two of three visits with normal errors of `mas` per axis."""
    rng = np.random.default_rng(seed)
    # The stars lie about longitude 0 of a frame that is then turned to the place wanted.
    lat, angle = np.pi / 2 - dec, rng.uniform(0, 2 * np.pi)
    lon = np.array([0.0, arcmin * ARCMIN])
    seen = [np.flatnonzero(rng.random(visits) < 2 / 3) for _ in lon]
    star = np.repeat([0, 1], [len(one) for one in seen])
    errors = rng.normal(0, mas * MAS, (2, len(star)))
    vectors = unit_vectors(lon[star] + errors[0], errors[1])
    for axis, turn in ((0, angle), (1, lat - np.pi / 2), (2, ra)):
        vectors = vectors @ _rotation(axis, turn).T
    found_ra, found_dec = to_angles(vectors)
    starts = np.array([0, len(seen[0]), len(star)])
    return Stars(np.arange(2), found_ra, found_dec, np.concatenate(seen), starts, visits)


def _rotation(axis: int, angle: float) -> np.ndarray:
    others = [other for other in range(3) if other != axis]
    matrix = np.eye(3)
    matrix[np.ix_(others, others)] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def _by_haversine(stars: Stars) -> np.ndarray:
    ra, dec = stars.dense()
    apart = separation(ra[0], dec[0], ra[1], dec[1])
    return apart[np.isfinite(apart)] / MAS


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    ra=st.one_of(st.just(0.0), st.floats(0, 6.28)),
    dec=st.floats(-1.5, 1.5),
    arcmin=st.sampled_from([4.0, 6.0, 20.0, 201.0]),
)
def test_separations_change_as_the_haversine_formula_says(seed: int, ra: float, dec: float, arcmin: float) -> None:
    """Errors of 50 mas per axis give the same changes to 1e-5 mas and the rounding of the positions."""
    stars = _two_stars(seed, ra=ra, dec=dec, arcmin=arcmin, mas=50.0)
    found = np.empty(256)
    count = _changes(stars.seen, 0, 1, found)
    expected = _by_haversine(stars)
    assert count == len(expected)
    difference = found[:count] - expected
    assert np.ptp(difference) < 2e-5 + 2 * np.spacing(np.pi) / MAS * 4


def test_far_outliers_are_still_right() -> None:
    """A detection matched half an arcsecond away changes the separation by the right amount."""
    stars = _two_stars(5, ra=1.0, dec=0.9, arcmin=4.0, mas=500.0)
    found = np.empty(256)
    count = _changes(stars.seen, 0, 1, found)
    assert np.ptp(found[:count] - _by_haversine(stars)) < 3e-4


@given(st.floats(-3e-4, 3e-4), st.floats(-3e-4, 3e-4), st.floats(-1.55, 1.55))
def test_the_series_of_offsets_joins_the_sines(east: float, north: float, dec: float) -> None:
    """Both are the orthographic projection, to 1e-4 mas below 20 arcsec."""
    other = np.clip(dec + north, -np.pi / 2, np.pi / 2)
    x, y = _offset(6.28 + east, other, 6.28, dec)
    assert abs(x - np.cos(other) * np.sin(east)) < 1e-4 * MAS + 2e-15
    assert abs(y - (np.sin(other) * np.cos(dec) - np.cos(other) * np.sin(dec) * np.cos(east))) < 1e-4 * MAS + 2e-15


@given(st.integers(0, 100), st.floats(-1.5708, 1.5708), st.sampled_from([0.0, 3.0, 6.2831]))
def test_mean_positions_are_those_of_unit_vectors(seed: int, dec: float, ra: float) -> None:
    """Also across right ascension 0 and at the poles."""
    rng = np.random.default_rng(seed)
    shifts = rng.normal(0, 100 * MAS, (12, 3))
    positions = to_angles(unit_vectors(np.array([ra]), np.array([dec])) + shifts)
    means, offsets = np.empty((1, 2)), np.empty((12, 2), np.float32)
    offsets_from_means(*positions, np.array([0, 12]), means, offsets)
    expected = to_angles(unit_vectors(*positions).mean(axis=0)[np.newaxis])
    assert separation(means[:, 0], means[:, 1], *expected)[0] < 1e-4 * MAS
    assert np.abs(offsets.mean(axis=0)).max() < 1e-3


def test_common_visits_are_counted_across_words() -> None:
    """Visits 63, 64 and 127 lie at the edges of machine words."""
    visit = np.array([0, 63, 64, 127, 149, 1, 63, 64, 127, 128])
    stars = Stars(np.arange(2), np.full(10, 1.0), np.full(10, 0.5), visit, np.array([0, 5, 10]), 150)
    counts = np.empty(1, np.int64)
    common_visits(stars.seen, np.array([0]), np.array([1]), counts)
    assert counts[0] == 3


def test_pairs_never_seen_together_have_no_scatter() -> None:
    """They are left out."""
    visit = np.array([0, 1, 2, 70])
    stars = Stars(np.arange(2), np.array([0.0, 0.0, 0.002, 0.002]), np.zeros(4), visit, np.array([0, 2, 4]), 5_000_000)
    place, _ = Pairs(stars, np.array([0]), np.array([1])).scatter()
    assert len(place) == 0
