# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
from pathlib import Path

import numpy as np
import pytest

butler_module = pytest.importorskip("lsst.daf.butler")

from qa.drp import repository
from qa.drp.image import Box, Mask, MaskedImage
from qa.drp.skymap import SkyMap

pytestmark = pytest.mark.pipeline
SKY = SkyMap("toy", ra=10.0, dec=1.0, pixel_scale=0.2, npix=100, patch_npix=60, border=5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a repository with a sky map, a run and two types of images."""
    folder = tmp_path_factory.mktemp("repository") / "repo"
    repository.create(folder)
    with butler_module.Butler.from_config(str(folder), writeable=True) as butler:
        SKY.register(butler)
        butler.collections.register("run")
        for name, kind in (("coadd", "ArrayMaskedImage"), ("coverage", "PixelPlane")):
            dimensions = ("skymap", "tract", "patch")
            registered = butler_module.DatasetType(name, dimensions, kind, universe=butler.dimensions)
            butler.registry.registerDatasetType(registered)
    return folder


def image(**header: str | float | bool) -> MaskedImage:
    """Make an image with all that a FITS file could spoil."""
    plane = np.arange(12, dtype=np.float32).reshape(3, 4)
    empty = plane > 5
    variance = np.where(empty, np.inf, plane).astype(np.float32)
    return MaskedImage(
        np.where(empty, 0, plane), variance, empty.astype(np.int16) * np.int16(Mask.NO_DATA), dict(header)
    )


def round_trip(root: Path, name: str, value: object, patch: int) -> object:
    """Write and read one data set."""
    with butler_module.Butler.from_config(str(root), run="run") as butler:
        butler.put(value, name, skymap="toy", tract=0, patch=patch)
        return butler.get(name, skymap="toy", tract=0, patch=patch)


def test_input_data_sets_are_registered(root: Path) -> None:
    """A new repository knows raws, calibrations, catalogues and sky maps."""
    with butler_module.Butler.from_config(str(root)) as butler:
        kinds = {kind.name: kind.isCalibration() for kind in butler.registry.queryDatasetTypes()}
    calibrations = {name for name, is_calibration in kinds.items() if is_calibration}
    assert calibrations == {"bias", "dark", "flat", "defects", "crosstalk"}
    assert {"raw", "reference_catalog", "truth_catalog", "sky_map"} <= set(kinds)


def test_masked_image_survives_the_butler(root: Path) -> None:
    """All three planes come back bit by bit, in this machine's byte order, and the header with its types."""
    header = {"EXPTIME": 30.5, "BAND": "r", "FLAG": True, "COUNT": 7, "A LONGER NAME": 1.25}
    back = round_trip(root, "coadd", image(**header), patch=0)
    assert isinstance(back, MaskedImage)
    for name in ("image", "variance", "mask"):
        plane, wanted = getattr(back, name), getattr(image(), name)
        np.testing.assert_array_equal(plane, wanted)
        assert plane.dtype == wanted.dtype
        assert plane.dtype.isnative
    assert back.header == header
    assert isinstance(back.header["FLAG"], bool)


def test_empty_margins_take_no_space(root: Path) -> None:
    """Only the part with data is in the file, with its own WCS; in memory the image is whole again."""
    from astropy.io import fits

    whole = MaskedImage(
        np.zeros((50, 60), np.float32), np.full((50, 60), np.inf, np.float32), np.full((50, 60), 16, np.int16)
    )
    whole.header |= SKY.grid.wcs_cards(Box(0, 0, 60, 50))
    for plane, value in ((whole.image, 5.0), (whole.variance, 2.0), (whole.mask, 0)):
        plane[20:30, 10:40] = value
    back = round_trip(root, "coadd", whole, patch=2)
    assert isinstance(back, MaskedImage)
    assert back.header["CTYPE1"] == "RA---TAN"
    # A card has room for 14 to 16 digits.
    assert back.header["CD1_1"] == pytest.approx(whole.header["CD1_1"], rel=1e-13)
    for name in ("image", "variance", "mask"):
        np.testing.assert_array_equal(getattr(back, name), getattr(whole, name))
    with butler_module.Butler.from_config(str(root), collections="run") as butler:
        path = butler.getURI("coadd", skymap="toy", tract=0, patch=2).ospath
    stored = fits.getheader(path, "IMAGE")
    assert (stored["NAXIS1"], stored["NAXIS2"]) == (30, 10)
    assert stored["CRPIX1"] == whole.header["CRPIX1"] - 10
    assert stored["CRPIX2"] == whole.header["CRPIX2"] - 20


def test_image_without_any_data_survives(root: Path) -> None:
    """An image that is empty all over is written as it is."""
    blank = MaskedImage(
        np.zeros((3, 4), np.float32), np.full((3, 4), np.inf, np.float32), np.full((3, 4), 16, np.int16)
    )
    back = round_trip(root, "coadd", blank, patch=3)
    assert isinstance(back, MaskedImage)
    np.testing.assert_array_equal(back.mask, blank.mask)


def test_header_on_disk_says_what_the_file_is(root: Path) -> None:
    """Run, data set type and data ID are stamped into the file, and do not stick to the image."""
    from astropy.io import fits

    image_in = image()
    with butler_module.Butler.from_config(str(root), run="run") as butler:
        provenance = butler_module.DatasetProvenance()
        butler.put(image_in, "coadd", skymap="toy", tract=0, patch=1, provenance=provenance)
        assert butler.get("coadd", skymap="toy", tract=0, patch=1).header == image_in.header == {}
        path = butler.getURI("coadd", skymap="toy", tract=0, patch=1).ospath
    header = fits.getheader(path)
    assert header["LSST BUTLER RUN"] == "run"
    assert header["LSST BUTLER DATASETTYPE"] == "coadd"
    assert header["LSST BUTLER DATAID PATCH"] == 1


def test_plane_survives_the_butler(root: Path) -> None:
    """A plane of integers stays one."""
    plane = np.arange(6, dtype=np.int16).reshape(2, 3)
    back = round_trip(root, "coverage", plane, patch=0)
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, plane)
    assert back.dtype == np.int16


def test_sky_map_survives_the_butler(root: Path) -> None:
    """A sky map is the same after JSON."""
    with butler_module.Butler.from_config(str(root), run="run") as butler:
        butler.put(SKY, "sky_map", skymap="toy")
        assert butler.get("sky_map", skymap="toy") == SKY


@pytest.mark.parametrize("bits", [Mask.NO_DATA, 300])
def test_pixels_are_read_a_rectangle_at_a_time(root: Path, bits: int) -> None:
    """The component `cutouts` gives any part of an image, whether its mask fits bytes or not, and what it weighs."""
    value = image(SKYNOISE=4.5, PSFFWHM=3.0, BAND="r")
    value.mask[0, 1] = bits
    with butler_module.Butler.from_config(str(root), run=f"bits/{int(bits)}") as butler:
        butler.put(value, "coadd", skymap="toy", tract=0, patch=0)
        cutouts = butler.get("coadd.cutouts", skymap="toy", tract=0, patch=0)
    assert cutouts.header == {"SKYNOISE": 4.5, "PSFFWHM": 3.0}
    part = cutouts.cut(Box(1, 0, 4, 2))
    for name in ("image", "variance", "mask"):
        np.testing.assert_array_equal(getattr(part, name), getattr(value, name)[:2, 1:])
        assert getattr(part, name).dtype == getattr(value, name).dtype
