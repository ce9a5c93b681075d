from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")

from astropy.io import fits
from astropy.wcs import WCS

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.solution import TanSip
from qa.drp.image import Mask
from qa.drp.real import read_reduced, tan_sip

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.pipeline

SHAPE = (40, 60)


def cards(**changes: Any) -> fits.Header:
    """Make the header of a reduced frame."""
    found = {"GAIN": 2.0, "EXPTIME": 30.0, "SATURATE": 5000.0, "AIRMASS": 1.2, "FILTER": "r", "SEEING": 1.0}
    found |= {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": 150.0,
        "CRVAL2": 2.0,
        "CRPIX1": 30.5,
        "CRPIX2": 20.5,
    }
    found |= {"CD1_1": -5e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 5e-5}
    return fits.Header({name: value for name, value in (found | changes).items() if value is not None})


def write(folder: Path, *, pixels: np.ndarray | None = None, **changes: Any) -> Path:
    """Write one of noise 10 ADU with its sky subtracted."""
    noise = np.random.default_rng(0).normal(0, 10, SHAPE) if pixels is None else pixels
    path = folder / "frame.fits"
    fits.writeto(path, noise, cards(**changes), overwrite=True)
    return path


def test_pixels_become_electrons_with_their_own_noise(tmp_path: Path) -> None:
    """The variance is what the empty pixels show, whatever was subtracted before, plus that of the light above them."""
    pixels = np.random.default_rng(0).normal(0, 10, SHAPE)
    pixels[10, 10] = 1000.0
    image = read_reduced(write(tmp_path, pixels=pixels))
    assert image.image.dtype == np.float32
    assert image.image[10, 10] == 2000.0
    assert np.sqrt(np.median(image.variance)) == pytest.approx(20, rel=0.1)
    assert image.variance[10, 10] == pytest.approx(2000 + 400, rel=0.05)
    assert not image.mask.any()
    assert image.header["AIRMASS"] == 1.2
    assert "SEEING" not in image.header


def test_unusable_pixels_are_masked(tmp_path: Path) -> None:
    """NaN holds no data; what reaches the limit of the header, or that told, is saturated."""
    pixels = np.random.default_rng(0).normal(0, 10, SHAPE)
    pixels[0, 0], pixels[1, 1], pixels[2, 2] = np.nan, 6000.0, 900.0
    path = write(tmp_path, pixels=pixels)
    image = read_reduced(path)
    assert image.mask[0, 0] == Mask.NO_DATA
    assert image.mask[1, 1] == Mask.SATURATED
    assert np.isfinite(image.image).all()
    assert read_reduced(path, saturation=800.0).mask[2, 2] == Mask.SATURATED


def test_facts_that_are_told_count_more_than_those_of_the_header(tmp_path: Path) -> None:
    """A header may lack them, or be wrong."""
    image = read_reduced(write(tmp_path, GAIN=None), gain=4.0, exposure_time=7.0)
    assert np.sqrt(np.median(image.variance)) == pytest.approx(40, rel=0.1)
    assert image.header["EXPTIME"] == 7.0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"GAIN": None}, "a positive GAIN, found None"),
        ({"EXPTIME": -1.0}, "a positive EXPTIME, found -1.0"),
        ({"CTYPE1": None, "CTYPE2": None}, "a celestial WCS, found none in the header"),
        ({"pixels": np.full(SHAPE, np.nan)}, "finite pixels, found none"),
        ({"pixels": np.zeros((2, 3, 4))}, "an image of two axes, found none"),
    ],
)
def test_a_frame_that_cannot_be_used_says_why(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    """What is missing is named."""
    with pytest.raises(UnusableImageError, match=reason):
        read_reduced(write(tmp_path, **changes))


def test_another_projection_is_followed(tmp_path: Path) -> None:
    """The cards of the image are of a TAN-SIP that agrees with the WCS of the frame, here a zenithal one with scale."""
    image = read_reduced(write(tmp_path, CTYPE1="RA---ZEA", CTYPE2="DEC--ZEA"))
    x, y = np.array([0.0, 30.0, 59.0]), np.array([0.0, 39.0, 12.0])
    expected = WCS(cards(CTYPE1="RA---ZEA", CTYPE2="DEC--ZEA")).all_pix2world(x, y, 0)
    assert np.allclose(TanSip.from_header(image.header).pixel_to_sky(x, y), expected, atol=1e-4 / 3600)


def test_a_wcs_that_is_no_smooth_map_is_refused() -> None:
    """A projection that TAN-SIP cannot follow over the frame is not silently replaced by something near it."""
    wide = WCS(cards(CTYPE1="RA---AIT", CTYPE2="DEC--AIT", CRVAL1=0.0, CRVAL2=0.0, CD1_1=-1.5, CD2_2=1.5))
    with pytest.raises(UnusableImageError, match=r"a TAN-SIP fit to 0\.001 arcsec"):
        tan_sip(wide, shape=SHAPE)
