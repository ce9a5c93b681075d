"""The PSF of a coadd at any point: the sum of the visits' models there, as weighted and warped as their pixels.

Bosch et al. (2018), PASJ 70, S5, section 3.3 (CoaddPsf).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.jit import compiled
from qa.drp.algorithms.psf import FWHM_PER_SIGMA, PsfModel, ellipticity, moments_of_stamps
from qa.drp.algorithms.psf_profile import cubic, draw_stamp, profile_table
from qa.drp.algorithms.skygrid import ARCSEC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from qa.drp.algorithms.skygrid import TangentGrid
    from qa.drp.algorithms.solution import Solution
    from qa.drp.image import Box

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

CELL = 128
"""Side in tract px of the cells within which a coadd of the same visits has one PSF."""

FINE = 2
"""A PSF is drawn on pixels so many times smaller, so that it can be placed within a pixel."""

CELL_REACH, STAMP_REACH = 2.0, 4.0
"""Cells and stamps reach so many FWHM of the widest visit from their middles."""

LANCZOS = 3
"""The order of the kernel the visits were warped with: it makes the PSF a little sharper."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """A detector of a visit that went into a coadd, with the weight its pixels had."""

    solution: Solution
    weight: float


@dataclass(frozen=True, slots=True)
class Cell:
    """PSF of one cell on pixels `FINE` times smaller than the tract's, of total flux 1 per tract px^2; FWHM in px."""

    stamp: Floats
    fwhm: float
    e1: float
    e2: float


