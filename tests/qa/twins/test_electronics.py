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


def test_the_master_flat_undoes_the_errors_of_the_headers_gains(toy_recipe: Callable[..., Recipe]) -> None:
    """True electrons times the response, through true gain and back through the header's, equal the flat."""
    recipe = toy_recipe("lsstcam")
    detector, channels = recipe.detectors[0], channels_of(recipe)
    chip = electronics.make_chip(recipe, detector, channels)
    flat = electronics.master_flat(recipe, detector, chip, channels, 0)
    for channel, amplifier in zip(channels, chip.amplifiers, strict=True):
        place = channel.target.box.slices
        through = chip.response[place] / amplifier.gain * amplifier.header_gain
        assert flat[place] == pytest.approx(through, rel=5e-3)
    assert len({amplifier.header_gain for amplifier in chip.amplifiers}) == 16


def test_bias_epochs_differ_by_more_than_the_noise(toy_recipe: Callable[..., Recipe]) -> None:
    """The wrong epoch's bias leaves more than a pixel's read noise behind."""
    recipe = toy_recipe("decam")
    detector, channels = recipe.detectors[0], channels_of(recipe)
    first, second = (electronics.master_bias(recipe, detector, epoch, channels) for epoch in (0, 1))
    again = electronics.master_bias(recipe, detector, 0, channels)
    assert np.array_equal(first, again)
    assert np.std(first - second) > recipe.electronics.read_noise / recipe.electronics.gain
    # The master is nearly the pattern itself.
    assert np.std(first - electronics.bias_pattern(recipe, detector, 0, channels)) < 0.2


def test_photons_come_as_poisson_has_it(toy_recipe: Callable[..., Recipe]) -> None:
    """Variance equals mean where no cosmic ray struck."""
    recipe = toy_recipe(
        "hsc", blemishes={"cosmic_rays": 0.0, "pixel_scatter": 0.0, "vignetting": 0.0, "bad_columns": 0}
    )
    detector, visit = recipe.detectors[0], recipe.visits[0]
    chip = electronics.make_chip(recipe, detector, channels_of(recipe))
    got = electronics.collected(recipe, visit, detector, np.full((128, 128), 400.0, dtype=np.float32), chip)
    assert got.mean() == pytest.approx(400.0, rel=0.003)
    assert got.var() == pytest.approx(400.0, rel=0.05)


def test_cosmic_rays_are_bright_and_few(toy_recipe: Callable[..., Recipe]) -> None:
    """They only add, to a small part of the pixels, in number as the recipe has it."""
    recipe = toy_recipe("hsc", blemishes={"cosmic_rays": 3000.0})
    detector, visit = recipe.detectors[0], recipe.visits[0]
    chip = electronics.make_chip(recipe, detector, channels_of(recipe))
    struck = electronics.collected(recipe, visit, detector, np.zeros((128, 128), dtype=np.float32), chip)
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
    wrong = (chip.hot > 0) | (chip.response < 0.9)
    assert np.array_equal(wrong, chip.bad)
    assert 0 < chip.bad.mean() < 0.05
