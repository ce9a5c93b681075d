from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.table import Table

from qa.twins.optics import detector_origin, view
from qa.twins.scene import expected_electrons, injected

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.twins.recipe import Recipe

pytestmark = pytest.mark.pipeline
galsim = pytest.importorskip("galsim")


def one_object(recipe: Recipe, magnitude: float, **shape: float) -> Table:
    """Make a sky of one object near the middle of the first detector."""
    row: dict[str, Any] = {"half_light_radius": 0.0, "sersic": 0.0, "axis_ratio": 1.0, "angle": 0.0} | shape
    ra, dec = recipe.centre
    row |= {"ra": ra + 2e-4, "dec": dec - 1e-4, "mag_r": magnitude, "star": not shape}
    return Table({name: [value] for name, value in row.items()})


def drawn(recipe: Recipe, sky: Table) -> np.ndarray:
    """Draw the first detector without its sky."""
    visit, detector = recipe.visits[0], recipe.detectors[0]
    image = expected_electrons(recipe, visit, detector, sky).astype(float)
    return image - np.median(image)


def test_a_star_has_its_flux_place_and_shape(toy_recipe: Callable[..., Recipe]) -> None:
    """Flux to a permille, place to a hundredth of a pixel, width and ellipticity as the recipe has them."""
    recipe = toy_recipe("hsc")
    visit, detector = recipe.visits[0], recipe.detectors[0]
    sky = one_object(recipe, 17.0)
    image, truth = drawn(recipe, sky), injected(recipe, visit, detector)
    x, y = view(recipe, visit).pixels(sky["ra"], sky["dec"], origin=detector_origin(recipe, detector))
    assert image.sum() == pytest.approx(10 ** (-0.4 * (17.0 - truth.zero_point)), rel=3e-3)
    moments = galsim.hsm.FindAdaptiveMom(galsim.Image(image.astype(np.float32), xmin=0, ymin=0))
    assert (moments.moments_centroid.x, moments.moments_centroid.y) == pytest.approx((x[0], y[0]), abs=0.01)
    assert (moments.observed_shape.e1, moments.observed_shape.e2) == pytest.approx((truth.e1, truth.e2), abs=0.004)
    half = np.sum(image > image.max() / 2) * recipe.optics.pixel_scale**2
    assert 2 * np.sqrt(half / np.pi) == pytest.approx(truth.fwhm, rel=0.08)


@pytest.mark.parametrize("sersic", [1.0, 4.0])
def test_a_galaxy_has_its_flux_and_is_wider_than_a_star(sersic: float, toy_recipe: Callable[..., Recipe]) -> None:
    """Within the stamp lies nearly all of its light, more spread out than a star's."""
    recipe = toy_recipe("hsc")
    star = drawn(recipe, one_object(recipe, 19.0))
    shape = {"half_light_radius": 0.8, "sersic": sersic, "axis_ratio": 0.6, "angle": 1.0}
    galaxy = drawn(recipe, one_object(recipe, 19.0, **shape))
    assert galaxy.sum() == pytest.approx(star.sum(), rel=0.1)
    assert galaxy.max() < 0.7 * star.max()


def test_what_lies_outside_is_not_drawn(toy_recipe: Callable[..., Recipe]) -> None:
    """An object far off the detector leaves the sky alone."""
    recipe = toy_recipe("hsc")
    sky = one_object(recipe, 20.0)
    sky["dec"] += 0.05
    assert np.ptp(drawn(recipe, sky)) == 0.0


def test_the_sky_is_as_bright_as_the_recipe_says(toy_recipe: Callable[..., Recipe]) -> None:
    """Sky electrons per pixel follow from magnitude, zero point, exposure time and pixel scale."""
    recipe = toy_recipe("hsc", zero_point_gradient=0.0)
    image = expected_electrons(recipe, recipe.visits[0], recipe.detectors[0], one_object(recipe, 30.0))
    assert np.median(image) == pytest.approx(30.0 * 10 ** (0.4 * (28.0 - 20.9)) * 0.2**2, rel=1e-3)
