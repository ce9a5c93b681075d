from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.algorithms.skygrid import TangentGrid, mean_direction, plane_to_sky, sky_to_plane
from qa.drp.image import Box

angles = st.floats(0, 359.99)
declinations = st.floats(-85, 85)
offsets = st.floats(-2, 2)


@given(angles, declinations, offsets, offsets)
def test_projection_round_trip(ra0: float, dec0: float, xi: float, eta: float) -> None:
    """Projecting a deprojected point gives the point back, anywhere on the sky."""
    back = sky_to_plane(*plane_to_sky(xi, eta, ra0=ra0, dec0=dec0), ra0=ra0, dec0=dec0)
    assert np.allclose(back, (xi, eta), atol=1e-10)


def test_far_side_of_the_sky_has_no_place_on_the_plane() -> None:
    """A point 90 degrees or more away projects to NaN, never to a wrong place."""
    assert np.isnan(sky_to_plane(190.0, 0.0, ra0=10.0, dec0=0.0)).all()


def test_mean_direction_crosses_zero() -> None:
    """The mean of 359 and 1 degrees of right ascension is 0."""
    ra, dec = mean_direction([359.0, 1.0], [2.0, 2.0])
    assert min(ra, 360 - ra) == pytest.approx(0.0, abs=1e-9)
    assert dec == pytest.approx(2.0, abs=1e-3)


@given(st.floats(-100, 1100), st.floats(-100, 1100))
def test_grid_round_trip(x: float, y: float) -> None:
    """Tract pixels go to the sky and back."""
    grid = TangentGrid(150.0, 2.0, 0.2, 1000)
    assert np.allclose(grid.sky_to_pixel(*grid.pixel_to_sky(x, y)), (x, y), atol=1e-6)


def test_cards_mean_the_same_to_astropy() -> None:
    """The FITS cards of a box put its pixels where the grid does."""
    grid = TangentGrid(150.0, 2.0, 0.2, 1000)
    wcs = WCS(grid.wcs_cards(Box(100, 200, 400, 500)))
    ra, dec = grid.pixel_to_sky([100.0, 399.0], [200.0, 450.0])
    x, y = wcs.all_world2pix(ra, dec, 0)
    assert np.allclose(x, [0, 299], atol=1e-6)
    assert np.allclose(y, [0, 250], atol=1e-6)


def test_east_is_left_and_north_is_up() -> None:
    """Right ascension falls with x, declination rises with y."""
    grid = TangentGrid(150.0, 2.0, 0.2, 1000)
    ra, dec = grid.pixel_to_sky([499.5, 600.0], [499.5, 600.0])
    assert ra[0] == pytest.approx(150.0)
    assert ra[1] < ra[0]
    assert dec[1] > dec[0]
