from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from hypothesis import given, settings
from hypothesis import strategies as st

from qa.drp.algorithms.moments import adaptive_moments
from qa.drp.algorithms.psf_profile import (
    REACH,
    STEPS_PER_SIGMA,
    add_shifted,
    core_of,
    cubic,
    draw_stamp,
    profile_table,
)

pytestmark = pytest.mark.pipeline

NOTHING, PLAIN = np.zeros((1, 1)), np.eye(2)


@pytest.mark.parametrize("beta", [2.0, 2.5, 3.5, 6.0, 12.0])
def test_profile_has_unit_flux_and_unit_adaptive_moments(beta: float) -> None:
    """Drawn at sigma = 2 px, the light and the adaptive moments are those asked for, whatever the exponent."""
    stamp = np.zeros((97, 97))
    draw_stamp(stamp, 48.3, 47.8, PLAIN, np.array([4.4, 3.6, 0.3]), profile_table(beta), NOTHING, 1.0)
    image = stamp.astype(np.float32)
    found = adaptive_moments(
        image, np.ones_like(image), x=np.array([48.0]), y=np.array([48.0]), sigma=np.array([2.0])
    )  # fmt: skip
    beyond = (1 + REACH**2 / core_of(beta)) ** (1 - beta)
    assert stamp.sum() == pytest.approx(1 - beyond, abs=3e-3)
    assert [found.xx[0], found.yy[0], found.xy[0]] == pytest.approx([4.4, 3.6, 0.3], abs=5e-3)
    assert [found.x[0], found.y[0]] == pytest.approx([48.3, 47.8], abs=1e-3)


def test_table_is_that_of_a_moffat_profile() -> None:
    """Between the core and the reach the table falls as (1 + q^2 / core)^-beta, and ends with zero."""
    table, core = profile_table(3.5), core_of(3.5)
    q = np.arange(len(table) - 2) / STEPS_PER_SIGMA
    assert np.allclose(table[:-2] / table[0], (1 + q**2 / core) ** -3.5)
    assert (table[-2:] == 0).all()


def test_jacobian_turns_and_stretches() -> None:
    """On pixels half as wide, turned by 90 degrees, a PSF has four times the moments, its axes change places."""
    stamp = np.zeros((121, 121))
    turned = np.array([[0.0, -0.5], [0.5, 0.0]])
    draw_stamp(stamp, 60.0, 60.0, turned, np.array([4.4, 3.6, 0.0]), profile_table(3.5), NOTHING, 4.0)
    image = stamp.astype(np.float32)
    middle = np.array([60.0])
    found = adaptive_moments(image, np.ones_like(image), x=middle, y=middle, sigma=np.array([4.0]))
    assert [found.xx[0], found.yy[0]] == pytest.approx([4 * 3.6, 4 * 4.4], rel=2e-3)
    assert stamp.sum() == pytest.approx(4 * 0.997, rel=5e-3)


def test_residual_is_added_around_the_centre() -> None:
    """Residual pixels appear where the PSF is centred, scaled by its flux, on the same pixels as they are given."""
    residual = np.zeros((7, 7))
    residual[2, 4] = 0.01
    shape, table = np.array([4.0, 4.0, 0.0]), profile_table(3.5)
    with_it, without = np.zeros((21, 21)), np.zeros((21, 21))
    draw_stamp(with_it, 10.0, 10.0, PLAIN, shape, table, residual, 3.0)
    draw_stamp(without, 10.0, 10.0, PLAIN, shape, table, NOTHING, 3.0)
    expected = np.zeros((21, 21))
    expected[9, 11] = 0.03
    assert np.allclose(with_it - without, expected, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.floats(-3, 12), st.floats(-3, 12))
def test_cubic_interpolation_is_exact_for_parabolas(x: float, y: float) -> None:
    """Inside, the interpolation reproduces polynomials of second order; far outside it gives zero."""
    v, u = np.mgrid[:9, :9].astype(np.float64)
    plane = 1 + 0.3 * u - 0.2 * v + 0.05 * u * v + 0.02 * u**2
    inside = 1 <= x <= 7 and 1 <= y <= 7
    if inside:
        assert cubic(plane, x, y) == pytest.approx(1 + 0.3 * x - 0.2 * y + 0.05 * x * y + 0.02 * x**2)
    if min(x, y) < -2 or max(x, y) > 10:
        assert cubic(plane, x, y) == 0


@settings(deadline=None, max_examples=40)
@given(st.floats(-4, 6), st.floats(-4, 6))
def test_shifting_a_plane_is_interpolating_each_pixel(x: float, y: float) -> None:
    """The fast shift gives what interpolation pixel by pixel gives, also across the edges."""
    plane = np.random.default_rng(1).normal(size=(7, 9))
    out = np.zeros((8, 6))
    add_shifted(out, plane, x, y)
    expected = np.array([[cubic(plane, i + x, j + y) for i in range(6)] for j in range(8)])
    assert np.allclose(out, expected, atol=1e-12)
