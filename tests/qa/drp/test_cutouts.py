from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("lsst.daf.butler")

from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.drp.cutouts import ImageFile
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.pipeline

SHAPE, PLACED = (40, 50), Box(5, 8, 35, 30)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MaskedImage]:
    """Store an image of 40 x 50 pixels with an empty margin, its mask in bytes."""
    rng, empty = np.random.default_rng(1), int(Mask.NO_DATA)
    image = np.zeros(SHAPE, np.float32), np.full(SHAPE, np.inf, np.float32), np.full(SHAPE, empty, np.int16)
    whole = MaskedImage(*image)
    size = PLACED.y1 - PLACED.y0, PLACED.x1 - PLACED.x0
    whole.image[PLACED.slices] = rng.normal(size=size)
    whole.variance[PLACED.slices] = rng.uniform(1, 2, size)
    whole.mask[PLACED.slices] = rng.integers(0, 64, size)
    place = {"CROPX0": PLACED.x0, "CROPY0": PLACED.y0, "FULLNX": SHAPE[1], "FULLNY": SHAPE[0], "SKYNOISE": 12.5}
    planes = {"IMAGE": whole.image, "VARIANCE": whole.variance, "MASK": whole.mask.astype(np.uint8)}
    hdus = [fits.PrimaryHDU(header=fits.Header(place))]
    hdus += [fits.ImageHDU(plane[PLACED.slices], name=name) for name, plane in planes.items()]
    path = tmp_path_factory.mktemp("image") / "image.fits"
    fits.HDUList(hdus).writeto(path)
    return path, whole


@settings(max_examples=40)
@given(x=st.tuples(st.integers(0, 49), st.integers(1, 50)), y=st.tuples(st.integers(0, 39), st.integers(1, 40)))
def test_a_cut_out_is_the_part_of_the_whole(
    stored: tuple[Path, MaskedImage], x: tuple[int, int], y: tuple[int, int]
) -> None:
    """Any rectangle, within the file or beyond its margin, has the pixels of the whole in native types."""
    path, whole = stored
    box = Box(min(x[0], x[1] - 1), min(y[0], y[1] - 1), max(x[0] + 1, x[1]), max(y[0] + 1, y[1]))
    file, numbers = ImageFile.of(path)
    assert numbers == {"SKYNOISE": 12.5}
    part = file.cut(box)
    for name in ("image", "variance", "mask"):
        plane, expected = getattr(part, name), getattr(whole, name)
        np.testing.assert_array_equal(plane, expected[box.slices])
        assert plane.dtype == expected.dtype
        assert plane.flags.c_contiguous


def test_a_file_cut_short_is_refused(stored: tuple[Path, MaskedImage], tmp_path: Path) -> None:
    """A file without all planes is named."""
    short = tmp_path / "short.fits"
    short.write_bytes(stored[0].read_bytes()[: 3 * 2880])
    with pytest.raises(OSError, match=r"short\.fits: must have 4 HDUs of a masked image, found 2"):
        ImageFile.of(short)
