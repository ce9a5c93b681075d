from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from qa.twins.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qa.twins.manifest import TwinRaw
    from qa.twins.recipe import Recipe

pytestmark = pytest.mark.pipeline
pytest.importorskip("galsim")
pytest.importorskip("astro_metadata_translator")

CAMERAS = ("hsc", "decam", "megaprime", "lsstcam", "latiss")


def first_raw(folder: Path) -> TwinRaw:
    """Return the first raw of a twin."""
    return read_manifest(folder).raws[0]


def copied(folder: Path, into: Path) -> Path:
    """Copy the first raw of a twin to where it may be spoilt."""
    return shutil.copy(folder / first_raw(folder).path, into / "raw.fits")


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_segments_fill_the_detector_exactly_once(camera: str, toy_twin: Callable[[str], Path]) -> None:
    """Every pixel of the assembled detector belongs to one amplifier, and every row has its overscan."""
    from qa.drp.raw import read_raw

    folder = toy_twin(camera)
    chosen = first_raw(folder)
    raw = read_raw(folder / chosen.path, detector=chosen.detectors[-1])
    covered = np.zeros(raw.shape, dtype=int)
    for segment in raw.segments:
        covered[segment.target.slices] += 1
        assert segment.data.dtype == segment.overscan.dtype == np.float32
        assert segment.overscan.shape[0] == segment.data.shape[0]
        assert segment.gain == pytest.approx(2.0, rel=0.25)
    assert raw.shape == (128, 128)
    assert (covered == 1).all()


@pytest.mark.parametrize("camera", CAMERAS)
def test_assembled_pixels_are_what_was_collected(
    camera: str, toy_twin: Callable[[str], Path], toy_recipe: Callable[..., Recipe]
) -> None:
    """Overscan, bias, gain and flat taken off, a raw shows the drawn scene the right way round."""
    from qa.drp.raw import read_raw
    from qa.twins.electronics import bias_pattern, make_chip
    from qa.twins.forms import form_of
    from qa.twins.scene import expected_electrons
    from qa.twins.sky import true_sky

    folder, recipe = toy_twin(camera), toy_recipe(camera)
    manifest, detector = read_manifest(folder), recipe.detectors[-1]
    path = next(raw.path for raw in manifest.raws if detector.id in raw.detectors)
    raw = read_raw(folder / path, detector=detector.id)
    geometry = form_of(camera).geometry(recipe.detector_shape)
    chip = make_chip(recipe, detector, geometry.channels)
    bias = bias_pattern(recipe, detector, 0, geometry.channels)
    electrons = np.zeros(raw.shape)
    for segment, true in zip(raw.segments, chip.amplifiers, strict=True):
        place = segment.target.slices
        adu = segment.data - np.median(segment.overscan, axis=1)[:, None] - bias[place]
        electrons[place] = adu * true.gain / chip.response[place]
    expected = expected_electrons(recipe, recipe.visits[0], detector, true_sky(recipe))
    pull = ((electrons - expected) / np.sqrt(expected + 60.0))[~chip.bad]
    assert abs(np.median(pull)) < 0.15
    assert 1.4826 * np.median(np.abs(pull)) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_cameras_own_translator_reads_all_without_a_word(
    camera: str, toy_twin: Callable[[str], Path], toy_recipe: Callable[..., Recipe], caplog: pytest.LogCaptureFixture
) -> None:
    """When, where, how long and through which filter come out as the recipe has them, and nothing is logged."""
    from qa.drp.raw import observation_info

    folder, recipe = toy_twin(camera), toy_recipe(camera)
    manifest, visit = read_manifest(folder), recipe.visits[0]
    for detector in first_raw(folder).detectors:
        info = observation_info(folder / first_raw(folder).path, detector=detector)
        assert (info.instrument, info.detector_num) == (manifest.instrument, detector)
        assert info.exposure_id == info.visit_id == visit.exposure
        assert info.physical_filter == recipe.bands["r"].physical_filter
        assert info.datetime_begin.utc.isot == "2018-01-16T12:00:00.000"
        assert info.datetime_end.utc.isot == "2018-01-16T12:00:30.000"
        assert info.exposure_time.to_value("s") == pytest.approx(30.0)
        assert info.observation_type == "science"
        assert info.boresight_airmass >= 1.0
        assert info.tracking_radec.icrs.ra.deg == pytest.approx(150.1, abs=1e-3)
        assert info.tracking_radec.icrs.dec.deg == pytest.approx(2.2, abs=1e-3)
    assert not caplog.records


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_headers_wcs_is_off_by_the_pointing_error(
    camera: str, toy_twin: Callable[[str], Path], toy_recipe: Callable[..., Recipe]
) -> None:
    """The crude WCS of the assembled detector misses the truth by the pointing error and the distortion, no more."""
    from astropy.wcs import WCS

    from qa.drp.raw import detector_header
    from qa.twins.optics import detector_origin, view

    folder, recipe = toy_twin(camera), toy_recipe(camera)
    detector, visit = recipe.detectors[0], recipe.visits[0]
    header = detector_header(folder / first_raw(folder).path, detector=detector.id)
    crude = WCS(naxis=2)
    crude.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    crude.wcs.crval = header["CRVAL1"], header["CRVAL2"]
    crude.wcs.crpix = header["CRPIX1"], header["CRPIX2"]
    crude.wcs.cd = [[header["CD1_1"], header["CD1_2"]], [header["CD2_1"], header["CD2_2"]]]
    ra, dec = crude.all_pix2world([10.0, 60.0, 100.0], [20.0, 60.0, 110.0], 0)
    x, y = view(recipe, visit).pixels(ra, dec, origin=detector_origin(recipe, detector))
    missed = np.hypot(x - [10.0, 60.0, 100.0], y - [20.0, 60.0, 110.0]) * recipe.optics.pixel_scale
    assert missed == pytest.approx(np.full(3, np.hypot(1.5, 1.2)), abs=0.15)


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_detectors_in_a_file_are_told(camera: str, toy_twin: Callable[[str], Path]) -> None:
    """A file's detectors are those of the manifest."""
    from qa.drp.raw import detector_ids

    folder = toy_twin(camera)
    assert all(detector_ids(folder / raw.path) == raw.detectors for raw in read_manifest(folder).raws)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.6, 0.97])