@dataclass(frozen=True, slots=True)
class CoaddPsf:
    """PSF of a coadd on `grid`; places are in pixels of the tract, counted from `origin`.

    Where no visit covers a place, all are taken to. `cells` keeps what was drawn.
    """

    contributions: tuple[Contribution, ...]
    grid: TangentGrid
    origin: tuple[int, int] = (0, 0)
    cells: dict[tuple[int, int, bytes], Cell] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, contributions: Iterable[Contribution], grid: TangentGrid) -> CoaddPsf:
        """Make the PSF of those contributions that have a weight and a model."""
        kept = tuple(one for one in contributions if one.weight > 0 and one.solution.psf is not None)
        return cls(kept, grid)

    def within(self, box: Box) -> CoaddPsf:
        """Return the same PSF for an image of `box`, places in pixels of that image."""
        return CoaddPsf(self.contributions, self.grid, (box.x0, box.y0), self.cells)

    @property
    def n_stars(self) -> int:
        """Stars all models rest on."""
        return sum(_model(one).n_stars for one in self.contributions)

    @property
    def fwhm(self) -> float:
        """Weighted mean FWHM in px of the tract at the centres of the detectors."""
        weights = [one.weight for one in self.contributions]
        return float(np.average([_model(one).fwhm * self._scale(one) for one in self.contributions], weights=weights))

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """FWHM in px, e1 and e2 at places."""
        cells, index = self._cells(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        values = np.array([(cell.fwhm, cell.e1, cell.e2) for cell in cells]).reshape(-1, 3)[index]
        return values[:, 0], values[:, 1], values[:, 2]

    def stamp(self, x: float, y: float) -> Floats:
        """PSF at a place, centred on the middle pixel of a stamp of odd side, of sum 1."""
        place_x, place_y = np.array([x + self.origin[0]]), np.array([y + self.origin[1]])
        fine = self._draw_fine(place_x, place_y, self._coverage(place_x, place_y), STAMP_REACH)[0]
        out = fine[::FINE, ::FINE]
        return np.asarray(out / out.sum())

    def draw(self, x: Floats, y: Floats, *, half: int) -> Floats:
        """PSFs of total flux 1 at places, each on the 2 half + 1 pixels squared around its nearest pixel."""
        x, y = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
        cells, index = self._cells(x, y)
        out = np.zeros((len(x), 2 * half + 1, 2 * half + 1))
        if len(x):
            _place(out, x, y, np.array([cell.stamp for cell in cells]), index)
        return out

    def _scale(self, one: Contribution) -> float:
        """Tract pixels per detector pixel."""
        return float(np.sqrt(abs(np.linalg.det(one.solution.wcs.cd)))) * ARCSEC / self.grid.pixel_scale

    def _cells(self, x: Floats, y: Floats) -> tuple[list[Cell], Ints]:
        """Cells that serve the places, and which of them each."""
        x, y = x + self.origin[0], y + self.origin[1]
        covered = self._coverage(x, y)
        column, row = np.floor(x / CELL).astype(np.int64), np.floor(y / CELL).astype(np.int64)
        table = np.column_stack([column, row, np.packbits(covered, axis=1)])
        _, first, index = np.unique(table, axis=0, return_index=True, return_inverse=True)
        keys = [(int(column[k]), int(row[k]), table[k, 2:].tobytes()) for k in first]
        new = [k for k, key in enumerate(keys) if key not in self.cells]
        if new:
            at = first[new]
            middle_x, middle_y = (np.asarray((axis[at] + 0.5) * CELL, dtype=np.float64) for axis in (column, row))
            found = self._draw_cells(middle_x, middle_y, covered[at])
            self.cells.update(zip((keys[k] for k in new), found, strict=True))
        return [self.cells[key] for key in keys], index.ravel()

    def _coverage(self, x: Floats, y: Floats) -> Flags:
        """Whether each place lies on each contribution's detector; all, where none."""
        out = np.zeros((len(x), len(self.contributions)), dtype=bool)
        for k, one in enumerate(self.contributions):
            solution = one.solution
            edge_x, edge_y = solution.footprint(self.grid)
            near = (x >= edge_x.min()) & (x <= edge_x.max()) & (y >= edge_y.min()) & (y <= edge_y.max())
            if near.any():
                u, v = solution.wcs.sky_to_pixel(*self.grid.pixel_to_sky(x[near], y[near]))
                out[near, k] = (np.abs(u + 0.5 - solution.nx / 2) <= solution.nx / 2) & (
                    np.abs(v + 0.5 - solution.ny / 2) <= solution.ny / 2
                )
        out[~out.any(axis=1)] = True
        return out

    def _draw_cells(self, x: Floats, y: Floats, covered: Flags) -> list[Cell]:
        stamps = self._draw_fine(x, y, covered, CELL_REACH)
        middle = np.zeros(len(stamps))
        moments = moments_of_stamps(stamps, middle, middle, sigma=FINE * self.fwhm / FWHM_PER_SIGMA)
        fwhm, (e1, e2) = moments.size * FWHM_PER_SIGMA / FINE, ellipticity(moments)
        values = np.column_stack([fwhm, e1, e2]).tolist()
        return [Cell(stamp, *three) for stamp, three in zip(stamps, values, strict=True)]

    def _draw_fine(self, x: Floats, y: Floats, covered: Flags, reach: float) -> Floats:
        """Draw the PSFs at places, shape (n, side, side)."""
        scales = [self._scale(one) for one in self.contributions]
        widest = max(_model(one).fwhm * scale for one, scale in zip(self.contributions, scales, strict=True))
        side = 2 * int(np.ceil(reach * widest)) * FINE + 1
        stamps, total = np.zeros((len(x), side, side)), covered @ np.array([one.weight for one in self.contributions])
        for k, one in enumerate(self.contributions):
            chosen = np.flatnonzero(covered[:, k])
            if len(chosen):
                u, v, jacobians = self._detector_pixels(one.solution, x[chosen], y[chosen])
                model, amplitudes = _model(one), one.weight / total[chosen] * FINE**2
                parts = model.shapes(u, v), profile_table(model.beta), model.planes, model.plane_terms(u, v)
                _add_visit(stamps, chosen, jacobians / FINE, *parts, amplitudes)
        kernel = _warp_kernel(side, 1 / (FINE * float(np.mean(scales))))
        return np.asarray(kernel @ stamps @ kernel.T)

    def _detector_pixels(self, solution: Solution, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the pixels of the detector at places, and how they move with the places, shape (n, 2, 2)."""
        steps = np.array([[0, 0], [-0.5, 0], [0.5, 0], [0, -0.5], [0, 0.5]])[:, :, None]
        u, v = solution.wcs.sky_to_pixel(*self.grid.pixel_to_sky(x + steps[:, 0], y + steps[:, 1]))
        jacobians = np.array([[u[2] - u[1], u[4] - u[3]], [v[2] - v[1], v[4] - v[3]]])
        return u[0], v[0], np.ascontiguousarray(np.moveaxis(jacobians, -1, 0))


def _model(one: Contribution) -> PsfModel:
    if one.solution.psf is None:  # `CoaddPsf.of` leaves such contributions out
        msg = f"visit {one.solution.visit}, detector {one.solution.detector} has no PSF model"
        raise ValueError(msg)
    return one.solution.psf


def _warp_kernel(side: int, step: float) -> Floats:
    """Convolution with the Lanczos kernel along one axis of `side` pixels, each `step` detector pixels wide, as matrix.

    Interpolating a star with the kernel gives, averaged over where it lies within a pixel, the star convolved with it.
    """
    distance = step * (np.arange(side)[:, None] - np.arange(side)[None, :])
    kernel = np.sinc(distance) * np.sinc(distance / LANCZOS) * (np.abs(distance) < LANCZOS)
    taps = step * np.arange(-side, side + 1)
    whole = np.sum(np.sinc(taps) * np.sinc(taps / LANCZOS) * (np.abs(taps) < LANCZOS))
    return np.asarray(kernel / whole)


@compiled
def _add_visit(
    stamps: Floats,
    chosen: Ints,
    jacobians: Floats,
    shapes: Floats,
    table: Floats,
    planes: Floats,
    basis: Floats,
    amplitudes: Floats,
) -> None:
    half, side = stamps.shape[1] // 2, planes.shape[1]
    residual = np.zeros((side, side))
    for k in range(len(chosen)):
        residual[:] = 0
        if side > 1:
            for m in range(basis.shape[1]):
                residual += basis[k, m] * planes[m]
        draw_stamp(stamps[chosen[k]], half, half, jacobians[k], shapes[k], table, residual, amplitudes[k])


@compiled
def _place(out: Floats, x: Floats, y: Floats, stamps: Floats, index: Ints) -> None:
    half, middle = out.shape[1] // 2, stamps.shape[1] // 2
    for k in range(len(x)):
        dx, dy = np.floor(x[k] + 0.5) - x[k] - half, np.floor(y[k] + 0.5) - y[k] - half
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                out[k, j, i] = cubic(stamps[index[k]], middle + FINE * (i + dx), middle + FINE * (j + dy))
