from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from hypothesis import given, settings
from hypothesis import strategies as st

from qa.drp.algorithms.coadd import coadd_warps
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.pipeline


def warps(noises: Sequence[float], *, signal: float = 0.0, shape: tuple[int, int] = (40, 50)) -> list[MaskedImage]:
    """Warps of one scene with the given sky noise."""
    rng = np.random.default_rng(3)
    v, u = np.mgrid[: shape[0], : shape[1]]
    scene = signal * np.exp(-0.5 * ((u - 25) ** 2 + (v - 20) ** 2) / 4)
    result = []
    for noise in noises:
        image = (scene + rng.normal(0, noise, shape)).astype(np.float32)
        variance = np.full(shape, noise**2, dtype=np.float32)
        result.append(MaskedImage(image, variance, np.zeros(shape, np.int16), {"SKYVAR": noise**2, "PSFFWHM": 4.0}))
    return result


@settings(max_examples=20)
@given(st.permutations(range(4)))
def test_order_of_visits_does_not_matter(order: list[int]) -> None:
    """Any order of the warps gives the same bits."""
    given_warps = warps([1.0, 2.0, 1.5, 1.0], signal=100.0)
    one, two = coadd_warps(given_warps), coadd_warps([given_warps[i] for i in order])
    assert np.array_equal(one.image.image, two.image.image)
    assert np.array_equal(one.image.variance, two.image.variance)
    assert np.array_equal(one.n_visits, two.n_visits)


def test_weights_follow_the_sky() -> None:
    """The coadd's noise is that of the optimal mean, and its variance and header say so."""
    coadd = coadd_warps(warps([1.0, 2.0, 4.0], shape=(200, 200)))
    expected = 1 / (1 + 1 / 4 + 1 / 16)
    assert np.std(coadd.image.image) ** 2 == pytest.approx(expected, rel=0.05)
    assert coadd.image.header["SKYVAR"] == pytest.approx(expected)
    assert float(np.median(coadd.image.variance)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_cosmic_rays_are_clipped(count: int) -> None:
    """What one visit alone sees is left out, from two visits on."""
    stack = warps([1.0] * count)
    stack[1].image[30, 30:34] += 500.0
    coadd = coadd_warps(stack)
    assert np.abs(coadd.image.image[28:33, 28:36]).max() < 5
    assert (coadd.image.mask[30, 30:34] & int(Mask.CLIPPED)).all()
    assert (coadd.n_visits[30, 30:34] == count - 1).all()
    assert (coadd.n_visits == count).mean() > 0.98


@pytest.mark.parametrize("count", [2, 4])
def test_bright_stars_are_not_clipped(count: int) -> None:
    """The different seeing of the visits does not take bites out of bright stars."""
    v, u = np.mgrid[:40, :50]
    stack = warps([1.0] * count)
    for i, warp in enumerate(stack):
        sigma = 2.0 + 0.4 * i / count
        warp.image += (1e5 / sigma**2 * np.exp(-0.5 * ((u - 25) ** 2 + (v - 20) ** 2) / sigma**2)).astype(np.float32)
    coadd = coadd_warps(stack)
    assert (coadd.n_visits[16:25, 21:30] == count).all()


def test_one_visit_is_passed_through() -> None:
    """A single warp is its own coadd, cosmic ray and all."""
    (warp,) = warps([1.5], signal=50.0)
    coadd = coadd_warps([warp])
    assert np.array_equal(coadd.image.image, warp.image)
    assert (coadd.n_visits == 1).all()


def test_tiles_leave_no_seam() -> None:
    """A cosmic ray across the border of two tiles is clipped on both sides."""
    stack = warps([1.0, 1.0, 1.0], shape=(300, 50))
    stack[0].image[250:262, 20] += 300.0
    coadd = coadd_warps(stack)
    assert (coadd.n_visits[250:262, 20] == 2).all()


def test_pixels_without_data_are_not_used() -> None:
    """A visit's hole is filled by the others; where all have a hole there is NO_DATA."""
    stack = warps([1.0, 1.0])
    for warp, rows in zip(stack, (slice(0, 10), slice(5, 15)), strict=True):
        warp.image[rows], warp.variance[rows], warp.mask[rows] = 0, np.inf, int(Mask.NO_DATA)
    coadd = coadd_warps(stack)
    assert coadd.n_visits[:20, 0].tolist() == [1] * 5 + [0] * 5 + [1] * 5 + [2] * 5
    assert (coadd.image.mask[5:10] == Mask.NO_DATA).all()
    assert np.isinf(coadd.image.variance[5:10]).all()
    assert not (coadd.image.mask[:5] & int(Mask.NO_DATA)).any()


def test_no_warps_and_unequal_warps_are_refused() -> None:
    """Nothing to add up, or patches of different shapes, is an expected failure."""
    with pytest.raises(UnusableImageError, match="found no warps"):
        coadd_warps([])
    with pytest.raises(UnusableImageError, match="warps of one shape"):
        coadd_warps([*warps([1.0]), *warps([1.0], shape=(10, 10))])
