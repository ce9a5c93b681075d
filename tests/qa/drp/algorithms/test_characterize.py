from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.background import subtract_background
from qa.drp.algorithms.characterize import characterize, measure
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.psf import PsfModel
from qa.drp.algorithms.sources import detect
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[..., tuple[MaskedImage, np.ndarray]]

pytestmark = pytest.mark.pipeline

COLUMNS = [
    "x", "y", "x_err", "y_err", "flux", "flux_err", "psf_chi2", "snr", "aperture_flux", "aperture_flux_err",
    "xx", "yy", "xy", "e1", "e2", "psf_e1", "psf_e2", "fwhm", "extendedness", "psf_star", "flag",
]  # fmt: skip


def test_fluxes_and_positions_are_unbiased(star_field: Draw) -> None:
    """Stars come out where they are, to a hundredth of a pixel, and as bright as they are, to 2%."""
    exposure, rows = star_field(flux=6e4)
    sources = characterize(exposure).sources
    assert sources.colnames == COLUMNS
    assert len(sources) == len(rows)
    order = np.argmin(np.hypot(rows[:, :1] - np.asarray(sources["x"]), rows[:, 1:2] - np.asarray(sources["y"])), axis=1)
    assert abs(np.median(sources["x"][order] - rows[:, 0])) < 0.01
    assert abs(np.median(sources["y"][order] - rows[:, 1])) < 0.01
    assert np.median(sources["flux"]) == pytest.approx(6e4, rel=0.02)
    assert not sources["flag"].any()
    assert not sources["extendedness"].any()


def test_aperture_follows_the_seeing(star_field: Draw) -> None:
    """The corrected flux of a star is the same in good and in bad seeing, to 1%."""
    fluxes = [np.median(characterize(star_field(flux=6e4, fwhm=fwhm)[0]).sources["flux"]) for fwhm in (3.5, 5.0)]
    assert fluxes[0] == pytest.approx(fluxes[1], rel=0.01)


def test_both_fluxes_are_total(star_field: Draw) -> None:
    """The flux in the aperture, corrected for the light outside by the PSF's model, is the flux as a point source."""
    sources = characterize(star_field(flux=6e4)[0]).sources
    assert np.median(sources["aperture_flux"] / sources["flux"]) == pytest.approx(1, abs=0.005)
    assert np.median(sources["psf_chi2"]) == pytest.approx(1, abs=0.1)
    assert np.median(sources["flux_err"]) < np.median(sources["aperture_flux_err"])


def test_a_known_psf_is_used(star_field: Draw) -> None:
    """With a PSF from elsewhere sources are measured with that; the image's own stars are marked all the same."""
    exposure, _ = star_field(flux=6e4)
    image, _ = subtract_background(exposure)
    found = detect(image, noise=20.0, threshold=2.0, fwhm=2.5)
    wide = PsfModel(400, 400, 0, np.array([[1.2], [0.0], [0.0]]), 7)
    sources, psf, _ = measure(image, found, psf=wide)
    assert psf is wide
    assert np.allclose(sources["fwhm"], wide.fwhm)
    assert sources["psf_star"].any()
    assert sources.meta["PSFDSIZE"] > 1


def test_saturated_stars_make_no_psf(star_field: Draw) -> None:
    """Where every star is saturated the PSF is a guess, which the meta says, and all fluxes are flagged."""
    exposure, rows = star_field(flux=6e4)
    for x, y, _ in rows:
        exposure.mask[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2] |= int(Mask.SATURATED)
    sources = characterize(exposure).sources
    assert sources.meta["NPSF"] == 0
    assert "PSFDSIZE" not in sources.meta
    assert sources["flag"].all()
    assert np.isfinite(sources["flux"]).all()


def test_cosmic_rays_are_flagged_and_masked(star_field: Draw) -> None:
    """A streak much narrower than the PSF is flagged and its pixels are masked; stars are not."""
    exposure, rows = star_field()
    exposure.image[70, 65:75] += 3000.0
    exposure.image[130, 130] += 5000.0
    done = characterize(exposure)
    cosmic = (done.image.mask & int(Mask.COSMIC_RAY)) != 0
    assert cosmic[70, 66:74].all()
    assert cosmic[130, 130]
    assert not any(cosmic[round(y), round(x)] for x, y, _ in rows)
    near = np.hypot(done.sources["x"] - 70, done.sources["y"] - 70) < 5
    assert done.sources["flag"][near].all()


def test_struck_pixels_are_no_sources(star_field: Draw) -> None:
    """What came marked as a cosmic ray is not detected, does not brighten the sky and stays marked."""
    exposure, rows = star_field()
    clean = characterize(star_field()[0])
    exposure.image[68:72, 60:80] += 3000.0
    exposure.mask[68:72, 60:80] |= int(Mask.COSMIC_RAY)
    done = characterize(exposure)
    assert len(done.sources) == len(rows)
    assert not done.sources["flag"].any()
    assert done.sources.meta["SKY"] == pytest.approx(clean.sources.meta["SKY"], abs=0.2)
    struck = (done.image.mask & int(Mask.COSMIC_RAY)) != 0
    assert struck[68:72, 60:80].all()
    assert struck.sum() == 80


