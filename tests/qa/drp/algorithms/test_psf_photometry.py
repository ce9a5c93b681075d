from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.psf import PsfModel
from qa.drp.algorithms.psf_photometry import psf_flux
from qa.drp.image import Mask, MaskedImage

pytestmark = pytest.mark.pipeline

SIZE, SKY = 600, 900.0
PSF = PsfModel(SIZE, SIZE, 0, np.array([[np.log(1.8)], [0.04], [-0.02]]), 10)


def draw(flux: float, *, noise: bool = True, seed: int = 1) -> tuple[MaskedImage, np.ndarray, np.ndarray]:
    """Draw 196 stars of the given flux on a grid."""
    rng = np.random.default_rng(seed)
    x, y = (plane.ravel() for plane in np.meshgrid(np.arange(30, 580, 40.0), np.arange(30, 580, 40.0)))
    x, y = x + rng.uniform(-0.5, 0.5, len(x)), y + rng.uniform(-0.5, 0.5, len(y))
    image = np.zeros((SIZE, SIZE))
    for xi, yi, stamp in zip(x, y, PSF.draw(x, y, half=19), strict=True):
        i, j = int(np.floor(xi + 0.5)), int(np.floor(yi + 0.5))
        image[j - 19 : j + 20, i - 19 : i + 20] += flux * stamp
    drawn = rng.poisson(image + SKY) - SKY if noise else image
    variance = np.maximum(drawn + SKY, 0).astype(np.float32)
    return MaskedImage(drawn.astype(np.float32), variance, np.zeros(image.shape, dtype=np.int16)), x, y


@pytest.mark.parametrize("flux", [100.0, 3e3, 1e5])
def test_flux_without_noise_is_exact(flux: float) -> None:
    """Faint or bright, a star without noise has the flux it was drawn with, and a chi2 of zero."""
    image, x, y = draw(flux, noise=False)
    found = psf_flux(image, PSF, x=x, y=y)
    assert np.allclose(found.flux, flux, rtol=2e-5)
    assert np.allclose(found.chi2, 0, atol=1e-3)


@pytest.mark.parametrize("flux", [600.0, 5e3, 1e5])
def test_errors_are_those_of_the_fluxes(flux: float) -> None:
    """With noise the pulls have mean 0 and scatter 1, and chi2 per degree of freedom is 1."""
    image, x, y = draw(flux)
    found = psf_flux(image, PSF, x=x, y=y)
    pulls = (found.flux - flux) / found.flux_err
    assert abs(pulls.mean()) < 0.25
    assert np.std(pulls) == pytest.approx(1, abs=0.15)
    assert np.mean(found.chi2) == pytest.approx(1, abs=0.05)


def test_faint_stars_are_measured_better_than_in_apertures() -> None:
    """The error of a faint star is that of a matched filter: sky noise over the root of the sum of squares."""
    image, x, y = draw(600.0)
    stamps = PSF.draw(x, y, half=8)
    expected = np.sqrt((600.0 * 0.05 + SKY) / np.sum(stamps**2, axis=(1, 2)))
    assert np.median(psf_flux(image, PSF, x=x, y=y).flux_err / expected) == pytest.approx(1, abs=0.05)


def test_neighbours_and_bad_pixels_are_left_out() -> None:
    """A bright neighbour's pixels, known from the segments, and bad ones do not change the flux."""
    image, x, y = draw(3e4, noise=False)
    i, j = int(np.floor(x[0] + 0.5)), int(np.floor(y[0] + 0.5))
    image.image[j + 3 : j + 6, i + 2 : i + 6] += 5e4
    image.image[j - 2, i] = np.float32(-1e6)
    image.mask[j - 2, i] = int(Mask.BAD)
    segments = np.zeros(image.shape, dtype=np.int32)
    segments[j - 2 : j + 3, i - 2 : i + 3] = 1
    segments[j + 3 : j + 6, i + 2 : i + 6] = 2
    own = np.array([1], dtype=np.int32)
    found = psf_flux(image, PSF, x=x[:1], y=y[:1], segments=segments, own=own)
    assert found.flux[0] == pytest.approx(3e4, rel=1e-4)


def test_nothing_to_measure_is_zero_not_nan() -> None:
    """Sources off the image or wholly masked have flux 0 with error 0; no sources give empty arrays."""
    image, _, _ = draw(100.0, noise=False)
    image.mask[:50, :50], image.variance[:50, :50] = int(Mask.NO_DATA), np.inf
    found = psf_flux(image, PSF, x=np.array([-50.0, 20.0]), y=np.array([10.0, 20.0]))
    assert (found.flux == 0).all()
    assert (found.flux_err == 0).all()
    assert len(psf_flux(image, PSF, x=np.zeros(0), y=np.zeros(0)).flux) == 0


def test_without_variance_the_flux_stands() -> None:
    """A variance of zero gives the same flux, with error 0."""
    image, x, y = draw(3e3, noise=False)
    image.variance[:] = 0
    found = psf_flux(image, PSF, x=x, y=y)
    assert np.allclose(found.flux, 3e3, rtol=2e-5)
    assert (found.flux_err == 0).all()
