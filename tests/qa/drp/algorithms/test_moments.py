from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from qa.drp.algorithms.moments import adaptive_moments

pytestmark = pytest.mark.pipeline


def gaussian(xx: float, yy: float, xy: float, *, x: float = 30.3, y: float = 29.6) -> np.ndarray:
    """Elliptical Gaussian of given second moments."""
    v, u = np.mgrid[:60, :60]
    inverse = np.linalg.inv(np.array([[xx, xy], [xy, yy]]))
    dx, dy = u - x, v - y
    square = inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2
    return (1000 * np.exp(-0.5 * square)).astype(np.float32)


def ones(image: np.ndarray) -> np.ndarray:
    """Variance of 1."""
    return np.ones_like(image)


@pytest.mark.parametrize("shape", [(4.0, 4.0, 0.0), (6.0, 3.0, 1.0), (2.0, 5.0, -0.5)])
def test_a_gaussian_has_its_own_moments(shape: tuple[float, float, float]) -> None:
    """The adaptive moments of a Gaussian are its moments, and its centroid is found to a thousandth of a pixel."""
    image = gaussian(*shape)
    found = adaptive_moments(image, ones(image), x=np.array([30.0]), y=np.array([30.0]), sigma=np.array([1.5]))
    assert found.converged.all()
    assert (found.x[0], found.y[0]) == pytest.approx((30.3, 29.6), abs=1e-3)
    assert (found.xx[0], found.yy[0], found.xy[0]) == pytest.approx(shape, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 3.0, 5.0])
def test_the_start_does_not_matter(sigma: float) -> None:
    """A profile that is no Gaussian has the same moments whatever size the search begins with."""
    v, u = np.mgrid[:60, :60]
    image = (1000 * (1 + ((u - 30.3) ** 2 / 12 + (v - 29.6) ** 2 / 10)) ** -2.5).astype(np.float32)
    start = {"x": np.array([30.0]), "y": np.array([30.0])}
    found, again = (adaptive_moments(image, ones(image), **start, sigma=np.array([value])) for value in (sigma, 2.0))
    assert found.converged.all()
    assert (found.xx[0], found.yy[0]) == pytest.approx((again.xx[0], again.yy[0]), rel=5e-4)


def test_faint_sources_converge() -> None:
    """At an S/N of 10 the search ends for nearly all sources, without a bias of their size."""
    rng = np.random.default_rng(2)
    sizes = []
    for _ in range(200):
        image = gaussian(4, 4, 0) / 1000 + rng.normal(0, 0.35, (60, 60)).astype(np.float32)
        variance = np.full_like(image, 0.35**2)
        found = adaptive_moments(image, variance, x=np.array([30.3]), y=np.array([29.6]), sigma=np.array([2.0]))
        sizes.extend(found.size[found.converged])
    assert len(sizes) > 170
    assert np.median(sizes) == pytest.approx(2.0, rel=0.05)


def test_centroid_errors_are_honest() -> None:
    """Over many realisations the centroids scatter by the errors given."""
    rng = np.random.default_rng(0)
    pulls = []
    for _ in range(200):
        image = gaussian(4, 4, 0) + rng.normal(0, 20, (60, 60)).astype(np.float32)
        variance = np.full_like(image, 400)
        found = adaptive_moments(image, variance, x=np.array([30.0]), y=np.array([30.0]), sigma=np.array([2.0]))
        pulls.append((found.x[0] - 30.3) / found.x_err[0])
    assert np.std(pulls) == pytest.approx(1, abs=0.15)


def test_nothing_there_is_not_converged() -> None:
    """On an empty image the start is returned and marked, never NaN."""
    image = np.zeros((60, 60), dtype=np.float32)
    found = adaptive_moments(image, ones(image), x=np.array([30.0]), y=np.array([30.0]), sigma=np.array([2.0]))
    assert not found.converged.any()
    assert (found.x[0], found.y[0], found.xx[0]) == (30.0, 30.0, 4.0)
    assert np.isfinite([found.x_err[0], found.snr[0]]).all()


def test_unknown_pixels_are_left_out() -> None:
    """Pixels of infinite variance do not count, whatever they hold."""
    image = gaussian(4, 4, 0)
    variance = ones(image)
    image[35, 20:40] = 1e7
    variance[35, 20:40] = np.inf
    found = adaptive_moments(image, variance, x=np.array([30.0]), y=np.array([30.0]), sigma=np.array([2.0]))
    assert (found.x[0], found.y[0]) == pytest.approx((30.3, 29.6), abs=0.05)
