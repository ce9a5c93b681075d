"""Resampling calibrated exposures to the pixel grid of a tract: Lanczos-3, flux-conserving, in nJy, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Self

import numpy as np

from qa.drp.algorithms.background import UNUSABLE
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.jit import compiled
from qa.drp.algorithms.skygrid import ARCSEC
from qa.drp.algorithms.visits import AB_NJY
from qa.drp.crop import Cutouts, crop
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.skygrid import TangentGrid
    from qa.drp.algorithms.solution import Solution
    from qa.drp.image import MaskPixels, Pixels

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

STEP = 32
"""Tract pixels between the nodes at which coordinates and scale are computed; between them they are linear."""

SAMPLING = 8
"""Every so many rows tell the noise of the sky."""

TAPS = 6
"""Input pixels per axis under the kernel; two of them, as everywhere, before the pixel that a place lies in."""

PHASES = 4096
"""Positions within a pixel at which the kernel is tabulated: it is placed within 1/8192 px."""

SPOILT = int(UNUSABLE)
"""Bits of pixels whose value is not used."""


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


@dataclass(frozen=True, slots=True)
class VisitInput:
    """One detector of one visit: its calibration, and its pixels (electron, background-subtracted) when asked for."""

    solution: Solution
    pixels: Cutouts

    @classmethod
    def of(cls, image: MaskedImage, solution: Solution) -> Self:
        """Take an image in memory."""
        return cls(solution, Cutouts(image.header, partial(crop, image)))

    @property
    def noise(self) -> float:
        """Noise of one pixel of empty sky in electrons: `SKYNOISE` of the header, else what the variance tells.

        Raises
        ------
        UnusableImageError
            If neither is a positive number: the visit would have no weight.
        """
        noise = float(self.pixels.header.get("SKYNOISE", 0.0))
        if not noise > 0:
            variance = self.pixels.cut(Box(0, 0, self.solution.nx, self.solution.ny)).variance[::SAMPLING]
            known = variance[np.isfinite(variance)]
            noise = float(np.sqrt(np.maximum(np.median(known), 0.0))) if len(known) else 0.0
        if not (np.isfinite(noise) and noise > 0):
            found = f"visit {self.solution.visit} detector {self.solution.detector}: {noise:g}"
            raise UnusableImageError(what="noise of the sky", required="a positive number", found=found)
        return noise

    @property
    def fwhm(self) -> float:
        """Seeing in px; 0 where it is not known."""
        return float(self.pixels.header.get("PSFFWHM", 0.0))


@dataclass(frozen=True, slots=True)
class Placement:
    """How a detector lies on `part` of a tract.

    `nodes`, shape (ny, nx, 4), has for every STEP-th pixel from the corner of `part` on: x and y on the detector, and
    the factors of flux and variance from electrons to nJy per pixel of the tract. `sky` is the variance of the sky in
    nJy^2, `fwhm` the seeing, both in pixels of the tract.
    """

    source: VisitInput
    part: Box
    nodes: Floats
    sky: float
    fwhm: float


def empty_patch(grid: TangentGrid, box: Box) -> MaskedImage:
    """Return an image of `box` without any data."""
    shape = box.y1 - box.y0, box.x1 - box.x0
    image = np.zeros(shape, dtype=np.float32)
    variance = np.full(shape, np.inf, dtype=np.float32)
    mask = np.full(shape, int(Mask.NO_DATA), dtype=np.int16)
    return MaskedImage(image, variance, mask, grid.wcs_cards(box))


def place(source: VisitInput, grid: TangentGrid, box: Box) -> Placement | None:
    """Lay a detector on the part `box` of a tract; None if it does not reach it."""
    solution = source.solution
    part = _covered(solution, grid, box) if solution.overlaps(grid, box) else None
    if part is None:
        return None
    nodes = _nodes(solution, grid, part)
    scale = float(np.sqrt(abs(np.linalg.det(solution.wcs.cd)))) * ARCSEC / grid.pixel_scale
    flux = 10 ** (0.4 * (AB_NJY - solution.zero_point.middle))
    return Placement(source, part, nodes, float((source.noise * flux / scale) ** 2), source.fwhm * scale)


def _covered(solution: Solution, grid: TangentGrid, box: Box) -> Box | None:
    """Return the part of the box inside the detector's bounding box on the tract."""
    x, y = solution.footprint(grid)
    left, bottom = int(np.floor(x.min())) - 1, int(np.floor(y.min())) - 1
    return overlap(Box(left, bottom, int(np.ceil(x.max())) + 2, int(np.ceil(y.max())) + 2), box)


