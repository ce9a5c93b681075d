from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from qa.drp.algorithms.stacking import clipped_mean

pytestmark = pytest.mark.pipeline
NOISE = np.ones((4, 5), dtype=np.float32)


@given(st.integers(2, 8), st.integers(0, 999))
def test_without_outliers_it_is_the_mean(number: int, seed: int) -> None:
    """Frames that differ by little noise are averaged, in whatever order."""
    stack = np.random.default_rng(seed).uniform(-1, 1, (number, 4, 5)).astype(np.float32)
    mean, spread = clipped_mean(stack, NOISE)
    np.testing.assert_allclose(mean, stack.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(spread, np.ptp(stack, axis=0), atol=1e-6)
    again, _ = clipped_mean(stack[::-1], NOISE)
    np.testing.assert_allclose(again, mean, atol=1e-6)


@given(st.integers(2, 8), st.floats(10, 1e6))
def test_one_cosmic_ray_leaves_no_trace(number: int, charge: float) -> None:
    """Even of two frames the brighter one is left out where they differ by more than the noise."""
    stack = np.full((number, 4, 5), 3.0, dtype=np.float32)
    stack[number // 2, 1, 2] += np.float32(charge)
    mean, spread = clipped_mean(stack, NOISE)
    np.testing.assert_array_equal(mean, 3.0)
    assert spread[1, 2] == pytest.approx(charge, rel=1e-5)


def test_pixels_without_a_value_stay_without() -> None:
    """NaN does not count, and where there is nothing else the mean is NaN."""
    stack = np.ones((3, 4, 5), dtype=np.float32)
    stack[0, 0, 0] = stack[:, 1, 1] = np.nan
    mean, spread = clipped_mean(stack, NOISE)
    assert mean[0, 0] == 1
    assert np.isnan(mean[1, 1])
    assert np.isnan(mean).sum() == 1
    assert spread[1, 1] == 0
