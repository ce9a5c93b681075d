from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from qa.twins import electronics
from qa.twins.forms import form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.twins.forms.base import Channel
    from qa.twins.recipe import Recipe


def channels_of(recipe: Recipe) -> tuple[Channel, ...]:
    """Return the amplifiers of the recipe's camera."""
    return form_of(recipe.camera).geometry(recipe.detector_shape).channels


def test_bias_epochs_differ_by_more_than_the_noise(toy_recipe: Callable[..., Recipe]) -> None:
    """The wrong epoch's bias leaves more than a pixel's read noise behind."""
    recipe = toy_recipe("decam")
    detector, channels = recipe.detectors[0], channels_of(recipe)
    first, second = (electronics.bias_pattern(recipe, detector, epoch, channels) for epoch in (0, 1))
    assert np.array_equal(first, electronics.bias_pattern(recipe, detector, 0, channels))
    assert np.std(first - second) > recipe.electronics.read_noise / recipe.electronics.gain


def test_dark_current_grows_with_the_time_in_the_dark(toy_recipe: Callable[..., Recipe]) -> None:
    """Without light a pixel collects its own current times the time, most of all hot ones."""
    recipe = toy_recipe("lsstcam", blemishes={"cosmic_rays": 0.0, "hot_pixels": 20})
    detector, shot = recipe.detectors[0], recipe.visits[0]
    chip = electronics.make_chip(recipe, detector, channels_of(recipe))
    short, long = (
        electronics.collected(recipe, shot, detector, 0.0, chip=chip, dark_time=time) for time in (100.0, 1000.0)
    )
    assert long.sum() == pytest.approx(10 * short.sum(), rel=0.02)
    assert chip.dark[~chip.bad].max() > 1.5 * np.median(chip.dark[~chip.bad])
    assert long[chip.dark > 1].mean() > 1000.0


def test_crosstalk_copies_a_source_to_where_the_other_amplifier_reads(toy_recipe: Callable[..., Recipe]) -> None:
    """Of two amplifiers read towards opposite sides, the ghost is a mirror image of the coefficient's strength."""
    facts = {"gain": 2.0, "read_noise": 1e-3, "bias": 1500.0, "saturation": 60000.0, "drift": 0.0, "spread": 0.0}
    recipe = toy_recipe("decam", electronics=facts | {"crosstalk": (0.01,)}, blemishes={"unstable_pixels": 0})
    form = form_of("decam")
    geometry, detector = form.geometry(recipe.detector_shape), recipe.detectors[0]
    electrons = np.zeros((128, 128), dtype=np.float32)
    electrons[40, 10] = 20000.0
    (frame,) = electronics.read_out(
        recipe,
        recipe.visits[0],
        detector,
        electrons,
        chip=electronics.make_chip(recipe, detector, geometry.channels),
        bias=np.zeros((128, 128), dtype=np.float32),
        channels=geometry.channels,
        frame_shape=geometry.frame_shape,
        dtype=form.dtype,
    )
    right, left = (channel.data.box for channel in geometry.channels)
    assert frame[left.y0 + 40, left.x0 + 10] == 11500
    assert frame[right.y0 + 40, right.x1 - 1 - 10] == 1600


def test_flats_fill_half_of_what_a_pixel_holds(toy_recipe: Callable[..., Recipe]) -> None:
    """The lamp changes a little from one flat to the next."""
    recipe = toy_recipe("hsc")
    levels = [electronics.flat_light(recipe, visit) for visit in recipe.visits]
    assert levels[0] != levels[1]
    assert levels == pytest.approx([0.5 * 58500 * 2.0] * 2, rel=0.031)


def test_photons_come_as_poisson_has_it(toy_recipe: Callable[..., Recipe]) -> None:
    """Variance equals mean where no cosmic ray struck."""
    recipe = toy_recipe(
        "hsc", blemishes={"cosmic_rays": 0.0, "pixel_scatter": 0.0, "vignetting": 0.0, "bad_columns": 0}
    )
    detector, visit = recipe.detectors[0], recipe.visits[0]
    chip = electronics.make_chip(recipe, detector, channels_of(recipe))
    got = electronics.collected(recipe, visit, detector, 400.0, chip=chip, dark_time=0.0)
    assert got.mean() == pytest.approx(400.0, rel=0.003)
    assert got.var() == pytest.approx(400.0, rel=0.05)


def test_cosmic_rays_are_bright_and_few(toy_recipe: Callable[..., Recipe]) -> None:
    """They only add, to a small part of the pixels, in number as the recipe has it."""
    recipe = toy_recipe("hsc", blemishes={"cosmic_rays": 3000.0})
    detector, visit = recipe.detectors[0], recipe.visits[0]
    chip = electronics.make_chip(recipe, detector, channels_of(recipe))
    struck = electronics.collected(recipe, visit, detector, 0.0, chip=chip, dark_time=30.0)
    assert struck.min() == 0.0
    assert 0.001 < np.mean(struck > 100.0) < 0.1


def test_saturated_pixels_are_clipped_where_the_header_says(toy_recipe: Callable[..., Recipe]) -> None:
    """No raw value exceeds saturation, and what is over-full sits exactly there."""
    recipe = toy_recipe("megaprime")
    detector, visit, form = recipe.detectors[0], recipe.visits[0], form_of("megaprime")
    geometry = form.geometry(recipe.detector_shape)
    electrons = np.full((128, 128), 1e3, dtype=np.float32)
    electrons[10:20, 30:40] = 1e7
    (frame,) = electronics.read_out(
        recipe,
        visit,
        detector,
        electrons,
        chip=electronics.make_chip(recipe, detector, geometry.channels),
        bias=np.zeros((128, 128), dtype=np.float32),
        channels=geometry.channels,
        frame_shape=geometry.frame_shape,
        dtype=form.dtype,
    )
    assert frame.dtype == np.uint16
    assert frame.shape == geometry.frame_shape
    assert (frame == 60000).sum() == 100
    assert frame.max() == 60000


def test_defects_cover_what_is_wrong(toy_recipe: Callable[..., Recipe]) -> None:
    """Every dead or hot pixel is in the defect map, and little else."""
    recipe = toy_recipe(
        "hsc", blemishes={"bad_columns": 3, "hot_pixels": 10, "pixel_scatter": 0.001, "vignetting": 0.0}
    )
    chip = electronics.make_chip(recipe, recipe.detectors[0], channels_of(recipe))
    wrong = (chip.dark > 1) | (chip.response < 0.9) | (chip.unstable > 0)
    assert np.array_equal(wrong, chip.bad)
    assert 0 < chip.bad.mean() < 0.05
