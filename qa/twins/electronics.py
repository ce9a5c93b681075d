"""What a detector makes of the light: response, cosmic rays, amplifiers, bias, overscan, integers.

Pure: every random number comes from a generator seeded by the recipe, the detector and the exposure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.twins.optics import detector_origin
from qa.twins.recipe import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.twins.forms.base import Channel
    from qa.twins.recipe import Detector, Recipe, Shot

    Image = NDArray[np.float32]

_CR_LENGTH = 12.0
_CR_CHARGE = 1500.0
_DEAD = 0.25
# Electrons per second of a hot column, and of the faintest and the brightest hot pixels.
_HOT_COLUMN, _HOT_PIXEL = 30.0, (2.0, 200.0)
_UNSTABLE_SIGMA = (20.0, 80.0)
_GLOW, _GLOW_LENGTH = 2.0, 0.15
_FLAT_FILL = 0.5
_LAMP_DRIFT = 0.03


@dataclass(frozen=True, slots=True)
class Amplifier:
    """One amplifier: true gain and the header's (electron/ADU), read noise (electron), level of the overscan (ADU)."""

    gain: float
    header_gain: float
    read_noise: float
    level: float


@dataclass(frozen=True, slots=True)
class Chip:
    """A detector. Planes have shape (ny, nx).

    `response` is relative, `dark` in electron/s; `unstable` is what a pixel reads more in every other exposure or so,
    in units of the read noise; `bad` tells which pixels ought to be masked.
    """

    amplifiers: tuple[Amplifier, ...]
    response: Image
    dark: Image
    unstable: Image
    bad: NDArray[np.bool_]


