from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.coadd import Coadd
from qa.drp.algorithms.coadd_map import describe
from qa.drp.algorithms.psf import PsfModel
from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from astropy.table import Table

pytestmark = pytest.mark.pipeline

GRID, OUTER, NOISE, SIZE = TangentGrid(150.0, 2.0, 0.5, 1000), Box(100, 200, 700, 800), 3.0, 600
PSF = PsfModel(SIZE, SIZE, 0, np.array([[np.log(2.0)], [0.05], [-0.02]]), 10)


@dataclass(frozen=True)
class Field:
    """A coadd of pure noise and what is bright on it."""

    coadd: Coadd
    bright: np.ndarray

    def tables(self) -> tuple[Table, Table]:
        """Describe it; the image measured on is the coadd itself."""
        return describe(self.coadd, self.coadd.image, GRID, patch=7, psf=PSF, outer=OUTER, bright=self.bright)


def field(*, claimed: float = NOISE, level: float = 0.0) -> Field:
    """Draw noise that the variance plane takes for `claimed`; the right half has four visits, the left one."""
    rng = np.random.default_rng(4)
    image = (rng.normal(0, NOISE, (SIZE, SIZE)) + level).astype(np.float32)
    variance = np.full((SIZE, SIZE), claimed**2, np.float32)
    visits = np.ones((SIZE, SIZE), np.int16)
    visits[:, 300:], variance[:, 300:], image[:, 300:] = 4, claimed**2 / 4, level + (image[:, 300:] - level) / 2
    masked = MaskedImage(image, variance, np.zeros((SIZE, SIZE), np.int16), {"SKYVAR": claimed**2 / 4})
    return Field(Coadd(masked, visits), np.zeros((SIZE, SIZE), np.bool_))


def test_depth_and_noise_of_each_tile_are_those_drawn() -> None:
    """A tile with four times the visits is 0.75 mag deeper; places and PSF are those of its middle."""
    _, tiles = field().tables()
    assert len(tiles) == 9
    left, right = tiles[tiles["x"] < 300 + 100 - 172], tiles[tiles["x"] > 300 + 100 + 212]
    assert set(left["n_visits"]) == {1.0}
    assert set(right["n_visits"]) == {4.0}
    assert np.median(right["depth5"]) - np.median(left["depth5"]) == pytest.approx(2.5 * np.log10(2), abs=1e-3)
    expected = 31.4 - 2.5 * np.log10(5 * NOISE * np.sqrt(np.pi / (2 * np.log(2))) * PSF.fwhm)
    assert left["depth5"][0] == pytest.approx(expected, abs=0.1)
    assert tiles["psf_fwhm"][0] == pytest.approx(0.5 * PSF.fwhm)
    assert tiles["psf_e1"][0] == pytest.approx(0.05)
    x, y = GRID.sky_to_pixel(tiles["ra"], tiles["dec"])
    assert np.allclose(x, tiles["x"])
    assert np.allclose(y, tiles["y"])
    assert (tiles["patch"] == 7).all()


def test_noise_ratio_tells_a_wrong_variance() -> None:
    """A variance plane that promises half the noise gives a ratio of two, and the depth does not change."""
    right, _ = field().tables()
    wrong, _ = field(claimed=NOISE / 2).tables()
    assert right["sky_noise_ratio"][0] == pytest.approx(1.0, abs=0.1)
    assert wrong["sky_noise_ratio"][0] == pytest.approx(2 * right["sky_noise_ratio"][0], rel=1e-4)
    assert wrong["depth5"][0] == pytest.approx(right["depth5"][0], abs=1e-3)


@pytest.mark.parametrize(("part", "crowded"), [(0.0, False), (0.3, False), (0.5, True), (1.0, True)])
def test_a_crowded_field_has_no_noise_ratio(part: float, crowded: bool) -> None:  # noqa: FBT001 - a parameter
    """With detections on half the apertures nothing is claimed of the noise; the depth is what the rest tells."""
    drawn = field()
    drawn.coadd.image.mask[: round(part * SIZE)] = int(Mask.DETECTED)
    depth, _ = drawn.tables()
    known, _ = field().tables()
    assert np.isnan(depth["sky_noise_ratio"][0]) == crowded
    assert depth["depth5"][0] == pytest.approx(known["depth5"][0], abs=0.1)


def test_missing_pixels_do_not_make_a_field_crowded() -> None:
    """Only apertures with data on all their pixels are counted."""
    drawn = field()
    drawn.coadd.image.mask[:300] = int(Mask.NO_DATA)
    assert drawn.tables()[0]["sky_noise_ratio"][0] == pytest.approx(1.0, abs=0.12)


def test_sky_residual_is_per_square_arcsec_and_leaves_objects_out() -> None:
    """A level of 2 nJy in pixels of half an arcsec is 8 nJy per square arcsec, whatever the detected pixels hold."""
    drawn = field(level=2.0)
    drawn.coadd.image.image[:, :50] = 1000.0
    drawn.coadd.image.mask[:, :50] = int(Mask.DETECTED)
    depth, tiles = drawn.tables()
    assert depth["sky_residual"][0] == pytest.approx(8.0, abs=0.3)
    assert tiles["sky_residual"][0] == pytest.approx(8.0, abs=0.6)


def test_a_dark_halo_shows_around_bright_objects() -> None:
    """Sky over-subtracted around a bright object shows as a negative residual there, not in the whole."""
    drawn = field()
    v, u = np.mgrid[:SIZE, :SIZE]
    radius = np.hypot(u - 200, v - 300)
    drawn.bright[radius < 20] = True
    drawn.coadd.image.image[(radius > 25) & (radius < 70)] -= 5.0
    drawn.coadd.image.mask[radius < 20] = int(Mask.DETECTED)
    depth, _ = drawn.tables()
    assert depth["sky_residual_bright"][0] == pytest.approx(-20.0, abs=4.0)
    assert abs(depth["sky_residual"][0]) < 1.5


def test_without_bright_objects_their_surroundings_are_the_sky() -> None:
    """Where nothing is bright there is no halo to speak of: the residual is that of the whole."""
    depth, _ = field(level=1.0).tables()
    assert depth["sky_residual_bright"][0] == depth["sky_residual"][0]
