from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from hypothesis import given, settings
from hypothesis import strategies as st

from qa.drp.algorithms.coadd import (
    Coadd,
    coadd_visits,
    contributions_from_table,
    contributions_to_table,
    tiles,
)
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.algorithms.solution import Solution, TanSip, ZeroPoint, solutions_to_table
from qa.drp.algorithms.warp import VisitInput
from qa.drp.crop import Cutouts, crop
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.pipeline

MARGIN = 4
"""Pixels around the edge of a detector that the kernel does not reach."""


@dataclass(frozen=True)
class Stack:
    """Visits whose detectors cover a tract pixel by pixel, one electron being one nJy."""

    images: list[MaskedImage]

    def inputs(self) -> list[VisitInput]:
        """Return them as a coadd takes them."""
        return [VisitInput.of(image, aligned(image.shape, visit)) for visit, image in enumerate(self.images)]

    def coadd(self, *, tile: int = 256) -> Coadd:
        """Coadd them."""
        return coadd_of(self.inputs(), self.images[0].shape, tile=tile)


def coadd_of(inputs: Sequence[VisitInput], shape: tuple[int, int], *, tile: int = 256) -> Coadd:
    """Coadd on the whole tract."""
    ny, nx = shape
    side = max(ny, nx)
    grid = TangentGrid(150.0, 2.0, 0.2, side)
    low = (side - nx) // 2, (side - ny) // 2
    return coadd_visits(inputs, grid, Box(low[0], low[1], low[0] + nx, low[1] + ny), tile=tile)


def aligned(shape: tuple[int, int], visit: int) -> Solution:
    """Lay a detector pixel on pixel over a tract."""
    ny, nx = shape
    step, nothing = 0.2 / 3600, np.zeros((5, 5))
    cd = step * np.array([[-1.0, 0.0], [0.0, 1.0]])
    wcs = TanSip((150.0, 2.0), ((nx - 1) / 2, (ny - 1) / 2), cd, nothing, nothing, nothing, nothing)
    return Solution(visit, 0, nx, ny, wcs, ZeroPoint(nx, ny, np.array([31.4, 0, 0, 0, 0, 0])))


def visits(noises: Sequence[float], *, signal: float = 0.0, shape: tuple[int, int] = (60, 60)) -> Stack:
    """Draw visits of one scene with the given sky noise."""
    rng = np.random.default_rng(3)
    v, u = np.mgrid[: shape[0], : shape[1]]
    scene = signal * np.exp(-0.5 * ((u - 30) ** 2 + (v - 30) ** 2) / 4)
    images = []
    for noise in noises:
        image = (scene + rng.normal(0, noise, shape)).astype(np.float32)
        variance = np.full(shape, noise**2, dtype=np.float32)
        header: dict[str, str | int | float | bool] = {"SKYNOISE": noise, "PSFFWHM": 4.0}
        images.append(MaskedImage(image, variance, np.zeros(shape, np.int16), header))
    return Stack(images)


def moffat(u: np.ndarray, v: np.ndarray, fwhm: float, *, flux: float) -> np.ndarray:
    """Draw a Moffat profile, beta = 3.5."""
    radius2 = (fwhm / 2) ** 2 / (2 ** (1 / 3.5) - 1)
    drawn: np.ndarray = flux * 2.5 / (np.pi * radius2) * (1 + (u**2 + v**2) / radius2) ** -3.5
    return drawn.astype(np.float32)


@settings(max_examples=8)
@given(st.permutations(range(4)))
def test_order_of_visits_does_not_matter(order: list[int]) -> None:
    """Any order of the inputs gives the same bits."""
    stack = visits([1.0, 2.0, 1.5, 1.0], signal=100.0)
    inputs = stack.inputs()
    one, two = stack.coadd(), coadd_of([inputs[i] for i in order], (60, 60))
    assert np.array_equal(one.image.image, two.image.image)
    assert np.array_equal(one.image.variance, two.image.variance)
    assert np.array_equal(one.n_visits, two.n_visits)