def overlap(one: Box, other: Box) -> Box | None:
    """Return what two rectangles have in common; None if nothing."""
    x0, y0 = max(one.x0, other.x0), max(one.y0, other.y0)
    x1, y1 = min(one.x1, other.x1), min(one.y1, other.y1)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _nodes(solution: Solution, grid: TangentGrid, part: Box) -> Floats:
    columns = part.x0 + STEP * np.arange((part.x1 - part.x0 - 1) // STEP + 2)
    rows = part.y0 + STEP * np.arange((part.y1 - part.y0 - 1) // STEP + 2)
    x, y = solution.wcs.sky_to_pixel(*grid.pixel_to_sky(*np.meshgrid(columns, rows)))
    x_y, x_x = np.gradient(x, STEP)
    y_y, y_x = np.gradient(y, STEP)
    area = np.abs(x_x * y_y - x_y * y_x)
    flux = 10 ** (0.4 * (AB_NJY - solution.zero_point.at(x, y)))
    return np.stack([x, y, flux * area, flux**2 * area], axis=-1)


def warp_tile(placed: Placement, tile: Box, *, image: Pixels, variance: Pixels, mask: MaskPixels) -> None:
    """Resample a detector on the rectangle `tile` of the tract, whose pixels `image`, `variance` and `mask` hold.

    Only pixels whose image is infinite are filled; those that the detector does not reach, or where the kernel would
    touch a spoilt pixel, stay so. The variance of a pixel is that of the input's area under it: right for sums over
    apertures, although neighbours are correlated.
    """
    common = overlap(placed.part, tile)
    if common is None:
        return
    x0, y0 = common.x0 - placed.part.x0, common.y0 - placed.part.y0
    x1, y1 = common.x1 - placed.part.x0, common.y1 - placed.part.y0
    rows, columns = slice(y0 // STEP, (y1 - 1) // STEP + 2), slice(x0 // STEP, (x1 - 1) // STEP + 2)
    nodes = placed.nodes[rows, columns]
    first = x0 % STEP, y0 % STEP
    cut = _cut(placed.source.solution, nodes[..., :2], Box(*first, first[0] + x1 - x0 - 1, first[1] + y1 - y0 - 1))
    if cut is None:
        return
    pixels, places = _aligned(placed.source.pixels.cut(cut), nodes - np.array([cut.x0, cut.y0, 0, 0]))
    blocked = np.zeros(pixels.shape, dtype=np.bool_)
    _block(pixels.mask, SPOILT, blocked)
    target = np.array([common.x0 - tile.x0, common.y0 - tile.y0, common.x1 - tile.x0, common.y1 - tile.y0])
    planes = pixels.image, pixels.variance, pixels.mask, blocked
    _resample(*planes, places, np.array(first), target, lanczos_table(), image, variance, mask)


def _aligned(pixels: MaskedImage, nodes: Floats) -> tuple[MaskedImage, Floats]:
    """Turn a cut-out by right angles and mirror it until its axes run with those of the tract.

    Neighbours on the tract are then neighbours in memory, which the inner loop thrives on.
    """
    # Small copies first: turning a part of a large array jumps through memory, at ten times the cost.
    planes = [np.ascontiguousarray(plane) for plane in (pixels.image, pixels.variance, pixels.mask)]
    x, y, flux, noise = np.moveaxis(nodes, -1, 0)
    if abs(x[0, -1] - x[0, 0]) < abs(y[0, -1] - y[0, 0]):
        planes, x, y = [plane.T for plane in planes], y, x
    if x[0, -1] < x[0, 0]:
        planes, x = [plane[:, ::-1] for plane in planes], planes[0].shape[1] - 1 - x
    if y[-1, 0] < y[0, 0]:
        planes, y = [plane[::-1] for plane in planes], planes[0].shape[0] - 1 - y
    image, variance = np.ascontiguousarray(planes[0]), np.ascontiguousarray(planes[1])
    return MaskedImage(image, variance, np.ascontiguousarray(planes[2])), np.stack([x, y, flux, noise], axis=-1)


def _cut(solution: Solution, places: Floats, inside: Box) -> Box | None:
    """Return the pixels of the detector under a part of what the nodes span, and under the kernel there."""
    places = _ended(_ended(places, inside.y0, inside.y1).swapaxes(0, 1), inside.x0, inside.x1)
    x0, y0 = (int(low) - TAPS // 2 for low in places.min(axis=(0, 1)))
    x1, y1 = (int(high) + TAPS // 2 + 2 for high in places.max(axis=(0, 1)))
    return overlap(Box(x0, y0, x1, y1), Box(0, 0, solution.nx, solution.ny))


def _ended(nodes: Floats, first: int, last: int) -> Floats:
    """Put the outer of the nodes along the first axis to these pixels."""
    out, end = nodes.copy(), len(nodes) - 2
    out[0] += (nodes[1] - nodes[0]) * (first / STEP)
    out[-1] = nodes[end] + (nodes[end + 1] - nodes[end]) * (last / STEP - end)
    return out


@compiled
def _block(mask: MaskPixels, spoilt: int, blocked: Flags) -> None:
    """Mark the places where a kernel that starts two pixels before touches a spoilt pixel."""
    ny, nx = mask.shape
    for j in range(ny):
        for i in range(nx):
            if mask[j, i] & spoilt:
                for jj in range(max(0, j - 3), min(ny, j + 3)):
                    for ii in range(max(0, i - 3), min(nx, i + 3)):
                        blocked[jj, ii] = True


@compiled
def _resample(  # noqa: PLR0913, PLR0917 - planes in, planes out
    image: Pixels,
    variance: Pixels,
    mask: MaskPixels,
    blocked: Flags,
    nodes: Floats,
    first: Ints,
    target: Ints,
    table: Pixels,
    out_image: Pixels,
    out_variance: Pixels,
    out_mask: MaskPixels,
) -> None:
    """Walk along the rows of the target in runs whose input pixels lie side by side in one row."""
    ny, nx = image.shape
    weights_x, weights_y = np.empty((TAPS, STEP), np.float32), np.empty((TAPS, STEP), np.float32)
    light = np.empty(STEP, np.float32)
    for row in range(target[1], target[3]):
        line = row - target[1] + first[1]
        node_j, up = line // STEP, (line % STEP) / STEP
        for cell in range((first[0] + target[2] - target[0] - 1) // STEP + 1):
            left = (1 - up) * nodes[node_j, cell] + up * nodes[node_j + 1, cell]
            slope = ((1 - up) * nodes[node_j, cell + 1] + up * nodes[node_j + 1, cell + 1] - left) / STEP
            start = target[0] + cell * STEP - first[0]
            k, last = max(0, target[0] - start), min(STEP, target[2] - start)
            while k < last:
                x, y = left[0] + k * slope[0], left[1] + k * slope[1]
                i, j, n = int(x), int(y), 0
                while 2 <= x < nx - 3 and 2 <= y < ny - 3 and int(x) == i + n and int(y) == j:  # noqa: PLR2004
                    phase_x, phase_y = int((x - int(x)) * PHASES + 0.5), int((y - j) * PHASES + 0.5)
                    for m in range(TAPS):
                        weights_x[m, n], weights_y[m, n] = table[phase_x, m], table[phase_y, m]
                    n += 1
                    x, y = (left[0] + (k + n) * slope[0], left[1] + (k + n) * slope[1]) if k + n < last else (-1.0, 0.0)
                if n > 0:
                    _convolve(image, j - 2, i - 2, weights_x, weights_y, light[:n])
                for q in range(n):
                    column = start + k + q
                    if blocked[j, i + q] or out_image[row, column] < np.inf:
                        continue
                    jj, ii = int(left[1] + (k + q) * slope[1] + 0.5), int(left[0] + (k + q) * slope[0] + 0.5)
                    out_image[row, column] = light[q] * (left[2] + (k + q) * slope[2])
                    out_variance[row, column] = variance[jj, ii] * (left[3] + (k + q) * slope[3])
                    out_mask[row, column] = mask[jj, ii]
                k += max(n, 1)


@compiled
def _convolve(image: Pixels, row: int, column: int, weights_x: Pixels, weights_y: Pixels, light: Pixels) -> None:
    """Sum six rows from a corner on under the kernels of neighbouring pixels, many of them at once."""
    w0, w1, w2, w3, w4, w5 = weights_x[0], weights_x[1], weights_x[2], weights_x[3], weights_x[4], weights_x[5]
    light[:] = 0
    for n in range(TAPS):
        line, across = image[row + n, column:], weights_y[n]
        for q in range(len(light)):
            near = w0[q] * line[q] + w1[q] * line[q + 1] + w2[q] * line[q + 2]
            far = w3[q] * line[q + 3] + w4[q] * line[q + 4] + w5[q] * line[q + 5]
            light[q] += across[q] * (near + far)
