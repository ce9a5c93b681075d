"""What a detector makes of the light: response, cosmic rays, amplifiers, bias, overscan, integers.

Pure: every random number comes from a generator seeded by the recipe, the detector and the exposure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.twins.optics import detector_origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.twins.forms.base import Channel
    from qa.twins.recipe import Detector, Recipe, Visit

    Image = NDArray[np.float32]

_CR_LENGTH = 12.0
_CR_CHARGE = 1500.0
_DEAD = 0.25
_HOT = 3000.0
_FLAT_NOISE = 5e-4
_BIAS_NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Amplifier:
    """One amplifier: true gain and the header's (electron/ADU), read noise (electron), level of the overscan (ADU)."""

    gain: float
    header_gain: float
    read_noise: float
    level: float


@dataclass(frozen=True, slots=True)
class Chip:
    """A detector: amplifiers, relative response (shape ny, nx), extra ADU of hot pixels, and which pixels are bad."""

    amplifiers: tuple[Amplifier, ...]
    response: Image
    hot: Image
    bad: NDArray[np.bool_]


def make_chip(recipe: Recipe, detector: Detector, channels: Sequence[Channel]) -> Chip:
    """Make a detector with its blemishes."""
    rng = np.random.default_rng([recipe.seed, 4, detector.id])
    amplifiers = tuple(_amplifier(recipe, rng) for _ in channels)
    response = _vignetting(recipe, detector)
    response *= 1.0 + recipe.blemishes.pixel_scatter * rng.standard_normal(response.shape, dtype=np.float32)
    hot, bad = np.zeros_like(response), np.zeros(response.shape, dtype=bool)
    ny, nx = response.shape
    for index in range(recipe.blemishes.bad_columns):
        column, start = rng.integers(2, nx - 2), rng.integers(0, ny // 2)
        bad[start:, column] = True
        if index % 2:
            hot[start:, column] += _HOT
        else:
            response[start:, column] *= _DEAD
    rows, columns = rng.integers(0, (ny, nx), (recipe.blemishes.hot_pixels, 2)).T
    hot[rows, columns] += rng.uniform(0.5, 3.0, len(rows)).astype(np.float32) * _HOT
    bad[rows, columns] = True
    return Chip(amplifiers, response, hot, bad)


def _amplifier(recipe: Recipe, rng: np.random.Generator) -> Amplifier:
    facts = recipe.electronics
    spread = rng.normal(0.0, facts.spread, 3)
    gain = facts.gain * (1.0 + spread[0])
    return Amplifier(
        float(gain),
        round(float(gain * (1.0 + rng.normal(0.0, facts.gain_error))), 3),
        round(float(facts.read_noise * (1.0 + spread[1])), 2),
        float(facts.bias * (1.0 + 0.5 * spread[2])),
    )


def _vignetting(recipe: Recipe, detector: Detector) -> Image:
    ny, nx = recipe.detector_shape
    x0, y0 = detector_origin(recipe, detector)
    to_field = recipe.optics.pixel_scale / (60.0 * recipe.optics.radius)
    radius2 = (((np.arange(nx) + x0) ** 2)[None, :] + ((np.arange(ny) + y0) ** 2)[:, None]) * to_field**2
    lost: Image = (1.0 - recipe.blemishes.vignetting * radius2**1.5).astype(np.float32)
    return lost


def bias_pattern(recipe: Recipe, detector: Detector, epoch: int, channels: Sequence[Channel]) -> Image:
    """Bias structure in ADU over the overscan level: a glow where readout begins, columns and a ramp, per amplifier."""
    rng = np.random.default_rng([recipe.seed, 5, detector.id, epoch])
    size = recipe.electronics.structure
    pattern = np.zeros(recipe.detector_shape, dtype=np.float32)
    for channel in channels:
        height, width = channel.target.shape
        glow = size * rng.uniform(0.5, 1.5) * np.exp(-np.arange(width) / (0.1 * width))
        columns = 0.25 * size * rng.standard_normal(width)
        ramp = size * rng.uniform(-0.5, 0.5) * np.linspace(0.0, 1.0, height)
        tile = (glow + columns)[None, :] + ramp[:, None]
        pattern[channel.target.box.slices] = tile[_turn(channel)]
    return pattern


def master_bias(recipe: Recipe, detector: Detector, epoch: int, channels: Sequence[Channel]) -> Image:
    """Bias pattern as many bias frames would give it, in ADU."""
    rng = np.random.default_rng([recipe.seed, 6, detector.id, epoch])
    noise = _BIAS_NOISE * rng.standard_normal(recipe.detector_shape, dtype=np.float32)
    return bias_pattern(recipe, detector, epoch, channels) + noise


def master_flat(recipe: Recipe, detector: Detector, chip: Chip, channels: Sequence[Channel], band: int) -> Image:
    """Response as many flat fields would give it, with the errors of the header's gains in it."""
    rng = np.random.default_rng([recipe.seed, 7, detector.id, band])
    flat = chip.response * (1.0 + _FLAT_NOISE * rng.standard_normal(chip.response.shape, dtype=np.float32))
    for channel, amplifier in zip(channels, chip.amplifiers, strict=True):
        flat[channel.target.box.slices] *= np.float32(amplifier.header_gain / amplifier.gain)
    return flat


def collected(recipe: Recipe, visit: Visit, detector: Detector, expected: Image, chip: Chip) -> Image:
    """Electrons in the pixels at the end of the exposure: photon noise and cosmic rays."""
    rng = np.random.default_rng([recipe.seed, 8, visit.exposure, detector.id])
    electrons: Image = rng.poisson(expected * chip.response).astype(np.float32)
    ny, nx = electrons.shape
    number = rng.poisson(recipe.blemishes.cosmic_rays * nx * ny / 1e6 * visit.exposure_time / 100.0)
    for _ in range(number):
        x, y, angle = rng.uniform((0.0, 0.0, 0.0), (nx, ny, np.pi))
        along = np.arange(0.0, 2.0 + rng.exponential(_CR_LENGTH), 0.5)
        columns, rows = (x + along * np.cos(angle)).astype(int), (y + along * np.sin(angle)).astype(int)
        inside = (columns >= 0) & (columns < nx) & (rows >= 0) & (rows < ny)
        charge = rng.exponential(_CR_CHARGE) + 200.0
        np.add.at(electrons, (rows[inside], columns[inside]), charge * rng.uniform(0.7, 1.3, inside.sum()))
    return electrons


def read_out(  # noqa: PLR0913 - the parts of a camera
    recipe: Recipe,
    visit: Visit,
    detector: Detector,
    electrons: Image,
    *,
    chip: Chip,
    bias: Image,
    channels: Sequence[Channel],
    frame_shape: tuple[int, int],
    dtype: str,
) -> list[NDArray[Any]]:
    """Read a detector out through its amplifiers into raw frames, in ADU."""
    rng = np.random.default_rng([recipe.seed, 9, visit.exposure, detector.id])
    frames: dict[int, Image] = {}
    for channel, amplifier in zip(channels, chip.amplifiers, strict=True):
        if channel.frame not in frames:
            frames[channel.frame] = _blank(rng, frame_shape, amplifier)
        frame, data = frames[channel.frame], channel.data.box
        level = amplifier.level + _drift(recipe, rng, data.y1 - data.y0)
        over = channel.overscan.box
        noise = amplifier.read_noise / amplifier.gain
        for columns in (slice(data.x0, data.x1), slice(over.x0, over.x1)):
            part = frame[data.y0 : data.y1, columns]
            part[:] = level[:, None] + noise * rng.standard_normal(part.shape, dtype=np.float32)
        place = channel.target.box.slices
        signal = electrons[place] / np.float32(amplifier.gain) + bias[place] + chip.hot[place]
        frame[data.slices] += signal[_turn(channel)]
    top = recipe.electronics.saturation
    return [np.rint(np.clip(frames[key], 0.0, top)).astype(dtype) for key in sorted(frames)]


def _blank(rng: np.random.Generator, shape: tuple[int, int], amplifier: Amplifier) -> Image:
    noise = np.float32(amplifier.read_noise / amplifier.gain)
    return np.float32(amplifier.level) + noise * rng.standard_normal(shape, dtype=np.float32)


def _drift(recipe: Recipe, rng: np.random.Generator, rows: int) -> Image:
    """Overscan level along the rows, in the order of reading, relative to its nominal level (ADU)."""
    phase = np.linspace(0.0, 1.0, rows)
    slope, wave, start = rng.uniform(-0.5, 0.5, 3) * recipe.electronics.drift
    drift: Image = (start + slope * phase + wave * np.sin(2.0 * np.pi * phase)).astype(np.float32)
    return drift


def _turn(channel: Channel) -> tuple[slice, slice]:
    """Index that turns an amplifier's pixels from the detector's orientation to the raw frame's, or back."""
    flip_x = channel.data.flip_x != channel.target.flip_x
    flip_y = channel.data.flip_y != channel.target.flip_y
    return slice(None, None, -1 if flip_y else 1), slice(None, None, -1 if flip_x else 1)
