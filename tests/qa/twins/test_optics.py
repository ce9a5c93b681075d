from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.twins.optics import crude_wcs, deproject, detector_origin, offset, project, view

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.twins.recipe import Recipe

directions = st.tuples(st.floats(0.0, 359.9), st.floats(-80.0, 80.0))
arcsecs = st.floats(-3600.0, 3600.0)


@given(centre=directions, east=arcsecs, north=arcsecs)
def test_projection_and_its_inverse_cancel(centre: tuple[float, float], east: float, north: float) -> None:
    """A place in the tangent plane comes back from the sky to a microarcsecond."""
    ra, dec = deproject(np.array([east]), np.array([north]), centre=centre)
    assert 0.0 <= ra[0] < 360.0
    back = project(ra, dec, centre=centre)
    assert (back[0][0], back[1][0]) == pytest.approx((east, north), abs=1e-6)


def test_east_and_north_are_where_they_should_be() -> None:
    """Right ascension grows to the east, faster by the cosine of the declination; declination to the north."""
    ra, dec = offset((10.0, 60.0), (3.6, 0.0))
    assert (ra - 10.0, dec) == pytest.approx((0.002, 60.0), abs=1e-7)
    assert offset((10.0, 60.0), (0.0, 3.6)) == pytest.approx((10.0, 60.001), abs=1e-9)


@pytest.mark.parametrize("rotation", [0.0, 37.0, 90.0, 180.0])
@pytest.mark.parametrize("mirrored", [True, False])
def test_without_errors_the_crude_wcs_is_the_truth(
    rotation: float,
    *,
    mirrored: bool,
    toy_recipe: Callable[..., Recipe],
) -> None:
    """With no distortion, atmosphere's part in ten thousand aside, header and sky agree."""
    optics = {"pixel_scale": 0.2, "rotation": rotation, "mirrored": mirrored, "radius": 1.0, "distortion": 0.0}
    recipe = toy_recipe("hsc", optics=optics)
    visit = recipe.visits[0].model_copy(update={"pointing_error": (0.0, 0.0)})
    detector = recipe.detectors[1]
    wcs = crude_wcs(recipe, offset(recipe.centre, visit.dither), detector)
    x, y = np.array([0.0, 64.0, 127.0]), np.array([5.0, 100.0, 64.0])
    cd = np.reshape(wcs.cd, (2, 2)) * 3600.0
    east, north = cd @ np.array([x + 1.0 - wcs.crpix[0], y + 1.0 - wcs.crpix[1]])
    ra, dec = deproject(east, north, centre=wcs.crval)
    seen_x, seen_y = view(recipe, visit).pixels(ra, dec, origin=detector_origin(recipe, detector))
    assert seen_x == pytest.approx(x, abs=0.2)
    assert seen_y == pytest.approx(y, abs=0.2)


def test_mirroring_turns_the_parity_around(toy_recipe: Callable[..., Recipe]) -> None:
    """The determinant of the CD matrix is negative on the sky as seen, positive when mirrored."""
    for mirrored, sign in ((False, -1.0), (True, 1.0)):
        optics = {"pixel_scale": 0.2, "rotation": 20.0, "mirrored": mirrored, "radius": 1.0, "distortion": 0.0}
        recipe = toy_recipe("hsc", optics=optics)
        cd = np.reshape(crude_wcs(recipe, recipe.centre, recipe.detectors[0]).cd, (2, 2))
        assert np.sign(np.linalg.det(cd)) == sign


def test_the_distortion_is_what_the_recipe_says_at_its_radius(toy_recipe: Callable[..., Recipe]) -> None:
    """At one radius from the pointing, objects appear farther out by the recipe's arcsec."""
    optics = {"pixel_scale": 0.2, "radius": 2.0, "distortion": 1.5}
    plain, bent = (toy_recipe("hsc", optics=optics | {"distortion": amount}) for amount in (0.0, 1.5))
    ra, dec = deproject(np.array([120.0]), np.array([0.0]), centre=plain.centre)
    x0, y0 = view(plain, plain.visits[0]).focal_plane(ra, dec)
    x1, y1 = view(bent, bent.visits[0]).focal_plane(ra, dec)
    assert np.hypot(x1 - x0, y1 - y0) * 0.2 == pytest.approx(1.5, rel=1e-3)
