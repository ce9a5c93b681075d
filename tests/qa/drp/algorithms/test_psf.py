from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.moments import Moments, adaptive_moments
from qa.drp.algorithms.psf import FWHM_PER_SIGMA, PsfModel, ellipticity, fit_psf, moments_of_stamps, polynomials

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


def varying(*, planes: bool = True) -> PsfModel:
    """Make a model with every part: it widens to the right, and has residual pixels that grow to the top."""
    terms = np.array([[0.6, 0.05, -0.02], [0.05, 0.02, 0.0], [-0.03, 0.0, 0.01]])
    residual = np.random.default_rng(2).normal(0, 1e-4, (3, 11, 11))
    residual -= residual.mean(axis=(1, 2))[:, None, None]
    return PsfModel(1200, 1000, 1, terms, 30, 3.1, residual if planes else np.zeros((1, 1, 1)))


def test_stamp_is_the_psf_there() -> None:
    """A stamp has sum 1, odd side, its centre shifted as asked, and the size and shape of the model there."""
    model = varying(planes=False)
    stamp = model.stamp(900.0, 200.0, 0.3, -0.4)
    assert stamp.shape == (model.size, model.size)
    assert model.size % 2 == 1
    assert stamp.sum() == pytest.approx(1)
    found = moments_of_stamps(stamp[None], np.array([0.3]), np.array([-0.4]), sigma=1.8)
    fwhm, e1, e2 = model.at(np.array([900.0]), np.array([200.0]))
    assert found.size[0] * FWHM_PER_SIGMA == pytest.approx(fwhm[0], rel=2e-3)
    assert [*ellipticity(found)[0], *ellipticity(found)[1]] == pytest.approx([e1[0], e2[0]], abs=1e-3)
    assert [found.x[0], found.y[0]] == pytest.approx([model.size // 2 + 0.3, model.size // 2 - 0.4], abs=1e-3)


def test_drawn_on_the_pixels_of_the_image_it_is_the_stamp() -> None:
    """What photometry draws around a source is, but for the light beyond, the stamp at its place within the pixel."""
    model = varying()
    drawn = model.draw(np.array([400.3]), np.array([700.8]), half=model.size // 2)[0]
    stamp = model.stamp(400.3, 700.8, 0.3, -0.2)
    assert np.allclose(drawn / drawn.sum(), stamp, atol=1e-9)
    assert 0.98 < drawn.sum() < 1


def test_row_survives_the_storage_of_catalogues() -> None:
    """A model put into a table's meta comes back from Parquet as it was, its pixels to seven digits."""
    from astropy.table import Table

    parquet = pytest.importorskip("lsst.daf.butler.formatters.parquet")
    model = varying()
    table = Table({"x": [1.0]}, meta={"NPSF": 30, **model.to_row()})
    back = PsfModel.from_row(parquet.arrow_to_astropy(parquet.astropy_to_arrow(table)).meta)
    assert np.array_equal(back.coefficients, model.coefficients)
    assert np.allclose(back.planes, model.planes, rtol=1e-6, atol=1e-12)
    assert (back.nx, back.ny, back.order, back.n_stars, back.beta) == (1200, 1000, 1, 30, 3.1)
    assert all(name.startswith("psf_") for name in model.to_row())


def test_a_guess_can_be_drawn() -> None:
    """Without any source there is a PSF all the same, which says that no star stands behind it."""
    none = np.zeros(0)
    model, _ = fit_psf(moments(none, none, none), np.zeros(0, dtype=bool), shape=SHAPE)
    assert model.n_stars == 0
    assert np.isfinite(model.stamp(0.0, 0.0)).all()
    assert PsfModel.from_row(model.to_row()).n_stars == 0


def test_a_crowd_of_galaxies_is_no_sample_of_stars(places: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    """However many sources scatter in size and shape, those that are taken for stars agree to 6%."""
    x, y = places
    sigma = np.random.default_rng(6).uniform(2.0, 5.0, 100)
    model, stars = fit_psf(moments(x, y, sigma), np.ones(100, dtype=bool), shape=SHAPE)
    fwhm = model.at(x[stars], y[stars])[0]
    assert stars.sum() < 40
    assert np.abs(np.log(sigma[stars] * FWHM_PER_SIGMA / fwhm)).max() < 0.13


def test_moments_of_stamps_are_those_of_each_alone() -> None:
    """Stamps measured together do not see each other."""
    model = varying(planes=False)
    x, y = np.array([100.2, 800.0, 1100.7]), np.array([90.1, 500.0, 930.4])
    stamps = model.draw(x, y, half=14)
    dx, dy = x - np.floor(x + 0.5), y - np.floor(y + 0.5)
    together = moments_of_stamps(stamps, dx, dy, sigma=1.8)
    for k, stamp in enumerate(stamps):
        image = np.pad(stamp, 20).astype(np.float32)
        alone = adaptive_moments(
            image, np.ones_like(image), x=dx[k : k + 1] + 34, y=dy[k : k + 1] + 34, sigma=np.array([1.8])
        )  # fmt: skip
        assert together.size[k] == pytest.approx(alone.size[0], rel=1e-3)