def make_chip(recipe: Recipe, detector: Detector, channels: Sequence[Channel]) -> Chip:
    """Make a detector with its blemishes."""
    rng = np.random.default_rng([recipe.seed, 4, detector.id])
    amplifiers = tuple(_amplifier(recipe, rng) for _ in channels)
    response = _vignetting(recipe, detector)
    response *= 1.0 + recipe.blemishes.pixel_scatter * rng.standard_normal(response.shape, dtype=np.float32)
    dark, bad = _dark_current(recipe, channels), np.zeros(response.shape, dtype=bool)
    ny, nx = response.shape
    for index in range(recipe.blemishes.bad_columns):
        column, start = rng.integers(2, nx - 2), rng.integers(0, ny // 2)
        bad[start:, column] = True
        if index % 2:
            dark[start:, column] += _HOT_COLUMN
        else:
            response[start:, column] *= _DEAD
    rows, columns = rng.integers(0, (ny, nx), (recipe.blemishes.hot_pixels, 2)).T
    dark[rows, columns] += _hot_rates(rng, len(rows))
    bad[rows, columns] = True
    unstable = np.zeros_like(response)
    rows, columns = rng.integers(0, (ny, nx), (recipe.blemishes.unstable_pixels, 2)).T
    unstable[rows, columns] = rng.uniform(*_UNSTABLE_SIGMA, len(rows))
    bad[rows, columns] = True
    return Chip(amplifiers, response, dark, unstable, bad)


def _hot_rates(rng: np.random.Generator, number: int) -> Image:
    """Electrons per second of hot pixels: as many per factor of two among the faint as among the bright."""
    faintest, brightest = (math.log(rate) for rate in _HOT_PIXEL)
    return np.exp(rng.uniform(faintest, brightest, number)).astype(np.float32)


def _dark_current(recipe: Recipe, channels: Sequence[Channel]) -> Image:
    """Electrons per second: even but for the amplifiers' glow in the corner where each is read."""
    dark = np.zeros(recipe.detector_shape, dtype=np.float32)
    for channel in channels:
        height, width = channel.target.shape
        x, y = np.arange(width) / (_GLOW_LENGTH * width), np.arange(height) / (_GLOW_LENGTH * height)
        tile = (1.0 + _GLOW * np.exp(-np.hypot(x[None, :], y[:, None]))).astype(np.float32)
        dark[channel.target.box.slices] = recipe.electronics.dark_current * in_reading_order(tile, channel)
    return dark


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


def flat_light(recipe: Recipe, shot: Shot) -> float:
    """Electrons that the lamp sends to a pixel of full response: half of what it can hold, and not quite steady."""
    facts = recipe.electronics
    rng = np.random.default_rng([recipe.seed, 7, shot.exposure])
    level = _FLAT_FILL * (facts.saturation - facts.bias) * facts.gain
    return float(level * (1.0 + rng.uniform(-_LAMP_DRIFT, _LAMP_DRIFT)))


def collected(
    recipe: Recipe, shot: Shot, detector: Detector, light: Image | float, *, chip: Chip, dark_time: float
) -> Image:
    """Electrons in the pixels at the end of the exposure: photon noise, dark current and cosmic rays."""
    rng = np.random.default_rng([recipe.seed, 8, shot.exposure, detector.id])
    expected = light * chip.response + np.float32(dark_time) * chip.dark
    electrons = _with_photon_noise(rng, expected, shot.kind)
    ny, nx = electrons.shape
    number = rng.poisson(recipe.blemishes.cosmic_rays * nx * ny / 1e6 * dark_time / 100.0)
    for _ in range(number):
        x, y, angle = rng.uniform((0.0, 0.0, 0.0), (nx, ny, np.pi))
        along = np.arange(0.0, 2.0 + rng.exponential(_CR_LENGTH), 0.5)
        columns, rows = (x + along * np.cos(angle)).astype(int), (y + along * np.sin(angle)).astype(int)
        inside = (columns >= 0) & (columns < nx) & (rows >= 0) & (rows < ny)
        charge = rng.exponential(_CR_CHARGE) + 200.0
        np.add.at(electrons, (rows[inside], columns[inside]), charge * rng.uniform(0.7, 1.3, inside.sum()))
    return electrons


def _with_photon_noise(rng: np.random.Generator, expected: Image, kind: Kind) -> Image:
    """Draw electrons: for the sky as Poisson has it, for darks and flats as Gauss, five times faster.

    In a bias the few electrons of the dark current have no noise, which would be lost in that of the amplifier.
    """
    if kind is Kind.SCIENCE:
        return rng.poisson(expected).astype(np.float32)
    if kind is Kind.BIAS:
        return expected
    noise = rng.standard_normal(expected.shape, dtype=np.float32)
    noise *= np.sqrt(expected)
    return expected + noise


def read_out(  # noqa: PLR0913 - the parts of a camera
    recipe: Recipe,
    shot: Shot,
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
    rng = np.random.default_rng([recipe.seed, 9, shot.exposure, detector.id])
    frames: dict[int, Image] = {}
    noises: dict[int, Image] = {}
    signals = _signals(recipe, rng, electrons, chip=chip, channels=channels)
    for channel, amplifier, signal in zip(channels, chip.amplifiers, signals, strict=True):
        rms = np.float32(amplifier.read_noise / amplifier.gain)
        if channel.frame not in frames:
            noises[channel.frame] = rng.standard_normal(frame_shape, dtype=np.float32)
            frames[channel.frame] = np.float32(amplifier.level) + rms * noises[channel.frame]
        frame, data, over = frames[channel.frame], channel.data.box, channel.overscan.box
        level = amplifier.level + _drift(recipe, rng, data.y1 - data.y0)
        for columns in (slice(data.x0, data.x1), slice(over.x0, over.x1)):
            place = slice(data.y0, data.y1), columns
            frame[place] = level[:, None] + rms * noises[channel.frame][place]
        whole = in_reading_order(signal, channel) + bias[channel.target.box.slices]
        frame[data.slices] += whole[_turn(channel)]
    top = recipe.electronics.saturation
    return [np.rint(np.clip(frames[key], 0.0, top)).astype(dtype) for key in sorted(frames)]


def _signals(
    recipe: Recipe, rng: np.random.Generator, electrons: Image, *, chip: Chip, channels: Sequence[Channel]
) -> list[Image]:
    """Signals of the amplifiers in ADU, in the order of reading, each with a little of the others in it."""
    flicker = np.zeros_like(electrons)
    places = np.nonzero(chip.unstable)
    flicker[places] = chip.unstable[places] * rng.integers(0, 2, len(places[0]))
    own: list[Image] = []
    for channel, amplifier in zip(channels, chip.amplifiers, strict=True):
        place = channel.target.box.slices
        signal = electrons[place] / np.float32(amplifier.gain)
        signal += flicker[place] * np.float32(amplifier.read_noise / amplifier.gain)
        own.append(in_reading_order(signal, channel))
    if not recipe.electronics.crosstalk:
        return own
    shared = [signal.copy() for signal in own]
    for distance, fraction in enumerate(recipe.electronics.crosstalk, start=1):
        for index in range(len(own) - distance):
            shared[index] += np.float32(fraction) * own[index + distance]
            shared[index + distance] += np.float32(fraction) * own[index]
    return shared


def in_reading_order(pixels: Image, channel: Channel) -> Image:
    """Turn an amplifier's pixels from the detector's orientation to the order in which they are read, or back."""
    against_x, against_y = channel.against
    return pixels[:: -1 if against_y else 1, :: -1 if against_x else 1]


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
