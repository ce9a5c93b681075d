from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("numba")

from qa.drp.algorithms.cosmics import cosmic_rays
from qa.drp.image import Mask

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.drp.image import MaskedImage

pytestmark = pytest.mark.pipeline


def tracks(exposure: MaskedImage, *, number: int = 40, charge: float = 1500.0) -> np.ndarray:
    """Let cosmic rays strike; returns which pixels."""
    rng = np.random.default_rng(11)
    hit = np.zeros(exposure.shape, dtype=bool)
    for x, y, angle in rng.uniform((10, 10, 0), (390, 390, np.pi), (number, 3)):
        along = np.arange(0.0, rng.uniform(1, 15), 0.5)
        columns = np.clip((x + along * np.cos(angle)).astype(int), 0, 399)
        hit[np.clip((y + along * np.sin(angle)).astype(int), 0, 399), columns] = True
    exposure.image[hit] += charge
    exposure.variance[hit] += charge
    return hit


@pytest.mark.parametrize("flux", [2e3, 3e4, 1e6])
@pytest.mark.parametrize("fwhm", [3.0, 4.0, 6.0])
def test_stars_are_no_cosmic_rays(
    star_field: Callable[..., tuple[MaskedImage, np.ndarray]], flux: float, fwhm: float
) -> None:
    """However bright, the core of a star is left alone, as is the noise of the sky."""
    exposure, _ = star_field(flux=flux, fwhm=fwhm)
    assert cosmic_rays(exposure).sum() <= 2


def test_cosmic_rays_are_found(star_field: Callable[..., tuple[MaskedImage, np.ndarray]]) -> None:
    """Of the struck pixels nine tenths are found; what is marked beside them touches them."""
    exposure, _ = star_field()
    struck = tracks(exposure)
    found = cosmic_rays(exposure)
    assert (found & struck).sum() > 0.9 * struck.sum()
    y, x = np.nonzero(found & ~struck)
    near = np.pad(struck, 1)
    assert all(near[v : v + 3, u : u + 3].any() for v, u in zip(y, x, strict=True))


def test_masked_pixels_are_not_looked_at(star_field: Callable[..., tuple[MaskedImage, np.ndarray]]) -> None:
    """A hot pixel that is known is no cosmic ray, nor does it make its neighbours one."""
    exposure, _ = star_field()
    exposure.image[200, 210] += 1e5
    exposure.variance[200, 210] += 1e5
    assert cosmic_rays(exposure)[199:202, 209:212].any()
    exposure.mask[200, 210] |= Mask.BAD
    assert not cosmic_rays(exposure)[190:210, 200:220].any()
