import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.image import Box
from qa.drp.skymap import SkyMap, corners


def sky_map(npix: int = 1000, patch_npix: int = 400, border: int = 50) -> SkyMap:
    """Make a small tract near the celestial equator, across ra = 0."""
    return SkyMap("toy", ra=0.0, dec=-1.0, pixel_scale=0.2, npix=npix, patch_npix=patch_npix, border=border)


@given(npix=st.integers(1, 300), patch_npix=st.integers(1, 300), border=st.integers(0, 40))
def test_inner_regions_tile_the_tract(npix: int, patch_npix: int, border: int) -> None:
    """Every pixel of the tract is in the inner region of exactly one patch."""
    mapping = sky_map(npix, max(patch_npix, npix // 5 + 1), border)
    count = np.zeros((npix, npix), int)
    for patch in mapping.patches:
        count[mapping.inner(patch).slices] += 1
    assert (count == 1).all()


def test_outer_regions_overlap_and_stay_inside() -> None:
    """An outer region reaches the border beyond the inner one, but not beyond the tract."""
    mapping = sky_map()
    assert mapping.inner(4) == Box(400, 400, 800, 800)
    assert mapping.outer(4) == Box(350, 350, 850, 850)
    assert mapping.outer(8) == Box(750, 750, 1000, 1000)


def test_patches_are_numbered_row_by_row() -> None:
    """Patch 1 lies beside patch 0, to higher x."""
    assert sky_map().inner(1) == Box(400, 0, 800, 400)


def test_corners_are_the_outer_edges_of_pixels() -> None:
    """A pixel is centred on whole numbers, so a box begins half a pixel before its first."""
    x, y = corners(Box(0, 0, 10, 20), margin=2)
    assert (x.min(), x.max(), y.min(), y.max()) == (-2.5, 11.5, -2.5, 21.5)


def test_digest_tells_sky_maps_apart() -> None:
    """Two sky maps that differ in anything have different digests."""
    assert len({sky_map().digest, sky_map(border=51).digest, sky_map(npix=999).digest}) == 3
    assert sky_map().digest == sky_map().digest


@pytest.mark.pipeline
def test_region_contains_the_pixels_of_its_box() -> None:
    """The region of a patch on the sky holds the centre of the patch, and not that of the opposite one."""
    sphgeom = pytest.importorskip("lsst.sphgeom")
    mapping = sky_map()
    region = mapping.region(mapping.outer(0))

    def inside(x: float, y: float) -> bool:
        ra, dec = mapping.grid.pixel_to_sky(x, y)
        point = sphgeom.UnitVector3d(sphgeom.LonLat.fromDegrees(float(ra), float(dec)))
        return bool(region.contains(point))

    assert inside(200, 200)
    assert inside(0, 0)
    assert not inside(900, 900)
