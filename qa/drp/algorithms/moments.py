"""Adaptive second moments: the elliptical Gaussian that matches a source best, with its centroid.

Bernstein & Jarvis (2002), AJ 123, 583, section 3; the iteration is that of Hirata & Seljak (2003), MNRAS 343, 459.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.jit import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import Pixels

    Floats = NDArray[np.float64]

ITERATIONS = 25
TOLERANCE = 1e-4
LEAP = 0.5
"""The total of the moments may differ by this factor from that of the cautious step."""

SMALLEST = 0.04
"""Moments below this (px^2) are those of a single pixel."""

REACH, LARGEST = 4.0, 60.0
"""Pixels are used out to this many sigma of the weight, and no further than this many pixels."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Adaptive moments, arrays of one length: px for x and y, px^2 for xx, yy and xy.

    `snr` is the signal-to-noise ratio of the flux under the weight. Where `converged` is false the values are those
    the iteration started from; `collapsed` where that is because the source is no wider than a pixel.
    """

    x: Floats
    y: Floats
    xx: Floats
    yy: Floats
    xy: Floats
    x_err: Floats
    y_err: Floats
    snr: Floats
    converged: NDArray[np.bool_]
    collapsed: NDArray[np.bool_]

    @property
    def size(self) -> Floats:
        """Sigma in px of the round Gaussian of the same area."""
        return np.sqrt(np.sqrt(np.maximum(self.xx * self.yy - self.xy**2, 1e-6)))


def adaptive_moments(image: Pixels, variance: Pixels, *, x: Floats, y: Floats, sigma: Floats) -> Moments:
    """Measure sources found at (x, y) with sizes near `sigma` (px). Pixels of infinite variance are left out."""
    rows = np.empty((len(x), 9))
    _measure_all(image, variance, np.ascontiguousarray(x), np.ascontiguousarray(y), np.ascontiguousarray(sigma), rows)
    x, y, xx, yy, xy, x_err, y_err, snr, state = np.ascontiguousarray(rows.T)
    return Moments(x, y, xx, yy, xy, x_err, y_err, snr, np.asarray(state > 0), np.asarray(state < 0))


def _measure_all(image: Pixels, variance: Pixels, x: Floats, y: Floats, sigma: Floats, out: Floats) -> None:
    for i in range(len(x)):
        _measure(image, variance, x[i], y[i], sigma[i], out[i])


def _measure(image: Pixels, variance: Pixels, x0: float, y0: float, sigma: float, out: Floats) -> None:
    x, y = x0, y0
    xx, yy, xy = sigma * sigma, sigma * sigma, 0.0
    state = 0.0
    sums = _weigh(image, variance, x, y, xx, yy, xy, False)  # noqa: FBT003
    for _ in range(ITERATIONS):
        total = sums[0]
        if total <= 0:
            break
        # A Gaussian seen through itself has half its variance, and half its offset.
        dx, dy = 2 * sums[1] / total, 2 * sums[2] / total
        new_xx, new_yy, new_xy = _next(xx, yy, xy, sums[3] / total, sums[4] / total, sums[5] / total)
        if new_xx <= SMALLEST or new_yy <= SMALLEST or new_xx * new_yy - new_xy * new_xy <= SMALLEST**2:
            state = -1.0
            break
        if new_xx > 16 * sigma * sigma + 100 or new_yy > 16 * sigma * sigma + 100:
            break
        change = abs(new_xx - xx) + abs(new_yy - yy) + abs(new_xy - xy)
        x, y, xx, yy, xy = x + dx, y + dy, new_xx, new_yy, new_xy
        if abs(x - x0) + abs(y - y0) > 2 * sigma + 2:
            break
        if change < TOLERANCE * (xx + yy) and abs(dx) + abs(dy) < 10 * TOLERANCE:
            state = 1.0
            break
        sums = _weigh(image, variance, x, y, xx, yy, xy, False)  # noqa: FBT003
    if state != 1.0:
        x, y, xx, yy, xy = x0, y0, sigma * sigma, sigma * sigma, 0.0
    sums = _weigh(image, variance, x, y, xx, yy, xy, True)  # noqa: FBT003
    total, spread = sums[0], np.sqrt(sums[6])
    scale = abs(total) if total != 0 else 1.0
    out[0], out[1], out[2], out[3], out[4] = x, y, xx, yy, xy
    out[5], out[6] = 2 * np.sqrt(sums[7]) / scale, 2 * np.sqrt(sums[8]) / scale
    out[7] = total / spread if spread > 0 else 0.0
    out[8] = state


def _next(
    xx: float, yy: float, xy: float, seen_xx: float, seen_yy: float, seen_xy: float
) -> tuple[float, float, float]:
    """Moments for the next round, from those of the weight and those seen through it.

    Seen through a Gaussian, the inverse moments of another are the sum of both: the difference is exact for a Gaussian,
    and takes a third of the rounds. Where noise makes that leap too far, twice the moments seen have the same limit.
    """
    det_w, det_m = xx * yy - xy * xy, seen_xx * seen_yy - seen_xy * seen_xy
    if det_m > 0 and seen_xx > 0:
        a, c, b = seen_yy / det_m - yy / det_w, seen_xx / det_m - xx / det_w, xy / det_w - seen_xy / det_m
        det = a * c - b * b
        if a > 0 and det > 0 and LEAP * (a + c) / det < 2 * (seen_xx + seen_yy) < (a + c) / det / LEAP:
            return c / det, a / det, -b / det
    return 2 * seen_xx, 2 * seen_yy, 2 * seen_xy


def _weigh(
    image: Pixels,
    variance: Pixels,
    x: float,
    y: float,
    xx: float,
    yy: float,
    xy: float,
    noise: bool,  # noqa: FBT001
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """Sum flux, first and second moments under a Gaussian weight and, if `noise`, the variances of the first three.

    Numba knows no keyword-only arguments.
    """
    ny, nx = image.shape
    flux = flux_x = flux_y = flux_xx = flux_yy = flux_xy = noise_1 = noise_xx = noise_yy = 0.0
    det = xx * yy - xy * xy
    a, b, c = yy / det, -xy / det, xx / det
    fall = np.exp(-a)
    reach = min(REACH * np.sqrt(yy), LARGEST)
    for j in range(max(0, int(np.ceil(y - reach))), min(ny, int(np.floor(y + reach)) + 1)):
        dy = j - y
        room = REACH * REACH - dy * dy * (c - b * b / a)
        if room <= 0:
            continue
        middle, half = x - b * dy / a, min(np.sqrt(room / a), LARGEST)
        first, last = max(0, int(np.ceil(middle - half))), min(nx, int(np.floor(middle + half)) + 1)
        dx = first - x
        # Along a row the Gaussian's steps are themselves a geometric series: three exponentials serve for all pixels.
        weight = np.exp(-0.5 * (a * dx * dx + 2 * b * dx * dy + c * dy * dy))
        step = np.exp(-(a * (dx + 0.5) + b * dy))
        row = row_x = row_xx = 0.0
        for i in range(first, last):
            dx = i - x
            if variance[j, i] < np.inf:
                light = weight * image[j, i]
                row += light
                row_x += light * dx
                row_xx += light * dx * dx
                if noise:
                    spread = weight * weight * variance[j, i]
                    noise_1 += spread
                    noise_xx += spread * dx * dx
                    noise_yy += spread * dy * dy
            weight *= step
            step *= fall
        flux, flux_x, flux_xx = flux + row, flux_x + row_x, flux_xx + row_xx
        flux_y, flux_xy, flux_yy = flux_y + row * dy, flux_xy + row_x * dy, flux_yy + row * dy * dy
    return flux, flux_x, flux_y, flux_xx, flux_yy, flux_xy, noise_1, noise_xx, noise_yy


_next = compiled(_next)
_weigh = compiled(_weigh)
_measure = compiled(_measure)
_measure_all = compiled(_measure_all)
