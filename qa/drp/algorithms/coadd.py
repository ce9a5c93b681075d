"""Clipped, weighted mean of the visits on a patch, tile by tile: memory does not grow with the patch or the visits.

A pixel that one visit sees much brighter than the others (a cosmic ray, a satellite) is left out. The weights are one
number per visit, from the noise of its sky: weights that know a source's own photons would hollow out bright stars.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.clip import CLIPPED, clip
from qa.drp.algorithms.coadd_psf import Contribution
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.jit import compiled
from qa.drp.algorithms.solution import solutions_from_table
from qa.drp.algorithms.warp import empty_patch, overlap, place, warp_tile
from qa.drp.image import Box, Mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.drp.algorithms.skygrid import TangentGrid
    from qa.drp.algorithms.warp import Placement, VisitInput
    from qa.drp.image import MaskedImage, MaskPixels, Pixels

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int16]

TILE = 256
"""Side of the squares worked on at once, in pixels of the tract."""

LARGEST_STACK = 1 << 26
"""Bytes of the stack of all visits on a tile: with very many visits the tiles get smaller."""

PIXEL_BYTES = 10

MARGIN = 6
"""Pixels around a tile that decide about those in it."""

IMAGE_BITS = int(~(Mask.NO_DATA | Mask.CLIPPED | Mask.DETECTED | Mask.COSMIC_RAY | Mask.EDGE))
NO_DATA = int(Mask.NO_DATA)


@dataclass(frozen=True, slots=True)
class Coadd:
    """Coadd in nJy, how many visits went into each pixel, shape (ny, nx), and what it is made of, visit by visit.

    `clipped` tells which part of each visit's pixels was left out as outliers.
    """

    image: MaskedImage
    n_visits: NDArray[np.int16]
    contributions: tuple[Contribution, ...] = ()
    clipped: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Visit:
    number: int
    detectors: tuple[Placement, ...]
    sky: float
    fwhm: float


def coadd_visits(inputs: Sequence[VisitInput], grid: TangentGrid, box: Box, *, tile: int = TILE) -> Coadd:
    """Average the visits on the part `box` of a tract. The order of the inputs does not matter.

    Of the inputs only cut-outs below one tile are held at a time.

    Returns
    -------
    coadd
        The mask of a pixel is the OR of those used; `CLIPPED` where a visit was left out; `NO_DATA` where none is
        left. The header has `SKYVAR` (nJy^2, variance of the sky where all visits contribute) and `PSFFWHM` (tract
        px, their weighted mean).

    Raises
    ------
    UnusableImageError
        If no input reaches the box, or the noise of one is not known.
    """
    visits = _visits(inputs, grid, box)
    if not visits:
        raise UnusableImageError(what="coadd", required="a detector that reaches the patch", found="none")
    out = empty_patch(grid, box)
    n_visits = np.zeros(out.shape, dtype=np.int16)
    while tile > 2 and PIXEL_BYTES * len(visits) * tile**2 > LARGEST_STACK:  # noqa: PLR2004 - a tile has an inside
        tile //= 2
    tallies = {visit.number: np.zeros(2, np.int64) for visit in visits}
    for part in tiles(box, tile):
        _coadd_tile(visits, box, part, out=out, n_visits=n_visits, tallies=tallies)
    weights = np.array([1 / visit.sky for visit in visits])
    fwhm = np.array([visit.fwhm for visit in visits])
    out.header |= {"SKYVAR": float(1 / weights.sum()), "PSFFWHM": float(fwhm @ weights / weights.sum())}
    used = tuple(Contribution(one.source.solution, 1 / visit.sky) for visit in visits for one in visit.detectors)
    clipped = {number: float(counts[1] / np.maximum(counts[0], 1)) for number, counts in tallies.items()}
    return Coadd(out, n_visits, used, clipped)


def contributions_to_table(contributions: Sequence[Contribution], solutions: Table) -> Table:
    """Return the rows of a table of `solutions_to_table` that contributed, with their `weight` (1/nJy^2)."""
    keys = zip(solutions["visit"], solutions["detector"], strict=True)
    row_of = {(int(visit), int(detector)): row for row, (visit, detector) in enumerate(keys)}
    rows = [row_of[one.solution.visit, one.solution.detector] for one in contributions]
    table = solutions[np.array(rows, dtype=np.int64)]
    table["weight"] = [one.weight for one in contributions]
    return table


def contributions_from_table(table: Table) -> tuple[Contribution, ...]:
    """Undo `contributions_to_table`."""
    solutions = solutions_from_table(table)
    return tuple(
        Contribution(solution, float(weight))
        for solution, weight in zip(solutions.values(), table["weight"], strict=True)
    )


def tiles(box: Box, side: int) -> Iterator[Box]:
    """Cut a rectangle into squares, row by row; the last of a row or column may be smaller."""
    for y in range(box.y0, box.y1, side):
        for x in range(box.x0, box.x1, side):
            yield Box(x, y, min(x + side, box.x1), min(y + side, box.y1))


def _visits(inputs: Sequence[VisitInput], grid: TangentGrid, box: Box) -> list[_Visit]:
    def visit(one: Placement) -> int:
        return one.source.solution.visit

    ordered = sorted(inputs, key=lambda one: (one.solution.visit, one.solution.detector))
    placed = [found for one in ordered if (found := place(one, grid, box)) is not None]
    grouped = [(number, tuple(detectors)) for number, detectors in groupby(placed, key=visit)]
    return [
        _Visit(number, group, float(np.mean([one.sky for one in group])), float(np.mean([one.fwhm for one in group])))
        for number, group in grouped
    ]


def _coadd_tile(
    visits: Sequence[_Visit],
    box: Box,
    tile: Box,
    *,
    out: MaskedImage,
    n_visits: Counts,
    tallies: Mapping[int, NDArray[np.int64]],
) -> None:
    """Coadd a tile; a margin on every side lets clipping see the neighbours."""
    wide = overlap(Box(tile.x0 - MARGIN, tile.y0 - MARGIN, tile.x1 + MARGIN, tile.y1 + MARGIN), box) or tile
    near = [visit for visit in visits if any(overlap(one.part, wide) for one in visit.detectors)]
    if not near:
        return
    shape = len(near), wide.y1 - wide.y0, wide.x1 - wide.x0
    images = np.full(shape, np.inf, np.float32)
    variances, masks = np.empty(shape, np.float32), np.zeros(shape, np.int16)
    for index, visit in enumerate(near):
        for one in visit.detectors:
            warp_tile(one, wide, image=images[index], variance=variances[index], mask=masks[index])
    sky = np.array([visit.sky for visit in near])
    if len(near) > 1:
        clip(images, masks, sky=sky, fwhm=np.array([visit.fwhm for visit in near]))
    to = Box(tile.x0 - box.x0, tile.y0 - box.y0, tile.x1 - box.x0, tile.y1 - box.y0).slices
    weights = (1 / sky).astype(np.float32) * np.float32(sky.min())
    margin, tally = (tile.x0 - wide.x0, tile.y0 - wide.y0), np.zeros((len(near), 2), np.int64)
    planes = out.image[to], out.variance[to], out.mask[to], n_visits[to]
    _average(images, variances, masks, weights, margin, *planes, tally)
    for visit, counts in zip(near, tally, strict=True):
        tallies[visit.number][:] += counts


@compiled
def _average(  # noqa: PLR0913, PLR0917 - planes in, planes out
    images: Pixels,
    variances: Pixels,
    masks: MaskPixels,
    weights: Pixels,
    margin: tuple[int, int],
    out_image: Pixels,
    out_variance: Pixels,
    out_mask: MaskPixels,
    n_visits: Counts,
    tally: NDArray[np.int64],
) -> None:
    """Average, and count for each visit the pixels it has and those left out."""
    count, (ny, nx) = len(images), out_image.shape
    light, noise = np.empty(nx, dtype=np.float32), np.empty(nx, dtype=np.float32)
    total, used = np.empty(nx, dtype=np.float32), np.empty(nx, dtype=np.int16)
    bits = np.empty(nx, dtype=np.int16)
    for j in range(ny):
        light[:], noise[:], total[:], used[:], bits[:] = 0.0, 0.0, 0.0, 0, 0
        row = j + margin[1]
        # Visit by visit along a row, as the pixels lie in memory, and without branches.
        for v in range(count):
            image, variance = images[v, row, margin[0] :], variances[v, row, margin[0] :]
            mask, weight = masks[v, row, margin[0] :], weights[v]
            for i in range(nx):
                kept = (image[i] < np.inf) & ((mask[i] & CLIPPED) == 0)
                share = weight if kept else np.float32(0)
                total[i] += share
                light[i] += share * (image[i] if kept else np.float32(0))
                noise[i] += share * share * (variance[i] if kept else np.float32(0))
            seen = left_out = 0
            for i in range(nx):
                seen += image[i] < np.inf
                left_out += (mask[i] & CLIPPED) != 0
            tally[v, 0] += seen
            tally[v, 1] += left_out
            for i in range(nx):
                kept = (image[i] < np.inf) & ((mask[i] & CLIPPED) == 0)
                used[i] += np.int16(kept)
                bits[i] |= mask[i] & (IMAGE_BITS if kept else CLIPPED)
        for i in range(nx):
            n_visits[j, i] = used[i]
            if used[i] > 0:
                out_image[j, i] = light[i] / total[i]
                out_variance[j, i] = noise[i] / (total[i] * total[i])
            out_mask[j, i] = bits[i] if used[i] > 0 else bits[i] | NO_DATA
