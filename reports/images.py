"""Coadd pictures: arrays of a run to a PNG with an asinh stretch and an SVG of the detections to lay over it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.errors import DocumentError
from reports import maps

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from reports.maps import Map, Tiles

    Floats = NDArray[np.float32]

SIDE = 1400
"""Longest side of a picture in pixels; larger mosaics are averaged down."""

MARKED = 3000
"""How many detections are marked at most."""

_SOFTENING, _WHITE = 4.0, 99.7
_FAINT, _BRIGHT = 14.0, 255.0
_LEAST_RANGE = 0.5
_NEEDED = ("image", "pixel_scale", "x", "y", "extended")
_ARCMIN = 60.0


@dataclass(frozen=True, slots=True)
class Sky:
    """A picture as a page shows it: paths within the site, size in pixels, what is marked."""

    band: str
    image: str
    overlay: str
    width: int
    height: int
    stars: int
    galaxies: int
    unmarked: int
    field: str
    centre: str
    maps: tuple[Map, ...] = ()


@dataclass(frozen=True, slots=True)
class Mosaic:
    """The arrays of one picture: `image` (ny, nx), NaN where nothing was observed; positions in its pixels, 0-based."""

    image: Floats
    pixel_scale: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    extended: NDArray[np.bool_]
    ra: float | None
    dec: float | None
    tiles: Tiles | None = None

    @property
    def factor(self) -> int:
        """How many pixels of the mosaic, along a side, make one of the picture."""
        longest = int(max(self.image.shape))
        return max(1, -(-longest // SIDE))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        ny, nx = self.image.shape
        return nx // self.factor, ny // self.factor

    @property
    def field(self) -> str:
        """The sky covered, in words."""
        ny, nx = self.image.shape
        sides = [f"{size * self.pixel_scale / _ARCMIN:.1f}\u2032" for size in (nx, ny)]
        return " \u00d7 ".join(sides)

    @property
    def centre(self) -> str:
        """Position of the centre in degrees, where it is known."""
        return (
            ""
            if self.ra is None or self.dec is None
            else f"{self.ra:.3f}\u00b0, {self.dec:+.3f}\u00b0".replace("-", "\u2212")
        )


def load(path: Path) -> Mosaic:
    """Read the arrays of a picture.

    Raises
    ------
    DocumentError
        If the file is not an `.npz` with the arrays of a picture.
    """
    required = f"an .npz file with the arrays {', '.join(_NEEDED)}"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _mosaic(arrays)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DocumentError(path, required=required, found=str(error)) from error


def _mosaic(arrays: Any) -> Mosaic:  # noqa: ANN401 - numpy's NpzFile is not public
    image = np.asarray(arrays["image"], dtype=np.float32)
    if image.ndim != 2 or not image.size:  # noqa: PLR2004 - a picture has two axes
        msg = f"an image of shape {image.shape}"
        raise ValueError(msg)
    x, y = (np.atleast_1d(arrays[name]).astype(np.float64) for name in ("x", "y"))
    extended = np.atleast_1d(arrays["extended"]).astype(bool)
    centre = _centre(arrays, "ra"), _centre(arrays, "dec")
    return Mosaic(image, float(arrays["pixel_scale"]), x, y, extended, *centre, maps.load(arrays))


def _centre(arrays: Any, name: str) -> float | None:  # noqa: ANN401
    """Return a coordinate that is either the centre's or, then the middle is taken, one per detection."""
    values = np.atleast_1d(arrays[name]).astype(np.float64) if name in arrays else np.empty(0)
    values = values[np.isfinite(values)]
    return float(0.5 * (values.min() + values.max())) if values.size else None


