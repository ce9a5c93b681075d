from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.algorithms.solution import Solution, TanSip, ZeroPoint
from qa.drp.algorithms.warp import VisitInput, lanczos_table, place
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.pipeline

GRID = TangentGrid(150.0, 2.0, 0.2, 500)
BOX = Box(0, 0, 500, 500)
FLUX_OF_ONE = 2.5


def solution(*, rotation: float = 0.0, scale: float = 0.2, shift: float = 0.0) -> Solution:
    """Place with a linear WCS a 400 x 400 detector in the middle of the tract; one electron is 2.5 nJy."""
    step, angle = scale / 3600, np.radians(rotation)
    cd = step * np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    nothing = np.zeros((5, 5))
    wcs = TanSip((150.0, 2.0), (199.5 + shift, 199.5), cd, nothing, nothing, nothing, nothing)
    zero_point = 31.4 - 2.5 * np.log10(FLUX_OF_ONE)
    return Solution(1, 1, 400, 400, wcs, ZeroPoint(400, 400, np.array([zero_point, 0, 0, 0, 0, 0])))


def spot(*, sigma: float = 2.0, flux: float = 1000.0, x: float = 180.3, y: float = 220.8) -> MaskedImage:
    """Draw a Gaussian of given flux in electrons."""
    v, u = np.mgrid[:400, :400]
    image = flux / (2 * np.pi * sigma**2) * np.exp(-0.5 * ((u - x) ** 2 + (v - y) ** 2) / sigma**2)
    image = image.astype(np.float32)
    return MaskedImage(image, np.full_like(image, 4.0), np.zeros(image.shape, np.int16), {"PSFFWHM": 4.7})


def warped(exposure: MaskedImage, placed: Solution, box: Box = BOX) -> MaskedImage:
    """Return the coadd of a single visit: its warp."""
    return coadd_visits([VisitInput.of(exposure, placed)], GRID, box).image


@pytest.mark.parametrize("where", [{}, {"rotation": 30.0}, {"scale": 0.26}, {"scale": 0.17, "shift": 0.37}])
def test_flux_and_position_are_kept(where: dict[str, float]) -> None:
    """Whatever the rotation and the pixel scale, a source keeps its flux in nJy to 0.1% and its place to 0.01 px."""
    placed = solution(**where)
    warp = warped(spot(), placed)
    total = float(warp.image.sum(dtype=np.float64))
    assert total == pytest.approx(1000.0 * FLUX_OF_ONE, rel=1e-3)
    v, u = np.mgrid[:500, :500]
    expected = GRID.sky_to_pixel(*placed.wcs.pixel_to_sky(180.3, 220.8))
    centre = (warp.image * u).sum(dtype=np.float64) / total, (warp.image * v).sum(dtype=np.float64) / total
    assert np.allclose(centre, expected, atol=0.01)


def test_a_shift_by_whole_pixels_is_a_copy() -> None:
    """Where the grids coincide the pixels are only scaled."""
    rng = np.random.default_rng(0)
    exposure = spot()
    exposure.image += rng.normal(0, 1, exposure.shape).astype(np.float32)
    warp = warped(exposure, solution())
    inside = warp.image[60:440, 60:440]
    assert np.allclose(inside, exposure.image[10:390, 10:390] * FLUX_OF_ONE, atol=0.02)


def test_a_constant_stays_constant() -> None:
    """The weights of the kernel sum to 1 at every phase, so that a flat sky has no pattern."""
    assert np.allclose(lanczos_table().sum(axis=1), 1, atol=1e-6)
    exposure = spot(flux=0.0)
    exposure.image += 100.0
    warp = warped(exposure, solution(rotation=10.0))
    seen = np.isfinite(warp.variance)
    assert np.allclose(warp.image[seen], 250.0, rtol=1e-4)


def test_variance_is_right_for_apertures() -> None:
    """The scatter of 8 x 8 pixel sums of warped noise is what the variance plane says, in spite of correlation."""
    exposure = spot(flux=0.0)
    exposure.image += np.random.default_rng(1).normal(0, 2, exposure.shape).astype(np.float32)
    warp = warped(exposure, solution(rotation=20.0, scale=0.25))
    sums = warp.image[130:370, 130:370].reshape(30, 8, 30, 8).sum(axis=(1, 3))
    assert np.std(sums) == pytest.approx(8 * np.sqrt(warp.header["SKYVAR"]), rel=0.1)


def test_bad_pixels_and_cosmic_rays_leave_holes() -> None:
    """Whatever the kernel would take from a spoilt pixel is not used; saturated pixels are passed on."""
    exposure = spot(flux=0.0)
    exposure.image[100, 100] = 1e6
    exposure.mask[100, 100] = int(Mask.COSMIC_RAY)
    exposure.mask[200, 200] = int(Mask.SATURATED)
    warp = warped(exposure, solution(shift=0.5))
    assert np.abs(warp.image).max() == 0
    assert (warp.mask[148:153, 148:153] & int(Mask.NO_DATA)).any()
    assert (warp.mask & int(Mask.SATURATED)).any()


def test_outside_there_is_no_data() -> None:
    """Pixels off the detector have image 0, infinite variance and NO_DATA; a box off the detector gives None."""
    warp = warped(spot(), solution())
    assert warp.image[10, 10] == 0
    assert np.isinf(warp.variance[10, 10])
    assert warp.mask[10, 10] == Mask.NO_DATA
    assert place(VisitInput.of(spot(), solution()), GRID, Box(-2000, 0, -1500, 500)) is None


def test_noise_is_that_of_the_header_or_of_the_variance() -> None:
    """A visit whose noise nobody knows has no weight and is refused by name."""
    exposure = spot()
    assert VisitInput.of(exposure, solution()).noise == pytest.approx(2.0)
    exposure.header["SKYNOISE"] = 3.0
    assert VisitInput.of(exposure, solution()).noise == 3.0
    unknown = MaskedImage(exposure.image, np.full_like(exposure.image, np.inf), exposure.mask)
    with pytest.raises(UnusableImageError, match="visit 1 detector 1: 0"):
        coadd_visits([VisitInput.of(unknown, solution())], GRID, BOX)


def test_patches_agree_where_they_overlap(star_field: Callable[..., tuple[MaskedImage, np.ndarray]]) -> None:
    """Two boxes give the same pixels where they overlap."""
    exposure, _ = star_field()
    placed = solution(rotation=3.0)
    whole = warped(exposure, placed)
    part = warped(exposure, placed, Box(130, 170, 330, 400))
    assert np.allclose(whole.image[170:400, 130:330], part.image, rtol=1e-3, atol=0.5)