@settings(max_examples=5)
@given(st.integers(7, 90))
def test_the_size_of_tiles_does_not_matter(tile: int) -> None:
    """Any tiling gives the same mask and counts, and the same pixels but for the rounding of coordinates.

    The very last pixels that a kernel reaches lie on the edge of its reach here: rounding decides about them.
    """
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    stack = visits([1.0, 1.0, 1.0], signal=100.0, shape=(90, 90))
    stack.images[0].image[20:70, 40] += 300.0
    one, two = stack.coadd(), stack.coadd(tile=tile)
    assert np.array_equal(one.n_visits[inside], two.n_visits[inside])
    assert np.array_equal(one.image.mask[inside], two.image.mask[inside])
    assert np.allclose(one.image.image[inside], two.image.image[inside], atol=0.01)


def test_tiles_cover_each_pixel_once() -> None:
    """Tiles neither overlap nor leave gaps, whatever the sides of the rectangle."""
    seen = np.zeros((70, 50), dtype=int)
    for tile in tiles(Box(0, 0, 50, 70), 16):
        seen[tile.slices] += 1
    assert (seen == 1).all()


def test_only_small_parts_of_the_inputs_are_held() -> None:
    """No cut-out is larger than a tile with the kernel's and the clipping's margin, however large the detector."""
    asked = []
    image = visits([1.0], shape=(200, 200)).images[0]

    def cut(box: Box) -> MaskedImage:
        asked.append((box.x1 - box.x0, box.y1 - box.y0))
        return crop(image, box)

    source = VisitInput(aligned((200, 200), 1), Cutouts(image.header, cut))
    coadd_of([source], (200, 200), tile=32)
    assert len(asked) >= 36
    assert np.max(asked) <= 32 + 2 * 6 + 8


def test_weights_follow_the_sky() -> None:
    """The coadd's noise is that of the optimal mean, and its variance and header say so."""
    coadd = visits([1.0, 2.0, 4.0], shape=(200, 200)).coadd()
    expected = 1 / (1 + 1 / 4 + 1 / 16)
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    assert np.std(coadd.image.image[inside]) ** 2 == pytest.approx(expected, rel=0.05)
    assert coadd.image.header["SKYVAR"] == pytest.approx(expected)
    assert float(np.median(coadd.image.variance[inside])) == pytest.approx(expected, rel=1e-3)
    assert [one.weight for one in coadd.contributions] == pytest.approx([1, 1 / 4, 1 / 16])


def test_contributions_survive_storage() -> None:
    """What a coadd is made of can be kept as a table."""
    found = visits([1.0, 2.0]).coadd().contributions
    solutions = solutions_to_table(one.solution for one in reversed(found))
    again = contributions_from_table(contributions_to_table(found, solutions))
    assert [(one.solution.visit, one.weight) for one in again] == [(one.solution.visit, one.weight) for one in found]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_cosmic_rays_are_clipped(count: int) -> None:
    """What one visit alone sees is left out, from two visits on."""
    stack = visits([1.0] * count)
    stack.images[1].image[30, 30:34] += 500.0
    coadd = stack.coadd()
    assert np.abs(coadd.image.image[28:33, 28:36]).max() < 5
    assert (coadd.image.mask[30, 30:34] & int(Mask.CLIPPED)).all()
    assert (coadd.n_visits[30, 30:34] == count - 1).all()
    assert (coadd.n_visits[MARGIN:-MARGIN, MARGIN:-MARGIN] == count).mean() > 0.98


@pytest.mark.parametrize("count", [2, 4, 5])
def test_bright_stars_are_not_clipped(count: int) -> None:
    """Seeing that differs by up to 40% between visits takes no bites out of bright stars, cores or wings."""
    v, u = np.mgrid[:100, :100]
    stack = visits([1.0] * count, shape=(100, 100))
    for i, image in enumerate(stack.images):
        fwhm = 4.0 * (1 + 0.4 * i / (count - 1))
        image.image += moffat(u - 50.2, v - 49.7, fwhm, flux=1e6)
        image.header["PSFFWHM"] = fwhm
    coadd = stack.coadd()
    assert (coadd.n_visits[MARGIN:-MARGIN, MARGIN:-MARGIN] == count).all()


