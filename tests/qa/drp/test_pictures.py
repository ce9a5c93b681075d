from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.image import Box, Mask, MaskedImage
from qa.drp.pictures import binned, covered, mosaic, neighbours, picture, write_picture
from qa.drp.skymap import SkyMap

SKY = SkyMap("toy", ra=10.0, dec=1.0, pixel_scale=0.2, npix=2000, patch_npix=1000, border=50)


def coadd(patch: int, value: float, sky_map: SkyMap = SKY) -> MaskedImage:
    """Make a flat coadd of one patch."""
    box = sky_map.outer(patch)
    shape = box.y1 - box.y0, box.x1 - box.x0
    return MaskedImage(np.full(shape, value, np.float32), np.ones(shape, np.float32), np.zeros(shape, np.int16))


def objects(*positions: tuple[float, float], primary: bool = True, flag: bool = False) -> Table:
    """Objects at tract pixels."""
    x, y = np.array(positions, float).reshape(-1, 2).T
    zero = np.zeros(len(x))
    flags = {"primary": np.full(len(x), primary), "flag": np.full(len(x), flag)}
    return Table({"x": x, "y": y, "ra": zero, "dec": zero, "extendedness": zero, **flags})


def test_mosaic_shows_inner_regions_and_leaves_gaps_empty() -> None:
    """Each patch fills its inner region; patches without coadd and pixels without data are NaN."""
    one = coadd(0, 1.0)
    one.mask[0, 0] = Mask.NO_DATA
    whole = mosaic(SKY, {0: one, 3: coadd(3, 3.0)}, SKY.tract_box, 1)
    assert np.isnan(whole[0, 0])
    assert whole[999, 999] == 1
    assert whole[1000, 1000] == 3
    assert np.isnan(whole[1500, 500])


@given(factor=st.integers(1, 20), patch_npix=st.integers(60, 200))
def test_patches_join_without_a_seam(factor: int, patch_npix: int) -> None:
    """However the blocks lie, flat patches make one flat mosaic."""
    small = SkyMap("toy", ra=10.0, dec=1.0, pixel_scale=0.2, npix=230, patch_npix=patch_npix, border=20)
    flat = {patch: coadd(patch, 1.0, small) for patch in small.patches}
    whole = mosaic(small, flat, small.tract_box, factor)
    assert (whole[: 230 // factor, : 230 // factor] == 1).all()


def test_fields_far_apart_are_told_apart() -> None:
    """Patches that touch, corners included, are one field; the largest comes first."""
    wide = SkyMap("toy", ra=10.0, dec=1.0, pixel_scale=0.2, npix=700, patch_npix=100, border=5)
    assert neighbours(wide, [0, 1, 30, 22, 38]) == [{22, 30, 38}, {0, 1}]
    assert neighbours(wide, []) == []


def test_covered_is_the_smallest_rectangle_with_data() -> None:
    """Empty margins are cut off; an empty image is left whole."""
    image = np.full((10, 20), np.nan, np.float32)
    assert covered(image) == Box(0, 0, 20, 10)
    image[2:5, 7:9] = 0
    assert covered(image) == Box(7, 2, 9, 5)


def test_binning_averages_what_there_is() -> None:
    """A block's value is the mean of its finite pixels; a block without any is NaN."""
    nan = np.nan
    image = np.array([[1, 3, nan, nan], [nan, 5, nan, nan], [9, 9, 9, 9]], np.float32)
    np.testing.assert_array_equal(binned(image, 2), [[3, nan]])
    assert binned(image, 1) is image


def test_detections_move_with_the_pixels() -> None:
    """A detection keeps its place in the cut and binned mosaic, and only good primary ones are shown."""
    tables = [objects((1500.5, 1700.5)), objects((1.0, 1.0), primary=False), objects((1400.0, 1600.0), flag=True)]
    drawn = picture(SKY, {3: coadd(3, 1.0), 2: coadd(2, 2.0)}, tables)
    assert drawn.image.shape == (500, 1000)
    assert drawn.pixel_scale == pytest.approx(0.4)
    assert (drawn.x.tolist(), drawn.y.tolist()) == ([750.0], [350.0])


def test_picture_of_a_tract_without_objects_has_none() -> None:
    """Nothing detected is an empty list, not an error."""
    assert len(picture(SKY, {0: coadd(0, 1.0)}, []).x) == 0


def test_written_picture_reads_back(tmp_path: Path) -> None:
    """The archive has an array for each field and each fact."""
    drawn = picture(SKY, {0: coadd(0, 1.0)}, [objects((5.0, 6.0))])
    write_picture(tmp_path / "new" / "coadd-r.npz", drawn, {"band": "r", "tract": 0})
    with np.load(tmp_path / "new" / "coadd-r.npz") as archive:
        assert archive["x"].tolist() == [5.0]
        assert str(archive["band"]) == "r"
        assert archive["image"].dtype == np.float32


def test_tiles_of_the_map_lie_where_their_pixels_are() -> None:
    """The tiles of a patch cover it exactly, in the pixels of the picture, whose empty margins are cut off."""
    quarter = {"width": [500.0] * 4, "height": [500.0] * 4}
    x, y = [1249.5, 1749.5, 1249.5, 1749.5], [1249.5, 1249.5, 1749.5, 1749.5]
    values = {"depth5": [24.0, 24.1, 24.2, 24.3], "psf_fwhm": [0.7] * 4, "n_visits": [8.0] * 4}
    drawn = picture(SKY, {3: coadd(3, 1.0)}, [], [Table({"x": x, "y": y, **quarter, **values})])
    ny, nx = drawn.image.shape
    assert drawn.tiles[0] == pytest.approx([0, 0, nx / 2, ny / 2])
    assert drawn.tiles[3] == pytest.approx([nx / 2, ny / 2, nx, ny])
    assert list(drawn.tile_depth5) == values["depth5"]
