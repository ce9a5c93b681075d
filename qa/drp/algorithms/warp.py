"""Resampling calibrated exposures to the pixel grid of a tract: Lanczos-3, flux-conserving, in nJy."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.background import unusable
from qa.drp.algorithms.jit import compiled
from qa.drp.algorithms.skygrid import ARCSEC
from qa.drp.algorithms.visits import AB_NJY
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from qa.drp.algorithms.skygrid import TangentGrid
    from qa.drp.algorithms.solution import Solution
    from qa.drp.image import MaskPixels, Pixels

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

STEP = 32
"""Tract pixels between the nodes at which coordinates and scale are computed; between them they are linear."""

SAMPLING = 8
"""Every so many rows tell the noise of the sky."""

TAPS = 6
"""Input pixels per axis under the kernel."""

PHASES = 4096
"""Positions within a pixel at which the kernel is tabulated: it is placed within 1/8192 px."""


@cache
def lanczos_table() -> Pixels:
    """Lanczos-3 weights of the six nearest pixels for each phase, of sum 1; shape (PHASES + 1, TAPS)."""
    phase = np.linspace(0.0, 1.0, PHASES + 1)[:, None]
    distance = phase - np.arange(-2, 4)[None, :]
    weights = np.sinc(distance) * np.sinc(distance / 3)
    weights /= weights.sum(axis=1, keepdims=True)
    table = np.ascontiguousarray(weights, dtype=np.float32)
    table.flags.writeable = False  # shared by all callers
    return table


def empty_patch(grid: TangentGrid, box: Box) -> MaskedImage:
    """Return an image of `box` without any data."""
    shape = box.y1 - box.y0, box.x1 - box.x0
    image = np.zeros(shape, dtype=np.float32)
    variance = np.full(shape, np.inf, dtype=np.float32)
    mask = np.full(shape, int(Mask.NO_DATA), dtype=np.int16)
    return MaskedImage(image, variance, mask, grid.wcs_cards(box))


def warp_visit(exposures: Iterable[tuple[MaskedImage, Solution]], grid: TangentGrid, box: Box) -> MaskedImage | None:
    """Put all detectors of a visit on the part `box` of a tract.

    Returns
    -------
    warp
        In nJy; None if nothing falls on the box. The variance of a pixel is that of the input's area under it: right
        for sums over apertures, although neighbours are correlated. Pixels whose kernel would touch a bad pixel or a
        cosmic ray have no data. The header has `SKYVAR` (nJy^2, the median variance) and `PSFFWHM` (tract px).
    """
    warp, table, widths = None, lanczos_table(), []
    for exposure, solution in exposures:
        if not solution.overlaps(grid, box):
            continue
        warp = warp or empty_patch(grid, box)
        if _warp_detector(exposure, solution, grid, box, warp=warp, table=table):
            scale = np.sqrt(abs(np.linalg.det(solution.wcs.cd))) * ARCSEC / grid.pixel_scale
            widths.append(float(exposure.header.get("PSFFWHM", 0.0)) * float(scale))
    if warp is None or not np.isfinite(warp.variance).any():
        return None
    known = warp.variance[::SAMPLING]
    known = known[np.isfinite(known)]
    if not len(known):
        known = warp.variance[np.isfinite(warp.variance)]
    warp.header |= {"SKYVAR": float(np.median(known)), "PSFFWHM": float(np.mean(widths))}
    return warp


def _warp_detector(
    exposure: MaskedImage, solution: Solution, grid: TangentGrid, box: Box, *, warp: MaskedImage, table: Pixels
) -> bool:
    part = _covered(solution, grid, box)
    if part is None:
        return False
    nodes = _nodes(solution, grid, part)
    spoilt = unusable(exposure.mask) | ((exposure.mask & np.int16(Mask.COSMIC_RAY)) != 0)
    blocked = np.zeros(exposure.shape, dtype=np.bool_)
    _block(np.ascontiguousarray(spoilt), blocked)
    place = Box(part.x0 - box.x0, part.y0 - box.y0, part.x1 - box.x0, part.y1 - box.y0).slices
    planes = (exposure.image, exposure.variance, exposure.mask)
    _resample(*planes, blocked, nodes, table, warp.image[place], warp.variance[place], warp.mask[place])
    return True


def _covered(solution: Solution, grid: TangentGrid, box: Box) -> Box | None:
    """Return the part of the box inside the detector's bounding box on the tract."""
    x, y = solution.footprint(grid)
    x0, x1 = max(box.x0, int(np.floor(x.min())) - 1), min(box.x1, int(np.ceil(x.max())) + 2)
    y0, y1 = max(box.y0, int(np.floor(y.min())) - 1), min(box.y1, int(np.ceil(y.max())) + 2)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _nodes(solution: Solution, grid: TangentGrid, part: Box) -> Floats:
    """Compute at every STEP-th pixel: x and y on the detector, factors of flux and variance; shape (ny, nx, 4)."""
    columns = part.x0 + STEP * np.arange((part.x1 - part.x0 - 1) // STEP + 2)
    rows = part.y0 + STEP * np.arange((part.y1 - part.y0 - 1) // STEP + 2)
    x, y = solution.wcs.sky_to_pixel(*grid.pixel_to_sky(*np.meshgrid(columns, rows)))
    x_y, x_x = np.gradient(x, STEP)
    y_y, y_x = np.gradient(y, STEP)
    area = np.abs(x_x * y_y - x_y * y_x)
    flux = 10 ** (0.4 * (AB_NJY - solution.zero_point.at(x, y)))
    return np.stack([x, y, flux * area, flux**2 * area], axis=-1)


@compiled
def _block(spoilt: Flags, blocked: Flags) -> None:
    """Mark the places where a kernel that starts two pixels before touches a spoilt pixel."""
    ny, nx = spoilt.shape
    for j in range(ny):
        for i in range(nx):
            if spoilt[j, i]:
                for jj in range(max(0, j - 3), min(ny, j + 3)):
                    for ii in range(max(0, i - 3), min(nx, i + 3)):
                        blocked[jj, ii] = True


@compiled
def _resample(  # noqa: PLR0913, PLR0917 - one tight loop: planes in, planes out
    image: Pixels,
    variance: Pixels,
    mask: MaskPixels,
    blocked: Flags,
    nodes: Floats,
    table: Pixels,
    out_image: Pixels,
    out_variance: Pixels,
    out_mask: MaskPixels,
) -> None:
    ny, nx = image.shape
    out_ny, out_nx = out_image.shape
    for row in range(out_ny):
        node_j, up = row // STEP, (row % STEP) / STEP
        for cell in range((out_nx - 1) // STEP + 1):
            left = (1 - up) * nodes[node_j, cell] + up * nodes[node_j + 1, cell]
            slope = ((1 - up) * nodes[node_j, cell + 1] + up * nodes[node_j + 1, cell + 1] - left) / STEP
            x_left, y_left, flux_left, noise_left = left[0], left[1], left[2], left[3]
            x_step, y_step, flux_step, noise_step = slope[0], slope[1], slope[2], slope[3]
            for k in range(min(STEP, out_nx - cell * STEP)):
                x, y = x_left + k * x_step, y_left + k * y_step
                if not (2 <= x < nx - 3 and 2 <= y < ny - 3):  # noqa: PLR2004 - half the kernel
                    continue
                i, j = int(x), int(y)
                column = cell * STEP + k
                if blocked[j, i] or np.isfinite(out_variance[row, column]):
                    continue
                phase_x = int((x - i) * PHASES + 0.5)
                phase_y = int((y - j) * PHASES + 0.5)
                w0, w1, w2 = table[phase_x, 0], table[phase_x, 1], table[phase_x, 2]
                w3, w4, w5 = table[phase_x, 3], table[phase_x, 4], table[phase_x, 5]
                total = np.float32(0.0)
                for n in range(TAPS):
                    line = image[j + n - 2]
                    total += table[phase_y, n] * (
                        (w0 * line[i - 2] + w1 * line[i - 1] + w2 * line[i])
                        + (w3 * line[i + 1] + w4 * line[i + 2] + w5 * line[i + 3])
                    )
                jj, ii = int(y + 0.5), int(x + 0.5)
                out_image[row, column] = total * (flux_left + k * flux_step)
                out_variance[row, column] = variance[jj, ii] * (noise_left + k * noise_step)
                out_mask[row, column] = mask[jj, ii]
