from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.characterize import characterize
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[..., tuple[MaskedImage, np.ndarray]]

pytestmark = pytest.mark.pipeline

COLUMNS = [
    "x", "y", "x_err", "y_err", "flux", "flux_err", "snr", "xx", "yy", "xy",
    "e1", "e2", "psf_e1", "psf_e2", "fwhm", "extendedness", "psf_star", "flag",
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
    """The table's meta has size, exposure time, sky, PSF and crude WCS as plain numbers."""
    meta = characterize(star_field()[0]).sources.meta
    assert set(meta) >= {"NX", "NY", "EXPTIME", "SKY", "SKYNOISE", "PSFFWHM", "NPSF", "CRVAL1", "CRPIX2", "CD1_1"}
    assert all(type(value) in {int, float} for value in meta.values())
    assert meta["SKY"] == pytest.approx(400, abs=3)


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
