from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from astropy.io import fits

pytest.importorskip("lsst.daf.butler")
pytest.importorskip("galsim")

from obs_registry.loader import load_registry
from qa.drp.ingest import ingest_data
from qa.drp.scan import scan
from qa.errors import DocumentError
from qa.twins.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obs_registry.model import Camera

pytestmark = pytest.mark.pipeline
CAMERAS = ("hsc", "decam", "megaprime", "lsstcam", "latiss")


def camera(name: str) -> Camera:
    """Find a camera of the registry."""
    return load_registry(plugins=False)[name]


def raws_of(twin: Path, folder: Path) -> Path:
    """Copy the raws of a twin, and nothing that says what they are."""
    return shutil.copytree(twin / "raws", folder / "data")


@pytest.mark.parametrize("name", CAMERAS)
def test_headers_tell_what_the_manifest_would(name: str, toy_twin: Callable[[str], Path], tmp_path: Path) -> None:
    """Science and calibration exposures, detectors, filters and field are found from the files alone."""
    twin = toy_twin(name)
    truth = read_manifest(twin)
    scanned = scan(raws_of(twin, tmp_path), camera(name), reference=twin / "refcat.parq")
    found = scanned.manifest
    assert scanned.caveats == ()
    assert (found.instrument, found.filters) == (truth.instrument, truth.filters)
    assert [(one.id, one.shape) for one in found.detectors] == [(one.id, one.shape) for one in truth.detectors]
    assert {(one.exposure, one.detectors) for one in found.raws} == {
        (one.exposure, one.detectors) for one in truth.raws
    }
    assert {(one.kind, one.exposure, one.detectors) for one in found.calibrations} == {
        (one.kind, one.exposure, one.detectors) for one in truth.calibrations
    }
    assert (found.refcat, found.truth) == (str(twin / "refcat.parq"), None)
    # Up to two detectors of 26 arcsec side by side, dithers of 2 arcsec and a margin, in the camera's own pixels.
    width = 26 if len(truth.detectors) == 1 else 54
    assert 0 <= found.tract.npix - width / found.tract.pixel_scale - 200 < 50
    assert (found.tract.ra, found.tract.dec) == pytest.approx((truth.tract.ra, truth.tract.dec), abs=0.01)


def test_files_of_no_use_are_told(toy_twin: Callable[[str], Path], tmp_path: Path) -> None:
    """A damaged file, another camera's, a focus frame, an unknown filter and a copy cost one line each."""
    folder = raws_of(toy_twin("hsc"), tmp_path)
    science = sorted(path for path in folder.iterdir() if fits.getval(path, "DATA-TYP") == "OBJECT")
    shutil.copy(science[0], folder / "copy.fits")
    shutil.copy(next((toy_twin("decam") / "raws").iterdir()), folder / "decam.fits")
    (folder / "garbage.fits").write_bytes(b"garbage")
    (folder / "notes.txt").write_text("not looked at")
    fits.setval(science[1], "DATA-TYP", value="FOCUSING")
    fits.setval(science[2], "FILTER01", value="HSC-X")
    caveats = scan(folder, camera("hsc")).caveats
    told = {line.split(" left out: ")[0]: line for line in caveats}
    assert len(caveats) == len(told) == 5
    assert "must be there once" in told["copy.fits"] or "must be there once" in told[science[0].name]
    assert "must be of HSC, found DECam" in told["decam.fits"]
    assert "must be a complete FITS file" in told["garbage.fits"]
    assert "must be of type science, bias, dark, flat, found focus" in told[science[1].name]
    assert "found HSC-X" in told[science[2].name]


def test_exposures_of_another_field_are_left_out(toy_twin: Callable[[str], Path], tmp_path: Path) -> None:
    """The tract holds the field of most exposures; the other field is told with its distance."""
    folder = raws_of(toy_twin("hsc"), tmp_path)
    science = sorted(path for path in folder.iterdir() if fits.getval(path, "DATA-TYP") == "OBJECT")
    fits.setval(science[-1], "DEC2000", value="+12:12:00.000")
    scanned = scan(folder, camera("hsc"))
    assert len(scanned.manifest.raws) == 3
    (told,) = scanned.caveats
    assert told.startswith(f"{science[-1].name} left out: must lie within 2 deg of the others, found 10.0 deg")


def test_folder_without_exposures_of_the_sky_is_refused(tmp_path: Path) -> None:
    """The message names the folder and what was asked for."""
    with pytest.raises(DocumentError, match="a usable exposure of the sky with hsc, found no file called"):
        scan(tmp_path, camera("hsc"))


def test_what_was_found_is_ingested(toy_twin: Callable[[str], Path], tmp_path: Path) -> None:
    """A repository is made of the files where they lie; what was left out stays known."""
    twin = toy_twin("latiss")
    folder = raws_of(twin, tmp_path)
    (folder / "garbage.fits").write_bytes(b"garbage")
    scanned = scan(folder, camera("latiss"), reference=twin / "refcat.parq")
    made = ingest_data(scanned.manifest, folder, tmp_path / "butler", caveats=scanned.caveats)
    assert made.camera == "latiss"
    assert {one.kind for one in made.calibrations} == {"bias", "dark", "flat"}
    assert len(made.caveats) == 1