def test_a_truncated_file_is_refused_in_one_line(
    camera: str, kept: float, toy_twin: Callable[[str], Path], tmp_path: Path
) -> None:
    """Whatever part of a raw file is missing at its end, one line says so."""
    from qa.drp.raw import RawError, read_raw

    folder = toy_twin(camera)
    path = copied(folder, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(RawError, match=r"raw\.fits: must be a") as caught:
        read_raw(path, detector=first_raw(folder).detectors[-1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("camera", "hdu", "card"),
    [
        ("hsc", 0, "T_GAIN3"),
        ("hsc", 0, "CRVAL1"),
        ("hsc", 0, "DET-ID"),
        ("decam", 1, "BIASSECB"),
        ("decam", 1, "CCDNUM"),
        ("megaprime", 1, "RDNOISEA"),
        ("lsstcam", 5, "DETSEC"),
        ("latiss", 0, "EXPTIME"),
    ],
)
def test_a_missing_card_is_named(
    camera: str, hdu: int, card: str, toy_twin: Callable[[str], Path], tmp_path: Path
) -> None:
    """Without a card that reading needs, one line names the card."""
    from astropy.io import fits

    from qa.drp.raw import RawError, read_raw

    folder = toy_twin(camera)
    path = copied(folder, tmp_path)
    with fits.open(path, mode="update") as hdus:
        del hdus[hdu].header[card]
    with pytest.raises(RawError, match=card):
        read_raw(path, detector=first_raw(folder).detectors[0])


@pytest.mark.parametrize(
    ("camera", "hdu", "card"), [("hsc", 0, "EXP-ID"), ("decam", 0, "TELRA"), ("latiss", 0, "SEQNUM")]
)
def test_a_missing_card_of_the_observation_is_refused(
    camera: str, hdu: int, card: str, toy_twin: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A raw that does not say when, where or how long it was taken cannot be translated."""
    from astropy.io import fits

    from qa.drp.raw import RawError, observation_info

    path = copied(toy_twin(camera), tmp_path)
    with fits.open(path, mode="update") as hdus:
        del hdus[hdu].header[card]
    with pytest.raises(RawError, match="when, where and how long"):
        observation_info(path)
    caplog.clear()


def test_a_detector_that_is_not_in_the_file_is_refused(toy_twin: Callable[[str], Path]) -> None:
    """Asked for another detector, the error tells which ones the file holds."""
    from qa.drp.raw import RawError, read_raw

    folder = toy_twin("decam")
    with pytest.raises(RawError, match="must be a raw exposure of detector 61, found detector 27, 34"):
        read_raw(folder / first_raw(folder).path, detector=61)


def test_a_section_outside_of_the_frame_is_refused(toy_twin: Callable[[str], Path], tmp_path: Path) -> None:
    """Cards and pixels that contradict each other are an error, not a smaller picture."""
    from astropy.io import fits

    from qa.drp.raw import RawError, read_raw

    path = copied(toy_twin("decam"), tmp_path)
    with fits.open(path, mode="update") as hdus:
        hdus[1].header["DATASECA"] = "[1000:1063,51:178]"
    with pytest.raises(RawError, match="within its"):
        read_raw(path, detector=27)


def test_a_file_of_no_sponsored_camera_is_refused(tmp_path: Path) -> None:
    """Any other FITS file is refused with what its INSTRUME card says."""
    from astropy.io import fits

    from qa.drp.raw import RawError, read_raw

    path = tmp_path / "other.fits"
    fits.PrimaryHDU(np.zeros((4, 4)), fits.Header([("INSTRUME", "Kodak")])).writeto(path)
    with pytest.raises(RawError, match="Kodak"):
        read_raw(path, detector=0)


def test_a_file_that_is_not_there_or_not_fits_is_refused(tmp_path: Path) -> None:
    """Absence and another format are told apart."""
    from qa.drp.raw import RawError, read_raw

    with pytest.raises(RawError, match="no such file"):
        read_raw(tmp_path / "none.fits", detector=0)
    (tmp_path / "text.fits").write_text("not a picture")
    with pytest.raises(RawError, match="damaged"):
        read_raw(tmp_path / "text.fits", detector=0)


@pytest.mark.parametrize("camera", CAMERAS)
def test_crosstalk_is_undone_where_each_camera_reads(
    camera: str, toy_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    """The ghosts of a bright source vanish from the other amplifiers, whichever way they are read."""
    from qa.drp.algorithms.isr import assembled, signals
    from qa.drp.raw import read_raw
    from qa.twins.electronics import make_chip, read_out
    from qa.twins.forms import form_of
    from qa.twins.forms.base import Exposure, Readout
    from qa.twins.optics import crude_wcs

    facts = {"gain": 1.0, "read_noise": 0.01, "bias": 1500.0, "saturation": 60000.0, "drift": 0.0, "spread": 0.0}
    by_distance = (0.01, -0.004, 0.002)
    recipe = toy_recipe(
        camera, electronics=facts | {"crosstalk": by_distance}, blemishes={"unstable_pixels": 0, "bad_columns": 0}
    )
    form, visit, detectors = form_of(camera), recipe.visits[0], recipe.detectors
    geometry = form.geometry(recipe.detector_shape)
    electrons = np.zeros((128, 128), dtype=np.float32)
    electrons[20:24, 3:7] = 50_000.0
    readouts = []
    for detector in detectors if form.together else detectors[:1]:
        chip = make_chip(recipe, detector, geometry.channels)
        frames = read_out(
            recipe,
            visit,
            detector,
            electrons,
            chip=chip,
            bias=np.zeros_like(electrons),
            channels=geometry.channels,
            frame_shape=geometry.frame_shape,
            dtype=form.dtype,
        )
        readouts.append(Readout(detector, geometry, chip.amplifiers, crude_wcs(recipe, (150.0, 2.0), detector), frames))
    form.hdus(Exposure(recipe, visit, (150.0, 2.0), form.site), readouts).writeto(tmp_path / "raw.fits")
    raw = read_raw(tmp_path / "raw.fits", detector=detectors[0].id)
    spoilt, clean = (assembled(raw, signals(raw, fractions)) for fractions in ((), by_distance))
    empty = electrons == 0
    assert np.abs(spoilt[empty]).max() > 400
    # What is left is the square of the coefficients, and the rounding to integers.
    assert np.abs(clean[empty]).max() < 50_000 * 3 * 0.01**2 + 2
