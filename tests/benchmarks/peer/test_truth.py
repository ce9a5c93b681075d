from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("galsim")
truth = pytest.importorskip("benchmarks.peer.truth", reason="benchmarks are in a checkout, not in the wheel")
table = pytest.importorskip("benchmarks.peer.table")

pytestmark = pytest.mark.pipeline


def test_half_of_the_sources_are_found_at_the_half_magnitude() -> None:
    """The magnitude of 50 % completeness is recovered, also from few of the sources."""
    rng = np.random.default_rng(1)
    mag = rng.uniform(22, 26, 4000)
    found = rng.uniform(size=4000) < 1 / (1 + np.exp(4 * (mag - 24.3)))
    assert truth.half_magnitude(mag, found) == pytest.approx(24.3, abs=0.05)
    assert truth.half_magnitude(mag[:400], found[:400]) == pytest.approx(24.3, abs=0.2)


def test_a_faint_neighbour_leaves_a_source_isolated() -> None:
    """Of a close pair the fainter is not isolated, the brighter is if it is much brighter."""
    plane = np.array([[0.0, 0.0], [1.0, 0.0], [50.0, 0.0], [51.0, 0.0]])
    mag = np.array([20.0, 23.0, 20.0, 20.5])
    assert truth.isolated(plane, mag).tolist() == [True, False, False, False]


def test_scatter_is_that_of_a_gaussian_whatever_the_outliers() -> None:
    """A tenth of outliers does not change the scatter much."""
    values = np.random.default_rng(2).normal(5, 2, 5000)
    values[:500] = 1e6
    assert truth.scatter(values) == pytest.approx(2, rel=0.2)


def test_one_seed_has_no_error() -> None:
    """The error of a mean needs two values."""
    assert np.isnan(table.mean([3.0])[1])
    assert table.mean([1.0, 3.0]) == (2.0, pytest.approx(1.0))
