from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.background import subtract_background
from qa.drp.algorithms.characterize import measure
from qa.drp.algorithms.kron import enclosed, kron_flux
from qa.drp.algorithms.sources import detect

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.drp.image import MaskedImage

    Draw = Callable[..., tuple[MaskedImage, np.ndarray]]

pytestmark = pytest.mark.pipeline


def test_kron_ellipses_hold_the_light(star_field: Draw) -> None:
    """The ellipse of a star holds 90% or more of its light, and all with the PSF's correction, to 2%."""
    exposure, rows = star_field()
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    _, psf, _ = measure(image, found)
    plain, error = kron_flux(image, found)
    assert 0.9 < float(np.median(plain)) / rows[0, 2] < 1.0
    assert (error > 0).all()
    whole, _ = kron_flux(image, found, psf=psf)
    assert float(np.median(whole)) == pytest.approx(rows[0, 2], rel=0.02)


def test_a_neighbour_does_not_count(star_field: Draw) -> None:
    """The pixels of a bright neighbour change a flux by 3% at most."""
    exposure, rows = star_field()
    alone, sky = subtract_background(exposure)
    x, y = (round(float(value)) for value in rows[0, :2])
    alone.image[y - 4 : y + 5, x + 12 : x + 21] += 400.0
    found = detect(alone, noise=sky.noise, threshold=2.0, fwhm=2.5)
    flux, _ = kron_flux(alone, found)
    nearest = np.argmin(np.hypot(found.x - rows[0, 0], found.y - rows[0, 1]))
    assert flux[nearest] == pytest.approx(float(np.median(flux)), rel=0.03)


def test_the_wider_the_circle_the_more_light(star_field: Draw) -> None:
    """The enclosed part of a PSF grows with the radius, up to one."""
    exposure, _ = star_field()
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    _, psf, _ = measure(image, found)
    parts = [enclosed(psf, found, np.full(len(found), radius)) for radius in (2.0, 4.0, 8.0, 16.0)]
    assert (np.diff(parts, axis=0) > 0).all()
    assert parts[0].min() > 0.3
    assert parts[-1].max() <= 1


def test_nothing_found_gives_empty_fluxes(star_field: Draw) -> None:
    """Measuring nothing gives empty results."""
    exposure, _ = star_field(flux=0.0)
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=2.0, fwhm=2.5)
    assert len(kron_flux(image, found)[0]) == 0
