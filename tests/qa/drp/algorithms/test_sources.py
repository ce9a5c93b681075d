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
    kron_flux,
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


def test_apertures_and_kron_ellipses_hold_the_light(star_field: Draw) -> None:
    """A wide aperture holds a star's light; the Kron ellipse 90% or more of it; errors tell the scatter's size."""
    exposure, rows = star_field()
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    flux, error = aperture_flux(image, x=found.x, y=found.y, radius=np.full(len(found), 15.0))
    assert float(np.median(flux)) == pytest.approx(rows[0, 2], rel=0.02)
    assert float(np.median(error)) == pytest.approx(np.sqrt(rows[0, 2] + np.pi * 15**2 * (400 + 16)), rel=0.03)
    kron, kron_error = kron_flux(image, found)
    assert 0.9 < float(np.median(kron)) / rows[0, 2] < 1.02
    assert (kron_error > 0).all()


def test_an_empty_sky_has_no_sources(star_field: Draw) -> None:
    """Noise alone gives no detection, and measuring nothing gives empty results."""
    exposure, _ = star_field(flux=0.0)
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    assert len(found) == 0
    assert len(kron_flux(image, found)[0]) == 0
    assert not footprint_mask(found.segments, np.zeros(0, dtype=bool)).any()


def test_kernel_is_a_mean() -> None:
    """The detection kernel sums to 1, is odd and symmetric."""
    plane = kernel(4.0)
    assert float(plane.sum()) == pytest.approx(1.0, abs=1e-6)
    assert plane.shape[0] % 2 == 1
    assert np.allclose(plane, plane.T)


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
