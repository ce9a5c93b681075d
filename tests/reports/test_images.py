from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qa.errors import DocumentError
from reports import images
from reports.testing import a_picture


@pytest.fixture
def mosaic(tmp_path: Path) -> images.Mosaic:
    """Return a small simulated coadd."""
    a_picture(tmp_path / "coadd-r.npz", np.random.default_rng(1), side=120)
    return images.load(tmp_path / "coadd-r.npz")


def test_a_picture_is_a_png_of_the_right_size(mosaic: images.Mosaic, tmp_path: Path) -> None:
    """North is up, and what was not observed is transparent."""
    path = tmp_path / "a.png"
    path.write_bytes(images.png(mosaic))
    with Image.open(path) as picture:
        assert picture.size == (120, 120)
        assert picture.info["transparency"] == 0
        levels = np.asarray(picture)
    assert levels[-1, 0] == 0
    assert levels[0, 0] > 0


def test_the_same_arrays_give_the_same_bytes(mosaic: images.Mosaic) -> None:
    """A picture does not depend on when it is drawn."""
    assert images.png(mosaic) == images.png(mosaic)
    assert images.overlay(mosaic) == images.overlay(mosaic)


def test_detections_are_marked_where_they_are(mosaic: images.Mosaic) -> None:
    """Stars are circles, galaxies diamonds; no style attribute is needed."""
    text = images.overlay(mosaic)
    root = ET.fromstring(text)  # noqa: S314 - our own drawing
    stars, galaxies = root.findall(".//{*}g/{*}path")
    assert stars.attrib["d"].count("M") == int((~mosaic.extended).sum())
    assert galaxies.attrib["d"].count("M") == int(mosaic.extended.sum())
    assert "style" not in text


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32) | st.just(float("nan")), min_size=12, max_size=12))
def test_any_image_can_be_stretched(values: list[float]) -> None:
    """All NaN, all equal or wildly bright: the stretch gives grey levels, and brighter is never darker."""
    image = np.array(values, dtype=np.float32).reshape(3, 4)
    levels = images.stretch(image)
    good = np.isfinite(image)
    assert ((levels == 0) == ~good).all()
    ordered = levels[good][np.argsort(image[good])]
    assert (np.diff(ordered.astype(int)) >= 0).all()


def test_large_mosaics_are_averaged_down() -> None:
    """The mean over the observed pixels of a block; a block without any stays empty."""
    image = np.array([[1, 3, np.nan, np.nan], [5, np.nan, np.nan, np.nan]], dtype=np.float32)
    assert np.array_equal(images.shrink(image, 2), np.array([[3, np.nan]], dtype=np.float32), equal_nan=True)


def test_a_bad_file_is_one_clear_error(tmp_path: Path) -> None:
    """Absent, not an archive, or without the arrays: what was required and found is said."""
    (tmp_path / "text.npz").write_text("not an archive")
    np.savez(tmp_path / "other.npz", other=np.zeros(3))
    np.savez(tmp_path / "flat.npz", image=np.zeros(3), pixel_scale=1.0, x=[1.0], y=[1.0], extended=[True])
    for name in ("absent.npz", "text.npz", "other.npz", "flat.npz"):
        with pytest.raises(DocumentError, match=r"must be an \.npz file with the arrays image"):
            images.load(tmp_path / name)
