"""Averages of several frames, pixel by pixel, without what only one of them shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.jit import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import Pixels

CLIP = 5.0
"""Values farther than this from the pixel's median are left out, in units of the noise."""


def clipped_mean(stack: NDArray[np.float32], noise: Pixels, *, clip: float = CLIP) -> tuple[Pixels, Pixels]:
    """Average frames after clipping each pixel about its lower median.

    Parameters
    ----------
    stack
        Frames, shape (n, ny, nx). NaN does not count.
    noise
        Standard deviation expected of a pixel in one frame, shape (ny, nx).
    clip
        In units of the noise. Where a value is farther off, only the larger or smaller ones are wrong; the lower
        median is the centre because cosmic rays only add.

    Returns
    -------
    mean
        NaN where no frame has a value.
    spread
        Largest less smallest value, in units of the noise; 0 where fewer than two frames have one.
    """
    mean, spread = np.empty(noise.shape, np.float32), np.empty(noise.shape, np.float32)
    _clip(np.ascontiguousarray(stack), np.ascontiguousarray(noise), np.float32(clip), mean, spread)
    return mean, spread


@compiled
def _clip(stack: NDArray[np.float32], noise: Pixels, clip: np.float32, mean: Pixels, spread: Pixels) -> None:
    number, ny, nx = stack.shape
    values = np.empty(number, dtype=np.float32)
    for y in range(ny):
        for x in range(nx):
            count = 0
            for k in range(number):
                value = stack[k, y, x]
                if not np.isfinite(value):
                    continue
                place = count
                while place > 0 and values[place - 1] > value:
                    values[place] = values[place - 1]
                    place -= 1
                values[place] = value
                count += 1
            if count == 0:
                mean[y, x], spread[y, x] = np.float32(np.nan), np.float32(0)
                continue
            centre, reach = values[(count - 1) // 2], clip * noise[y, x]
            total, used = 0.0, 0
            for k in range(count):
                if abs(values[k] - centre) <= reach or k == (count - 1) // 2:
                    total += values[k]
                    used += 1
            mean[y, x] = np.float32(total / used)
            spread[y, x] = (values[count - 1] - values[0]) / noise[y, x] if count > 1 else np.float32(0)
