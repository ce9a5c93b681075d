from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.algorithms.skygrid import TangentGrid, plane_to_sky
from qa.drp.algorithms.solution import (
    Solution,
    TanSip,
    ZeroPoint,
    fit_tan_sip,
    solutions_from_table,
    solutions_to_table,
)
from qa.drp.image import Box

pytestmark = pytest.mark.pipeline

SHAPE = (1000, 800)


def sky_of(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place a detector off the axis of a camera with cubic distortion, rotated a little."""
    u, v = (x + 1500) * 0.2, (y - 300) * 0.2
    swell = 1 + 3e-8 * (u**2 + v**2)
    return plane_to_sky(-(u - 0.01 * v) * swell / 3600, (v + 0.01 * u) * swell / 3600, ra0=150.0, dec0=-30.0)


@pytest.fixture(scope="module")
def wcs() -> TanSip:
    """Fit a WCS to it."""
    x, y = (plane.ravel() for plane in np.meshgrid(np.linspace(-20, 820, 9), np.linspace(-20, 1020, 9)))
    return fit_tan_sip(x, y, *sky_of(x, y), shape=SHAPE)


@given(st.floats(0, 799), st.floats(0, 999))
def test_fit_is_exact_and_round_trips(wcs: TanSip, x: float, y: float) -> None:
    """The fit reproduces a cubic distortion to 1e-5 arcsec, and pixels survive the way to the sky and back."""
    ra, dec = wcs.pixel_to_sky(x, y)
    expected = sky_of(np.array(x), np.array(y))
    assert np.allclose((ra, dec), expected, atol=3e-9)
    assert np.allclose(wcs.sky_to_pixel(ra, dec), (x, y), atol=1e-6)


def test_header_means_the_same_to_astropy(wcs: TanSip) -> None:
    """Astropy reads the exported header and agrees, forward and back."""
    cards = wcs.to_header()
    reader = WCS(cards)
    x, y = np.array([0.0, 400.0, 799.0]), np.array([0.0, 600.0, 999.0])
    ra, dec = reader.all_pix2world(x, y, 0)
    assert np.allclose(wcs.pixel_to_sky(x, y), (ra, dec), atol=1e-10)
    assert np.allclose(reader.sip_foc2pix(*reader.sip_pix2foc(x, y, 0), 0), (x, y), atol=1e-3)


def test_header_round_trip(wcs: TanSip) -> None:
    """A WCS survives its header."""
    again = TanSip.from_header(wcs.to_header())
    assert again.crval == wcs.crval
    assert np.array_equal(again.a, wcs.a)
    assert np.allclose(again.crpix, wcs.crpix, atol=1e-12)


def test_table_round_trip(wcs: TanSip) -> None:
    """Solutions survive their table."""
    zero_point = ZeroPoint(800, 1000, np.array([30.0, 0.01, 0.02, 0.001, 0.0, -0.001]))
    solution = Solution(101, 7, 800, 1000, wcs, zero_point)
    again = solutions_from_table(solutions_to_table([solution]))[101, 7]
    x, y = np.array([3.0, 700.0]), np.array([900.0, 5.0])
    assert np.allclose(again.wcs.pixel_to_sky(x, y), wcs.pixel_to_sky(x, y), atol=1e-12)
    assert np.array_equal(again.zero_point.at(x, y), zero_point.at(x, y))
    assert zero_point.middle == 30.0


def test_overlap(wcs: TanSip) -> None:
    """A detector overlaps the box it covers and not one far away, nor one on the other side of the sky."""
    solution = Solution(1, 1, 800, 1000, wcs, ZeroPoint(800, 1000, np.array([30.0, 0, 0, 0, 0, 0])))
    grid = TangentGrid(*wcs.crval, 0.2, 2000)
    assert solution.overlaps(grid, Box(900, 900, 1100, 1100))
    assert not solution.overlaps(grid, Box(0, 0, 100, 100))
    assert not solution.overlaps(TangentGrid(wcs.crval[0] + 180, -wcs.crval[1], 0.2, 2000), Box(900, 900, 1100, 1100))
