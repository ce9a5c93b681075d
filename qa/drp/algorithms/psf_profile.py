"""The radial profile of the PSF model and the loop that draws the model into pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.jit import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS_PER_SIGMA, REACH = 100, 24
"""The profile is tabulated in steps of a hundredth of the PSF's sigma (between them it is linear: 2e-5), and is zero
beyond so many sigma."""

_FIRST, _LAST = 0.1, 1e4


@lru_cache(maxsize=256)
def core_of(beta: float) -> float:
    """Squared core radius of the Moffat profile (1 + q^2 / core)^-beta whose adaptive moments are those of sigma 1.

    The condition is <q^2> = 1 under the weight exp(-q^2 / 2); solved by halving.
    """
    t = (np.arange(6000) + 0.5) / 100
    weight = (t - 1.0) * np.exp(-t / 2.0)
    low, high = np.log(_FIRST), np.log(_LAST)
    for _ in range(50):
        middle = (low + high) / 2
        too_narrow = float(np.sum(weight * (1 + t / np.exp(middle)) ** -beta)) < 0
        low, high = (middle, high) if too_narrow else (low, middle)
    return float(np.exp((low + high) / 2))


@lru_cache(maxsize=256)
def profile_table(beta: float) -> Floats:
    """Surface brightness at q = 0, 0.01, 0.02 ... sigma of a Moffat profile of total flux 1 and adaptive sigma 1."""
    core = core_of(beta)
    q = np.arange(STEPS_PER_SIGMA * REACH + 2) / STEPS_PER_SIGMA
    table: Floats = (beta - 1) / (np.pi * core) * (1 + q**2 / core) ** -beta
    table[-2:] = 0
    table.flags.writeable = False  # shared by all callers
    return table


def draw_stamp(
    out: Floats,
    x: float,
    y: float,
    jacobian: Floats,
    shape: Floats,
    table: Floats,
    residual: Floats,
    amplitude: float,
) -> None:
    """Add a PSF centred on (x, y) of the stamp `out`.

    Parameters
    ----------
    out
        Stamp of shape (ny, nx), changed in place.
    x, y
        Centre in pixels of the stamp.
    jacobian
        Detector pixels per stamp pixel, d(x, y) / d(u, v), shape (2, 2).
    shape
        xx, yy, xy of the PSF in detector px^2.
    table
        `profile_table`.
    residual
        What the PSF has beyond the elliptical profile, on detector pixels around its centre, of odd size; shape (1, 1)
        for none.
    amplitude
        Flux.
    """
    ny, nx = out.shape
    det = shape[0] * shape[1] - shape[2] * shape[2]
    a, b, c = shape[1] / det, -shape[2] / det, shape[0] / det
    scale = amplitude * abs(jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0])
    core, last = scale / np.sqrt(det), len(table) - 2
    half = residual.shape[0] // 2
    for j in range(ny):
        v = j - y
        for i in range(nx):
            u = i - x
            dx, dy = jacobian[0, 0] * u + jacobian[0, 1] * v, jacobian[1, 0] * u + jacobian[1, 1] * v
            q = STEPS_PER_SIGMA * np.sqrt(a * dx * dx + 2 * b * dx * dy + c * dy * dy)
            k = int(q)
            value = 0.0
            if k < last:
                value = core * (table[k] + (q - k) * (table[k + 1] - table[k]))
            if half > 0 and abs(dx) < half + 2 and abs(dy) < half + 2:
                value += scale * cubic(residual, dx + half, dy + half)
            out[j, i] += value


def cubic(plane: Floats, x: float, y: float) -> float:
    """Interpolate with the cubic convolution of Keys (1981), IEEE Trans. ASSP 29, 1153; beyond the edge lies zero."""
    ny, nx = plane.shape
    i, j = int(np.floor(x)), int(np.floor(y))
    wx, wy = _taps(x - i), _taps(y - j)
    total = 0.0
    for m in range(4):
        jj = j + m - 1
        if 0 <= jj < ny:
            line = 0.0
            for n in range(4):
                ii = i + n - 1
                if 0 <= ii < nx:
                    line += wx[n] * plane[jj, ii]
            total += wy[m] * line
    return total


def _taps(s: float) -> tuple[float, float, float, float]:
    return ((2 - s) * s - 1) * s / 2, ((3 * s - 5) * s * s + 2) / 2, ((4 - 3 * s) * s + 1) * s / 2, (s - 1) * s * s / 2


def add_shifted(out: Floats, plane: Floats, x: float, y: float) -> None:
    """Add to every pixel (i, j) of `out` what `cubic` gives at (i + x, j + y): faster, as the shift is one for all."""
    ny, nx = plane.shape
    i0, j0 = int(np.floor(x)), int(np.floor(y))
    wx, wy = _taps(x - i0), _taps(y - j0)
    line = np.empty(nx + 6)
    line[:3], line[nx + 3 :] = 0.0, 0.0
    for j in range(max(0, -j0 - 2), min(out.shape[0], ny + 1 - j0)):
        line[3 : nx + 3] = 0.0
        for m in range(4):
            jj = j + j0 + m - 1
            if 0 <= jj < ny:
                for ii in range(nx):
                    line[ii + 3] += wy[m] * plane[jj, ii]
        for i in range(max(0, -i0 - 2), min(out.shape[1], nx + 1 - i0)):
            k = i + i0 + 2
            out[j, i] += wx[0] * line[k] + wx[1] * line[k + 1] + wx[2] * line[k + 2] + wx[3] * line[k + 3]


_taps = compiled(_taps)
add_shifted = compiled(add_shifted)
cubic = compiled(cubic)
draw_stamp = compiled(draw_stamp)


@compiled
def draw_stamps(
    out: Floats, x: Floats, y: Floats, shapes: Floats, table: Floats, planes: Floats, basis: Floats
) -> None:
    """Draw PSFs of unit flux at pixels (x, y) of a detector into stamps centred on their nearest pixels.

    `out` (n, size, size), `shapes` (n, 3), `planes` (terms, side, side) with `basis` (n, terms).
    """
    size, side = out.shape[1], planes.shape[1]
    half, terms = size // 2, basis.shape[1]
    # Of the residual no more than the stamp shows is put together.
    first = max(0, side // 2 - half - 3)
    nothing, plain = np.zeros((1, 1)), np.eye(2)
    residual = np.zeros((side - 2 * first, side - 2 * first))
    for k in range(len(x)):
        u, v = half + x[k] - np.floor(x[k] + 0.5), half + y[k] - np.floor(y[k] + 0.5)
        out[k] = 0
        draw_stamp(out[k], u, v, plain, shapes[k], table, nothing, 1.0)
        if side > 1:
            residual[:] = 0
            for m in range(terms):
                for j in range(len(residual)):
                    for i in range(len(residual)):
                        residual[j, i] += basis[k, m] * planes[m, j + first, i + first]
            add_shifted(out[k], residual, side // 2 - first - u, side // 2 - first - v)
