from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.background import grown, subtract_background
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.pipeline


def plain(image: np.ndarray) -> MaskedImage:
    """Make an image without a mask."""
    image = image.astype(np.float32)
    return MaskedImage(image, np.full_like(image, 9.0), np.zeros(image.shape, dtype=np.int16))


@pytest.fixture
def noise() -> np.ndarray:
    """Sky of level 100 and noise 3."""
    return np.random.default_rng(2).normal(100, 3, (256, 256))


def test_level_and_noise_are_measured(noise: np.ndarray) -> None:
    """The sky's level and noise are found and the level is gone afterwards."""
    image, sky = subtract_background(plain(noise))
    assert sky.level == pytest.approx(100, abs=0.2)
    assert sky.noise == pytest.approx(3, rel=0.03)
    assert abs(float(np.median(image.image))) < 0.1


def test_an_offset_changes_the_level_only(noise: np.ndarray) -> None:
    """Adding a constant to an image adds it to the level and leaves the result alone."""
    first, sky = subtract_background(plain(noise))
    second, higher = subtract_background(plain(noise + 50))
    assert higher.level - sky.level == pytest.approx(50, abs=0.01)
    assert np.allclose(first.image, second.image, atol=0.01)


def test_sources_left_out_do_not_brighten_the_sky(star_field: Callable[..., tuple[MaskedImage, np.ndarray]]) -> None:
    """With its sources left out a crowded image has the sky it was drawn with, closer than without."""
    exposure, rows = star_field(flux=1e6)
    segments = np.zeros(exposure.shape, dtype=np.int32)
    for x, y, _ in rows:
        segments[round(y) - 9 : round(y) + 10, round(x) - 9 : round(x) + 10] = 1
    _, rough = subtract_background(exposure)
    _, fine = subtract_background(exposure, segments=segments)
    assert fine.level == pytest.approx(400, abs=1.0)
    assert fine.level < rough.level


@pytest.mark.parametrize("halo", [6, 40, 1000])
def test_a_crowded_field_keeps_some_sky(star_field: Callable[..., tuple[MaskedImage, np.ndarray]], halo: int) -> None:
    """However large the surroundings of the sources, and even where sources cover all, the level is that of the sky."""
    exposure, rows = star_field(flux=2e4)
    segments = np.zeros(exposure.shape, dtype=np.int32)
    for x, y, _ in rows:
        segments[round(y) - 9 : round(y) + 10, round(x) - 9 : round(x) + 10] = 1
    assert subtract_background(exposure, segments=segments, halo=halo)[1].level == pytest.approx(400, abs=2)
    segments[:] = 1
    assert subtract_background(exposure, segments=segments, halo=halo)[1].level == pytest.approx(400, abs=5)


def test_unusable_images_are_refused(noise: np.ndarray) -> None:
    """A constant image, one all masked and one with NaN that is not masked: each has its own line."""
    with pytest.raises(UnusableImageError, match="noise, found a constant, 7"):
        subtract_background(plain(np.full((64, 64), 7.0)))
    masked = plain(noise)
    masked.mask[:] = int(Mask.BAD)
    with pytest.raises(UnusableImageError, match="unmasked pixels, found none"):
        subtract_background(masked)
    noise[3, 3] = np.nan
    with pytest.raises(UnusableImageError, match="finite values"):
        subtract_background(plain(noise))


def test_masked_pixels_do_not_matter(noise: np.ndarray) -> None:
    """What lies under the mask has no influence, and is 0 afterwards."""
    one, two = plain(noise), plain(noise)
    two.image[10:20, 10:20] = 1e6
    for image in (one, two):
        image.mask[10:20, 10:20] = int(Mask.BAD)
    assert np.array_equal(subtract_background(one)[0].image, subtract_background(two)[0].image)


def test_growing_is_a_square_dilation() -> None:
    """Each chosen pixel marks the square around it, inside the image."""
    chosen = np.zeros((9, 9), dtype=bool)
    chosen[0, 0] = chosen[5, 5] = True
    result = grown(chosen, 1)
    assert result.sum() == 4 + 9
    assert result[1, 1]
    assert result[4:7, 4:7].all()


def test_sky_is_found_where_no_cell_of_the_mesh_is_half_free() -> None:
    """With two thirds of the pixels masked everywhere the sky is one level; it is not 0 with a noise of 1."""
    rng = np.random.default_rng(4)
    image = rng.normal(400.0, 20.0, (256, 256)).astype(np.float32)
    mask = np.where(rng.uniform(size=image.shape) < 0.67, Mask.BAD, 0).astype(np.int16)
    _, sky = subtract_background(MaskedImage(image, np.full_like(image, 400.0), mask))
    assert sky.level == pytest.approx(400.0, abs=1.0)
    assert sky.noise == pytest.approx(20.0, rel=0.05)
