from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.moments import Moments
from qa.drp.algorithms.psf import FWHM_PER_SIGMA, ellipticity, fit_psf, polynomials

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = pytest.mark.pipeline

SHAPE = (1000, 1200)


def moments(x: NDArray[np.float64], y: NDArray[np.float64], sigma: NDArray[np.float64], *, e1: float = 0.0) -> Moments:
    """Make sources of given size and ellipticity, S/N 200."""
    count = len(x)
    ok = np.ones(count, dtype=bool)
    error = np.full(count, 0.01)
    xx, yy = sigma**2 * (1 + e1), sigma**2 * (1 - e1)
    return Moments(x, y, xx, yy, np.zeros(count), error, error, np.full(count, 200.0), ok, ~ok)


@pytest.fixture
def places() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Choose a hundred places on the detector."""
    rng = np.random.default_rng(3)
    return rng.uniform(0, 1200, 100), rng.uniform(0, 1000, 100)


def test_model_follows_the_psf(places: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    """A size that grows over the detector is followed to a thousandth."""
    x, y = places
    sigma = 2.0 * np.exp(0.05 * (x / 1200) ** 2 + 0.02 * y / 1000)
    model, stars = fit_psf(moments(x, y, sigma, e1=0.03), np.ones(100, dtype=bool), shape=SHAPE)
    fwhm, e1, e2 = model.at(x, y)
    assert stars.sum() > 95
    assert np.allclose(fwhm, FWHM_PER_SIGMA * sigma * (1 - 0.03**2) ** 0.25, rtol=1e-3)
    assert np.allclose(e1, 0.03, atol=1e-3)
    assert np.allclose(e2, 0.0, atol=1e-3)


def test_galaxies_and_cosmic_rays_are_not_stars(places: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    """Of sources of many sizes the ones that agree are the stars."""
    x, y = places
    rng = np.random.default_rng(4)
    sigma = np.full(100, 2.0) * rng.normal(1, 0.003, 100)
    sigma[:40] = rng.uniform(2.4, 6.0, 40)
    sigma[40:50] = rng.uniform(0.5, 1.0, 10)
    model, stars = fit_psf(moments(x, y, sigma), np.ones(100, dtype=bool), shape=SHAPE)
    assert not stars[:50].any()
    assert stars[50:].sum() >= 45
    assert model.fwhm == pytest.approx(2.0 * FWHM_PER_SIGMA, rel=0.01)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_stars_give_a_lower_order(count: int) -> None:
    """With few stars the model is constant; with none it is a round guess that says so."""
    x = np.linspace(100, 900, count)
    model, stars = fit_psf(moments(x, x, np.full(count, 2.0)), np.ones(count, dtype=bool), shape=SHAPE)
    assert model.order == 0
    assert model.n_stars == stars.sum() == count
    assert model.fwhm == pytest.approx(2.0 * FWHM_PER_SIGMA, rel=1e-6)


def test_ellipticity_of_what_did_not_converge_is_zero() -> None:
    """A source without moments is round, not NaN."""
    source = moments(np.array([1.0]), np.array([1.0]), np.array([2.0]), e1=0.2)
    assert ellipticity(source)[0][0] == pytest.approx(0.2)
    source.converged[:] = False
    assert ellipticity(source)[0][0] == 0


def test_polynomials_are_scaled_to_the_detector() -> None:
    """At the corners all terms are 1 or -1; the constant comes first."""
    basis = polynomials(np.array([0.0, 1199.0]), np.array([0.0, 999.0]), shape=SHAPE, order=2)
    assert basis.shape == (2, 6)
    assert np.array_equal(basis, [[1, -1, -1, 1, 1, 1], [1, 1, 1, 1, 1, 1]])