@pytest.mark.parametrize("count", [3, 8])
@pytest.mark.parametrize("brightness", [4.0, 20.0, 2000.0])
def test_a_satellite_leaves_nothing(brightness: float, count: int) -> None:
    """A trail over one visit, its faint edges included, changes the coadd by less than a tenth of its noise."""
    stack = visits([1.0] * count, shape=(150, 150))
    clean = stack.coadd().image.image
    v, u = np.mgrid[:150, :150]
    distance = (u - 0.37 * v - 50) / np.hypot(1, 0.37)
    stack.images[1].image += (brightness * np.exp(-0.5 * (distance / 1.8) ** 2)).astype(np.float32)
    coadd = stack.coadd()
    change = (coadd.image.image - clean)[10:-10] * np.sqrt(count)
    for near in range(8):
        ring = (np.abs(distance[10:-10]) >= near) & (np.abs(distance[10:-10]) < near + 1)
        assert abs(change[ring].mean()) < 0.15
    assert 0.03 < coadd.clipped[1] < 0.2
    assert coadd.clipped[0] == coadd.clipped[2] == 0
    assert ((coadd.image.mask & int(Mask.CLIPPED)) != 0)[20:-20][np.abs(distance[20:-20]) < 1].mean() > 0.95


def test_a_cosmic_ray_costs_few_pixels() -> None:
    """Little more than the pixels hit are left out; a star under it keeps its flux from the others."""
    stack = visits([1.0] * 4, signal=500.0)
    stack.images[2].image[30, 28:33] += 5000.0
    coadd = stack.coadd()
    assert 5 <= (coadd.n_visits == 3).sum() <= 40
    clean = visits([1.0] * 4, signal=500.0).coadd().image.image
    assert coadd.image.image.sum() == pytest.approx(clean.sum(), rel=5e-3)


def test_half_a_visit_may_be_masked() -> None:
    """Where a visit is masked the others give the same flux with more noise."""
    stack = visits([1.0] * 3, signal=500.0)
    clean = stack.coadd()
    stack.images[0].mask[:, ::2] = int(Mask.BAD)
    stack.images[0].image[:, ::2] = -1000.0
    coadd = stack.coadd()
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    assert (coadd.n_visits[inside] == 2).all()
    assert not (coadd.image.mask[inside] & int(Mask.NO_DATA)).any()
    assert np.median(coadd.image.variance[inside]) == pytest.approx(1.5 * np.median(clean.image.variance[inside]))
    assert coadd.image.image.sum() == pytest.approx(clean.image.image.sum(), rel=0.01)


def test_a_saturated_centre_stays_flagged() -> None:
    """A star saturated in any visit is flagged on the coadd, as its flux there is wrong."""
    stack = visits([1.0] * 3, signal=5000.0)
    stack.images[1].mask[29:32, 29:32] = int(Mask.SATURATED)
    assert (stack.coadd().image.mask[30, 30] & int(Mask.SATURATED)) != 0


def test_one_visit_is_passed_through() -> None:
    """A single visit is its own coadd, cosmic ray and all."""
    stack = visits([1.5], signal=50.0)
    stack.images[0].image[20, 20] += 500.0
    coadd = stack.coadd()
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    assert np.allclose(coadd.image.image[inside], stack.images[0].image[inside], atol=0.01)
    assert (coadd.n_visits[inside] == 1).all()


def test_tiles_leave_no_seam() -> None:
    """A cosmic ray across the border of two tiles is clipped on both sides."""
    stack = visits([1.0, 1.0, 1.0], shape=(300, 60))
    stack.images[0].image[250:262, 20] += 300.0
    assert (stack.coadd().n_visits[250:262, 20] == 2).all()


def test_pixels_without_data_are_not_used() -> None:
    """A visit's hole is filled by the others; where all have a hole there is NO_DATA."""
    stack = visits([1.0, 1.0])
    for image, rows in zip(stack.images, (slice(20, 35), slice(30, 45)), strict=True):
        image.image[rows], image.variance[rows], image.mask[rows] = 0, np.inf, int(Mask.NO_DATA)
    coadd = stack.coadd()
    assert coadd.n_visits[[10, 25, 32, 40, 50], 30].tolist() == [2, 1, 0, 1, 2]
    assert (coadd.image.mask[32, MARGIN:-MARGIN] == Mask.NO_DATA).all()
    assert np.isinf(coadd.image.variance[32]).all()
    assert not (coadd.image.mask[25, MARGIN:-MARGIN] & int(Mask.NO_DATA)).any()


def test_inputs_that_do_not_reach_the_patch_are_refused() -> None:
    """Nothing to add up is an expected failure."""
    with pytest.raises(UnusableImageError, match="reaches the patch, found none"):
        coadd_of([], (10, 10))
