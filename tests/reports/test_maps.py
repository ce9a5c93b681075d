"""Maps of a coadd, tile by tile."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import images, maps
from reports.testing import a_picture


@pytest.fixture
def mosaic(tmp_path: Path) -> images.Mosaic:
    """Return a small simulated coadd with its tiles."""
    a_picture(tmp_path / "coadd-r.npz", np.random.default_rng(1), side=120)
    return images.load(tmp_path / "coadd-r.npz")


def drawn(mosaic: images.Mosaic) -> list[maps.Drawing]:
    """Draw all maps of a mosaic."""
    assert mosaic.tiles is not None
    width, height = mosaic.size
    return list(maps.draw(mosaic.tiles, width=width, height=height, factor=mosaic.factor))


def test_depth_sharpness_and_visits_have_a_map_each(mosaic: images.Mosaic) -> None:
    """A map has the frame of its picture, and every tile has a colour."""
    found = drawn(mosaic)
    assert [one.kind.name for one in found] == ["depth5", "psf_fwhm", "n_visits"]
    for one in found:
        root = ET.fromstring(one.svg)  # noqa: S314 - our own drawing
        assert root.attrib["viewBox"] == "0 0 120 120"
        assert sum(path.attrib["d"].count("M") for path in root) == 81


def test_the_last_row_is_at_the_top() -> None:
    """A tile at the end of the array lies at the top of the map, as in the picture."""
    edges = np.array([[0.0, 90.0, 10.0, 100.0]])
    tiles = maps.Tiles(edges, {"n_visits": np.array([3.0])})
    (one,) = maps.draw(tiles, width=100, height=100, factor=1)
    assert 'd="M0.0 0.0H10.0V10.0H0.0z"' in one.svg


def test_a_tile_without_value_stays_empty() -> None:
    """NaN has no colour, and a map of nothing else is not drawn."""
    edges = np.array([[0.0, 0.0, 10.0, 10.0], [10.0, 0.0, 20.0, 10.0]])
    one_missing = maps.Tiles(edges, {"depth5": np.array([24.0, np.nan])})
    (one,) = maps.draw(one_missing, width=20, height=10, factor=1)
    assert one.svg.count("M") == 1
    assert not list(maps.draw(maps.Tiles(edges, {"depth5": np.full(2, np.nan)}), width=20, height=10, factor=1))


def test_a_picture_without_tiles_has_no_maps(tmp_path: Path) -> None:
    """Pictures of earlier runs, which have no tiles, are still shown."""
    path = tmp_path / "coadd-r.npz"
    a_picture(path, np.random.default_rng(1), side=120)
    with np.load(path) as arrays:
        np.savez(path, **{name: arrays[name] for name in arrays if not name.startswith("tile")})
    assert images.load(path).tiles is None


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0.01, 10))
def test_colours_keep_the_order_of_the_values(values: list[float], least: float) -> None:
    """A larger value is never darker, and the colours span no less than the least range."""
    array = np.sort(np.array(values))
    low, high = maps.limits(array, least=least)
    assert high - low >= least * (1 - 1e-9)
    assert (np.diff(maps.levels(array, low, high)) >= 0).all()
