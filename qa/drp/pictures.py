"""Pictures for the report: the coadd of a tract and band as one small mosaic, what was detected on it, and its maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.image import Box, Mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.drp.image import MaskedImage, Pixels
    from qa.drp.skymap import SkyMap

LARGEST_SIDE = 1400
_MAPPED = ("depth5", "psf_fwhm", "n_visits")


@dataclass(frozen=True, slots=True)
class Picture:
    """A binned mosaic (nJy per pixel of the tract, NaN where there are no data) and detections in its pixels.

    `pixel_scale` in arcsec; ra and dec in degrees. `tiles` (n, 4) are the edges x0, y0, x1, y1 of the tiles of the
    coadd's map in pixels of the mosaic, with the depth (AB), the PSF's FWHM (arcsec) and the number of visits of each.
    """

    image: Pixels
    pixel_scale: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    extended: NDArray[np.bool_]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    tiles: NDArray[np.float64]
    tile_depth5: NDArray[np.float64]
    tile_psf_fwhm: NDArray[np.float64]
    tile_n_visits: NDArray[np.float64]


def picture(
    sky_map: SkyMap, coadds: Mapping[int, MaskedImage], objects: Sequence[Table], maps: Sequence[Table] = ()
) -> Picture:
    """Make a picture of the patches given, cut to where there are data, with the objects and map tiles in it."""
    origin, factor = _frame(sky_map, coadds)
    image = mosaic(sky_map, coadds, origin, factor)
    cut = covered(image)
    tables = [table[_shown(table)] for table in objects if len(table)]
    columns = {name: _column(tables, name) for name in ("x", "y", "extendedness", "ra", "dec")}
    centre = (factor - 1) / 2
    x = (columns["x"] - origin.x0 - centre) / factor - cut.x0
    y = (columns["y"] - origin.y0 - centre) / factor - cut.y0
    inside = (x >= -1) & (x <= cut.x1 - cut.x0) & (y >= -1) & (y <= cut.y1 - cut.y0)
    return Picture(
        image=image[cut.slices],
        pixel_scale=sky_map.pixel_scale * factor,
        x=x[inside],
        y=y[inside],
        extended=columns["extendedness"][inside] > 0.5,  # noqa: PLR2004 - 0 is a star, 1 a galaxy
        ra=columns["ra"][inside],
        dec=columns["dec"][inside],
        tiles=_edges(maps, origin, factor) - (cut.x0, cut.y0, cut.x0, cut.y0),
        **{f"tile_{name}": _column(maps, name) for name in _MAPPED},
    )


def _edges(maps: Sequence[Table], origin: Box, factor: int) -> NDArray[np.float64]:
    """Return the edges x0, y0, x1, y1 of tiles in pixels of the mosaic that begins at `origin`."""
    x, y, width, height = (_column(maps, name) for name in ("x", "y", "width", "height"))
    x, y = x - origin.x0 + 0.5, y - origin.y0 + 0.5  # from the middle of a pixel to its edge
    edges = np.column_stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    return np.asarray(edges / factor)


def neighbours(sky_map: SkyMap, patches: Iterable[int]) -> list[set[int]]:
    """Group patches that touch, the largest group first; fields far apart would make a picture of the gap."""
    left, groups = set(patches), []
    while left:
        group, front = set(), {min(left)}
        while front:
            group |= front
            left -= front
            front = {patch for patch in left if any(_touch(sky_map, patch, other) for other in front)}
        groups.append(group)
    return sorted(groups, key=lambda group: (-len(group), min(group)))


def mosaic(sky_map: SkyMap, coadds: Mapping[int, MaskedImage], origin: Box, factor: int) -> Pixels:
    """Put patches together in blocks of `factor` x `factor` pixels from the corner of `origin` on."""
    ny, nx = (-(-side // factor) for side in (origin.y1 - origin.y0, origin.x1 - origin.x0))
    whole = np.full((ny, nx), np.nan, np.float32)
    for patch, coadd in coadds.items():
        inner, outer = sky_map.inner(patch), sky_map.outer(patch)
        # Whole blocks, from the first that begins in the inner region; the last may reach into the border.
        x0, x1 = (-(-(edge - origin.x0) // factor) for edge in (inner.x0, inner.x1))
        y0, y1 = (-(-(edge - origin.y0) // factor) for edge in (inner.y0, inner.y1))
        left, bottom = origin.x0 + x0 * factor - outer.x0, origin.y0 + y0 * factor - outer.y0
        part = Box(left, bottom, left + (x1 - x0) * factor, bottom + (y1 - y0) * factor).slices
        blocks = binned(np.where((coadd.mask[part] & Mask.NO_DATA) != 0, np.float32(np.nan), coadd.image[part]), factor)
        whole[y0 : y0 + blocks.shape[0], x0 : x0 + blocks.shape[1]] = blocks
    return whole


def write_picture(path: Path, drawn: Picture, facts: Mapping[str, str | float]) -> None:
    """Write a picture, with facts to caption it, as a numpy archive of one array for each field."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {name: getattr(drawn, name) for name in drawn.__slots__}
    arrays = fields | {name: np.asarray(value) for name, value in facts.items()}
    np.savez(path, allow_pickle=False, **arrays)


def covered(image: Pixels) -> Box:
    """Return the smallest rectangle that holds all finite pixels; all of the image when there are none."""
    finite = np.isfinite(image)
    rows, columns = np.flatnonzero(finite.any(axis=1)), np.flatnonzero(finite.any(axis=0))
    if not len(rows):
        return Box(0, 0, image.shape[1], image.shape[0])
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def binned(image: Pixels, factor: int) -> Pixels:
    """Average blocks of `factor` x `factor` pixels, leaving out NaN; what does not fill a block is cut off."""
    if factor == 1:
        return image
    ny, nx = (side // factor for side in image.shape)
    blocks = image[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    finite = np.isfinite(blocks)
    count = finite.sum(axis=(1, 3), dtype=np.float32)
    total = np.where(finite, blocks, 0).sum(axis=(1, 3), dtype=np.float32)
    return np.where(count > 0, total / np.maximum(count, 1), np.float32(np.nan))


def _frame(sky_map: SkyMap, coadds: Mapping[int, MaskedImage]) -> tuple[Box, int]:
    """Return the rectangle around the patches, and the binning that makes it small enough."""
    boxes = [sky_map.inner(patch) for patch in coadds]
    x0, y0 = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
    x1, y1 = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
    return Box(x0, y0, x1, y1), -(-max(x1 - x0, y1 - y0) // LARGEST_SIDE)


def _touch(sky_map: SkyMap, one: int, other: int) -> bool:
    side = sky_map.patches_per_side
    return abs(one // side - other // side) <= 1 and abs(one % side - other % side) <= 1


def _shown(table: Table) -> NDArray[np.bool_]:
    """Objects that count: each once, and none of the artefacts along edges."""
    primary, flag = (np.asarray(table[name], np.bool_) for name in ("primary", "flag"))
    return primary & ~flag


def _column(tables: Iterable[Table], name: str) -> NDArray[np.float64]:
    parts = [np.asarray(table[name], np.float64) for table in tables]
    return np.concatenate(parts) if parts else np.empty(0)
