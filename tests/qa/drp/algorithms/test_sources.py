from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.background import subtract_background
from qa.drp.algorithms.sources import (
    aperture_flux,
    bits_within,
    blended,
    detect,
    footprint_mask,
    kernel,
    smoothed,
    windowed_centroids,
)
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[..., tuple[MaskedImage, np.ndarray]]

pytestmark = pytest.mark.pipeline


def test_every_star_is_found_once(star_field: Draw) -> None:
    """All bright stars are found, each once, and nothing else."""
    exposure, rows = star_field()
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    assert len(found) == len(rows)
    distance = np.hypot(found.x[:, None] - rows[:, 0], found.y[:, None] - rows[:, 1]).min(axis=1)
    assert distance.max() < 0.3
    assert len(np.unique(found.segments)) == len(rows) + 1


def test_apertures_hold_the_light(star_field: Draw) -> None:
    """A wide aperture holds a star's light; errors tell the scatter's size."""
    exposure, rows = star_field()
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    flux, error = aperture_flux(image, x=found.x, y=found.y, radius=np.full(len(found), 15.0))
    assert float(np.median(flux)) == pytest.approx(rows[0, 2], rel=0.02)
    assert float(np.median(error)) == pytest.approx(np.sqrt(rows[0, 2] + np.pi * 15**2 * (400 + 16)), rel=0.03)


def test_an_empty_sky_has_no_sources(star_field: Draw) -> None:
    """Noise alone gives no detection, and measuring nothing gives empty results."""
    exposure, _ = star_field(flux=0.0)
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    assert len(found) == 0
    assert not footprint_mask(found.segments, np.zeros(0, dtype=bool)).any()


def test_kernel_is_a_mean() -> None:
    """The detection kernel sums to 1, is odd and symmetric."""
    plane = kernel(4.0)
    assert float(plane.sum()) == pytest.approx(1.0, abs=1e-6)
    assert plane.shape[0] % 2 == 1
    assert np.allclose(plane, plane.T)


def test_smoothing_is_a_convolution() -> None:
    """A pixel becomes the kernel; bad pixels and what is beyond the edge count as nothing."""
    image, bad = np.zeros((40, 50), dtype=np.float32), np.zeros((40, 50), dtype=bool)
    image[20, 30] = image[39, 0] = image[10, 10] = 1.0
    bad[10, 10] = True
    plane, out = kernel(3.0), smoothed(image, bad, fwhm=3.0)
    half = len(plane) // 2
    assert np.allclose(out[20 - half : 21 + half, 30 - half : 31 + half], plane, atol=1e-7)
    assert np.allclose(out[39 - half :, : half + 1], plane[: half + 1, half:], atol=1e-7)
    assert float(out.sum()) == pytest.approx(1 + plane[: half + 1, half:].sum(), abs=1e-5)


def test_nothing_is_found_where_the_noise_is_unknown(star_field: Draw) -> None:
    """With a map of the noise, masked pixels are in no source."""
    exposure, rows = star_field()
    image, sky = subtract_background(exposure)
    image.mask[: image.shape[0] // 2] = int(Mask.NO_DATA)
    found = detect(image, noise=np.full(image.shape, sky.noise, dtype=np.float32), threshold=2.0, fwhm=2.5)
    assert 0 < len(found) < len(rows)
    assert not found.segments[: image.shape[0] // 2].any()


def test_bits_within_a_circle() -> None:
    """The bits of all pixels within the circle are collected, and EDGE where it leaves the image."""
    mask = np.zeros((50, 50), dtype=np.int16)
    mask[10, 10], mask[10, 14] = int(Mask.BAD), int(Mask.SATURATED)
    at = np.array([10.0, 10.0, 2.0])
    bits = bits_within(mask, x=at, y=np.array([10.0, 30.0, 30.0]), radius=np.array([4.0, 5.0, 3.0]))
    assert bits.tolist() == [int(Mask.BAD | Mask.SATURATED), 0, int(Mask.EDGE)]


def test_blending_is_judged_by_light() -> None:
    """A faint neighbour does not spoil a bright source, but a bright one spoils a faint source."""
    x, y = np.array([10.0, 13.0, 40.0]), np.array([10.0, 10.0, 40.0])
    flux = np.array([1000.0, 10.0, 500.0])
    assert blended(x, y, flux, reach=5, fraction=0.02).tolist() == [False, True, False]
    assert blended(x[:1], y[:1], flux[:1], reach=5, fraction=0.02).tolist() == [False]


def test_the_windowed_centroid_of_a_blend_is_its_brightest_part() -> None:
    """The barycentre of two sources lies on neither; a window of the PSF's size goes to the brighter one."""
    y, x = np.mgrid[:41, :61].astype(float)
    plane = sum(
        flux * np.exp(-((x - at) ** 2 + (y - 20) ** 2) / (2 * 1.8**2)) for flux, at in ((1000.0, 26.0), (600.0, 33.0))
    )
    image = MaskedImage(plane.astype(np.float32), np.ones(plane.shape, np.float32), np.zeros(plane.shape, np.int16), {})
    barycentre = np.array([float((plane * x).sum() / plane.sum())])
    found, row = windowed_centroids(image, x=barycentre, y=np.array([20.0]), sigma=1.8)
    assert abs(barycentre[0] - 26) > 2
    assert abs(found[0] - 26) < 1
    assert row[0] == pytest.approx(20, abs=0.01)


def test_a_window_without_light_leaves_the_position() -> None:
    """Where there is nothing to move to, a position stays; nothing given gives nothing."""
    empty = MaskedImage(np.zeros((30, 30), np.float32), np.ones((30, 30), np.float32), np.zeros((30, 30), np.int16), {})
    x, y = windowed_centroids(empty, x=np.array([12.0]), y=np.array([9.0]), sigma=2.0)
    assert (x[0], y[0]) == (12.0, 9.0)
    assert len(windowed_centroids(empty, x=np.zeros(0), y=np.zeros(0), sigma=2.0)[0]) == 0
