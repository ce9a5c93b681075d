"""Master calibrations: what many bias, dark and flat exposures of a detector have in common.

Single frames that are not like the others are left out with a caveat; single pixels that are not like those of the
other frames, mostly cosmic rays, are clipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.isr import assembled, signals
from qa.drp.algorithms.stacking import clipped_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from qa.drp.image import Pixels, Raw

FEWEST_FRAMES = 2
"""With one frame alone, nothing tells a cosmic ray from the detector."""

LEVEL_SIGMA = 5.0
"""Frames whose level differs from the others' by more than so many times the read noise are of another kind."""

NOISE_FACTOR = 2.0
"""Frames that scatter so many times more than expected are left out."""

FLAT_LEVELS = 1000.0, 0.9
"""A flat has more electrons than this, and fewer than this part of what the detector can hold."""


# Of so many pixels one; a prime, to fall on all columns.
_SAMPLE = 31


@dataclass(frozen=True, slots=True)
class Frame:
    """One calibration exposure: its raw, how long charge gathered (s), and its name for messages."""

    name: str
    raw: Raw
    dark_time: float = 0.0


@dataclass(frozen=True, slots=True)
class Master:
    """A master calibration of shape (ny, nx), made of `frames` frames.

    `spread` is the largest less the smallest value of each pixel in units of its noise; `noise` is what is left of a
    frame's noise in `image`, in its unit. `caveats` tell which frames were left out, and why.
    """

    image: Pixels
    spread: Pixels
    noise: float
    frames: int
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Plane:
    """A frame's pixels, and the noise expected in them; both in the unit of the master."""

    name: str
    image: Pixels
    noise: Pixels


def master_bias(frames: Iterable[Frame], *, crosstalk: Sequence[float] = ()) -> Master:
    """Return the bias over the overscan level, in ADU.

    Raises
    ------
    UnusableImageError
        If fewer than two frames are usable.
    """

    def plane(frame: Frame) -> _Plane:
        image = assembled(frame.raw, signals(frame.raw, crosstalk))
        return _Plane(frame.name, image, _per_amplifier(frame.raw, lambda noise, gain: noise / gain))

    return _combine("bias", [plane(frame) for frame in frames])


def master_dark(frames: Iterable[Frame], *, bias: Pixels, crosstalk: Sequence[float] = ()) -> Master:
    """Return the dark current in electron/s.

    Raises
    ------
    UnusableImageError
        If fewer than two frames are usable.
    """
    planes: list[_Plane] = []
    caveats: list[str] = []
    for frame in frames:
        if not frame.dark_time > 0:
            caveats.append(f"{frame.name} left out: must be exposed in the dark, found {frame.dark_time:g} s")
            continue
        seconds = np.float32(frame.dark_time)
        electrons = _electrons(frame.raw, bias, crosstalk)
        level = max(float(np.nanmedian(electrons)), 0.0)
        noise = np.sqrt(_per_amplifier(frame.raw, lambda noise, _: noise**2) + np.float32(level))
        planes.append(_Plane(frame.name, electrons / seconds, noise / seconds))
    return _combine("dark", planes, caveats=caveats)


def master_flat(frames: Iterable[Frame], *, bias: Pixels, crosstalk: Sequence[float] = ()) -> Master:
    """Return the relative response, of which the median is 1.

    Raises
    ------
    UnusableImageError
        If fewer than two frames are usable.
    """
    planes: list[_Plane] = []
    caveats: list[str] = []
    for frame in frames:
        electrons = _electrons(frame.raw, bias, crosstalk)
        level = float(np.nanmedian(electrons))
        least, most = FLAT_LEVELS[0], FLAT_LEVELS[1] * _full_well(frame.raw)
        if not least < level < most:
            caveats.append(
                f"{frame.name} left out: must have a level from {least:.0f} to {most:.0f} electron, found {level:.0f}"
            )
            continue
        image = electrons / np.float32(level)
        noise = np.sqrt(np.maximum(image, np.float32(0.01)) / np.float32(level))
        planes.append(_Plane(frame.name, image, noise))
    return _combine("flat", planes, caveats=caveats)


def _electrons(raw: Raw, bias: Pixels, crosstalk: Sequence[float]) -> Pixels:
    if bias.shape != raw.shape:
        raise UnusableImageError(what="bias", required=f"shape {raw.shape}", found=f"{bias.shape}")
    parts = [
        (part - bias[segment.target.slices]) * np.float32(segment.gain)
        for segment, part in zip(raw.segments, signals(raw, crosstalk), strict=True)
    ]
    return assembled(raw, parts)


def _per_amplifier(raw: Raw, of: Callable[[float, float], float]) -> Pixels:
    """Spread a function of read noise (electron) and gain (electron/ADU) over the pixels of each amplifier."""
    parts = [np.float32(of(one.read_noise, one.gain)) + np.zeros_like(one.data) for one in raw.segments]
    return assembled(raw, parts)


def _full_well(raw: Raw) -> float:
    """Electrons at which the first of the amplifiers to fill is full, over its overscan level."""
    return min((one.saturation - float(np.nanmedian(one.overscan))) * one.gain for one in raw.segments)


def _combine(what: str, planes: Sequence[_Plane], *, caveats: Sequence[str] = ()) -> Master:
    """Clip and average the frames that are like the others."""
    alike, odd = _sort_out(planes)
    told = (*caveats, *odd)
    if len(alike) < FEWEST_FRAMES:
        reasons = f" ({'; '.join(told)})" if told else ""
        raise UnusableImageError(what=what, required=f"at least {FEWEST_FRAMES} frames", found=f"{len(alike)}{reasons}")
    noise = alike[0].noise
    image, spread = clipped_mean(np.stack([plane.image for plane in alike]), noise)
    left = float(np.nanmedian(noise)) / len(alike) ** 0.5
    return Master(image, spread, left, len(alike), told)


def _sort_out(planes: Sequence[_Plane]) -> tuple[list[_Plane], list[str]]:
    """Separate the frames that are like the others from those that are not, and say why.

    Level and scatter are judged on a part of the pixels, against the median frame.
    """
    common = max({plane.image.shape for plane in planes}, key=[p.image.shape for p in planes].count, default=(0, 0))
    kept = [plane for plane in planes if plane.image.shape == common]
    told = [
        f"{plane.name} left out: must have shape {common} as the others, found {plane.image.shape}"
        for plane in planes
        if plane.image.shape != common
    ]
    if len(kept) < FEWEST_FRAMES:
        return kept, told
    samples = np.stack([plane.image.ravel()[::_SAMPLE] for plane in kept])
    noise = np.stack([plane.noise.ravel()[::_SAMPLE] for plane in kept])
    middle = np.sort(samples, axis=0)[(len(kept) - 1) // 2]
    alike = []
    for plane, sample, expected in zip(kept, samples, noise, strict=True):
        reason = _oddity((sample - middle) / expected)
        if reason:
            told.append(f"{plane.name} left out: {reason}")
        else:
            alike.append(plane)
    return alike, told


def _oddity(deviation: Pixels) -> str:
    """Say what is wrong with a frame that deviates so from the median one, in units of the noise; else nothing."""
    good = deviation[np.isfinite(deviation)]
    if not good.size:
        return "must have pixels with data, found none"
    low, level, high = np.percentile(good, (15.866, 50.0, 84.134))
    if abs(level) > LEVEL_SIGMA:
        return f"must have the level of the other frames, found one {level:.0f} times the noise off"
    if high - low > 2 * NOISE_FACTOR:
        return f"must scatter about the other frames as the noise, found {(high - low) / 2:.1f} times as much"
    return ""