def test_a_struck_star_is_flagged_and_keeps_its_flux(star_field: Draw) -> None:
    """Struck pixels take no part in the PSF's fit; the star is flagged, and none of those that make the PSF."""
    exposure, rows = star_field(flux=6e4)
    x, y = (round(value) for value in rows[8, :2])
    exposure.image[y + 2, x - 2 : x + 2] += 2e4
    exposure.mask[y + 2, x - 2 : x + 2] |= int(Mask.COSMIC_RAY)
    sources = characterize(exposure).sources
    mine = np.hypot(sources["x"] - x, sources["y"] - y) < 3
    assert mine.sum() == 1
    assert sources["flag"][mine].all()
    assert not sources["psf_star"][mine].any()
    assert sources["flux"][mine][0] == pytest.approx(6e4, rel=0.12)
    assert not sources["flag"][~mine].any()


def test_sources_on_bad_pixels_are_flagged(star_field: Draw) -> None:
    """A source with a saturated pixel or the edge of the image in its aperture is flagged, the others are not."""
    exposure, rows = star_field()
    x, y = (round(value) for value in rows[0, :2])
    exposure.mask[y, x + 2] = int(Mask.SATURATED)
    sources = characterize(exposure).sources
    touched = np.hypot(sources["x"] - x, sources["y"] - y) < 2
    assert sources["flag"][touched].all()
    assert not sources["flag"][~touched].any()


def test_galaxies_are_extended(star_field: Draw) -> None:
    """What is half as large again as the PSF is extended and no PSF star."""
    exposure, _ = star_field()
    broad, _ = star_field(fwhm=7.0, seed=9)
    exposure.image[:, 200:], exposure.variance[:, 200:] = broad.image[:, 200:], broad.variance[:, 200:]
    exposure.image[:260, 200:], exposure.variance[:260, 200:] = 400.0, 416.0
    exposure.image[:260, 200:] += np.random.default_rng(1).normal(0, 20, (260, 200)).astype(np.float32)
    sources = characterize(exposure).sources
    large = (sources["x"] > 205) & (sources["y"] > 265)
    assert large.sum() >= 4
    assert (sources["extendedness"][large] == 1).all()
    assert not sources["psf_star"][large].any()


def test_meta_carries_what_calibration_needs(star_field: Draw) -> None:
    """The table's meta has size, exposure time, sky and crude WCS as plain numbers, the PSF model as text, too."""
    meta = characterize(star_field()[0]).sources.meta
    assert set(meta) >= {"NX", "NY", "EXPTIME", "SKY", "SKYNOISE", "PSFFWHM", "NPSF", "CRVAL1", "CRPIX2", "CD1_1"}
    assert all(type(value) in {int, float, str} for value in meta.values())
    assert meta["SKY"] == pytest.approx(400, abs=3)
    assert meta["SKYRATIO"] == pytest.approx(1, abs=0.03)
    assert abs(meta["PSFDSIZE"]) < 0.005
    assert meta["PSFSSIZE"] < 0.02
    assert meta["PSFDE"] < 0.04
    assert PsfModel.from_row(meta).fwhm == meta["PSFFWHM"]


def test_no_stars_is_a_result(star_field: Draw) -> None:
    """An empty sky gives an empty table with all columns, and a finite guess of the PSF."""
    done = characterize(star_field(flux=0.0)[0])
    assert len(done.sources) == 0
    assert done.sources.colnames == COLUMNS
    assert done.sources.meta["NPSF"] == 0
    assert np.isfinite(done.sources.meta["PSFFWHM"])


def test_nothing_is_nan_and_the_input_is_left_alone(star_field: Draw) -> None:
    """All columns are finite even with masked regions, the input is unchanged, and a second run is bit-identical."""
    exposure, _ = star_field()
    exposure.mask[:, 100] = int(Mask.BAD)
    exposure.mask[:50] = int(Mask.NO_DATA)
    exposure.image[:50], exposure.variance[:50] = 0, np.inf
    before = exposure.image.copy()
    first, second = characterize(exposure), characterize(exposure)
    assert all(np.isfinite(np.asarray(first.sources[name], dtype=float)).all() for name in COLUMNS)
    assert np.array_equal(before, exposure.image)
    assert all(np.array_equal(first.sources[name], second.sources[name]) for name in COLUMNS)


def test_all_masked_is_refused(star_field: Draw) -> None:
    """An exposure without a usable pixel raises."""
    exposure, _ = star_field()
    exposure.mask[:] = int(Mask.NO_DATA)
    with pytest.raises(UnusableImageError):
        characterize(exposure)


def test_a_blended_pair_stays_in_two_places() -> None:
    """Where the moments of both parts of a blend run to its middle, positions are those of the detections."""
    v, u = np.mgrid[:101, :101] - 50.0
    light = sum(3e4 * np.exp(-((u - x) ** 2 + v**2) / (2 * 3.0**2)) for x in (-5.0, 5.0))
    image = np.random.default_rng(1).normal(0, 10, (101, 101)) + light
    exposure = MaskedImage(
        image.astype(np.float32), np.full((101, 101), 100, np.float32), np.zeros((101, 101), np.int16)
    )
    found = detect(exposure, noise=10.0, threshold=5.0, fwhm=2.5)
    assert len(found) == 2
    sources, _, _ = measure(exposure, found)
    assert abs(float(np.diff(sources["x"])[0])) > 7