def shrink(image: Floats, factor: int) -> Floats:
    """Average blocks of `factor` by `factor` pixels, ignoring NaN; a block of nothing else stays NaN."""
    if factor == 1:
        return image
    ny, nx = image.shape[0] // factor, image.shape[1] // factor
    blocks = image[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    good = np.isfinite(blocks)
    count = good.sum(axis=(1, 3), dtype=np.float32)
    total = np.where(good, blocks, np.float32(0)).sum(axis=(1, 3), dtype=np.float32)
    mean: Floats = np.divide(total, count, out=np.full((ny, nx), np.nan, dtype=np.float32), where=count > 0)
    return mean


def stretch(image: Floats) -> NDArray[np.uint8]:
    """Map fluxes to grey levels (ny, nx) by an asinh above the sky; 0 is kept for pixels without data.

    The softening is a few times the noise, from the median absolute deviation of a sample, so that both the noise and
    the cores of bright stars keep some contrast.
    """
    good = np.isfinite(image)
    if not good.any():
        return np.zeros(image.shape, dtype=np.uint8)
    sample = image[good][:: max(1, int(good.sum()) // 100_000)].astype(np.float64)
    sky = np.median(sample)
    noise = 1.4826 * np.median(np.abs(sample - sky)) or 1.0
    scaled = np.arcsinh((np.where(good, image, sky) - sky + noise) / (_SOFTENING * noise))
    top = max(float(np.percentile(scaled, _WHITE)), _LEAST_RANGE)
    levels = np.clip(_FAINT + (_BRIGHT - _FAINT) * scaled / top, _FAINT, _BRIGHT).astype(np.uint8)
    return np.where(good, levels, np.uint8(0))


def png(mosaic: Mosaic) -> bytes:
    """Return the picture with the last row of the array at the top; what was not observed is transparent."""
    from PIL import Image  # noqa: PLC0415 - not needed where there are no pictures

    levels = np.ascontiguousarray(stretch(shrink(mosaic.image, mosaic.factor))[::-1])
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, format="PNG", compress_level=4, transparency=0)
    return stream.getvalue()


def overlay(mosaic: Mosaic) -> str:
    """Return an SVG of the picture's size: circles about stars, diamonds about galaxies, a scale bar.

    Only presentation attributes are used, so that a strict content security policy changes nothing.
    """
    width, height = mosaic.size
    x = (mosaic.x + 0.5) / mosaic.factor
    y = height - (mosaic.y + 0.5) / mosaic.factor
    seen = np.isfinite(x) & np.isfinite(y)
    seen[seen.nonzero()[0][MARKED:]] = False
    size = width / 120
    circle = f"a{size:.1f} {size:.1f} 0 1 0 {2 * size:.1f} 0a{size:.1f} {size:.1f} 0 1 0 {-2 * size:.1f} 0z"
    rhomb = f"l{size:.1f} {size:.1f} {size:.1f} {-size:.1f} {-size:.1f} {-size:.1f}z"
    stars, galaxies = seen & ~mosaic.extended, seen & mosaic.extended
    paths = [
        ("#ffb454", "".join(f"M{a - size:.1f} {b:.1f}{circle}" for a, b in zip(x[stars], y[stars], strict=True))),
        ("#6fd3ff", "".join(f"M{a - size:.1f} {b:.1f}{rhomb}" for a, b in zip(x[galaxies], y[galaxies], strict=True))),
    ]
    marks = "".join(f'<path d="{path}" stroke="{colour}"/>' for colour, path in paths if path)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<g fill="none" stroke-width="{size / 4:.2f}">{marks}</g>{_scale_bar(mosaic)}</svg>\n'
    )


def _scale_bar(mosaic: Mosaic) -> str:
    """Draw a bar of a round number of arcsec, about a sixth of the picture wide."""
    width, height = mosaic.size
    scale = mosaic.pixel_scale * mosaic.factor
    target = width * scale / 6
    length = max((one for one in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600) if one <= target), default=1)
    text = f"{length // 60}\u2032" if length >= _ARCMIN else f"{length}\u2033"
    left, base, size = width * 0.03, height * 0.965, width / 42
    path = f"M{left:.1f} {base:.1f}h{length / scale:.1f}"
    middle = left + length / scale / 2
    font = f'font-family="system-ui, sans-serif" font-size="{size:.1f}" text-anchor="middle"'
    edge = f'stroke="#0b0d10" stroke-width="{size / 5:.1f}" paint-order="stroke"'
    return (
        f'<path d="{path}" stroke="#0b0d10" stroke-width="{size / 3:.1f}" stroke-linecap="square"/>'
        f'<path d="{path}" stroke="#ffffff" stroke-width="{size / 7:.1f}"/>'
        f'<text x="{middle:.1f}" y="{base - size / 2:.1f}" fill="#ffffff" {edge} {font}>{text}</text>'
    )
