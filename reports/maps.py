"""Maps of a coadd in the frame of its picture: how deep, how sharp and how often observed it is, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.wording import number, quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a map shows; its colours span `least` or more, so that noise does not look like a trend."""

    name: str
    title: str
    unit: str
    least: float


KINDS = (
    Kind("depth5", "Depth at 5 sigma", "mag", 0.1),
    Kind("psf_fwhm", "PSF FWHM", "arcsec", 0.02),
    Kind("n_visits", "Visits", "", 1.0),
)

# From dark to light, evenly spaced for the eye and told apart by the colour-blind: matplotlib's "viridis".
COLOURS = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
)  # fmt: skip
_CLIPPED = (2.0, 98.0)


@dataclass(frozen=True, slots=True)
class Tiles:
    """Rectangles of a mosaic: `edges` (n, 4) hold x0, y0, x1, y1 in its pixels; each of `values` is (n,)."""

    edges: Floats
    values: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Map:
    """A map as a page shows it: its path within the site, and the words for the ends of its colours."""

    image: str
    title: str
    low: str
    high: str
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The SVG of one map and what its colours range over."""

    kind: Kind
    svg: str
    low: float
    high: float

    def placed(self, path: str) -> Map:
        """Say where the map lies."""
        low, high = (quantity(value, self.kind.unit) for value in (self.low, self.high))
        label = f"{self.kind.title}, {number(self.low)} to {high}"
        return Map(path, self.kind.title, low, high, label)


def load(arrays: Any) -> Tiles | None:  # noqa: ANN401 - numpy's NpzFile is not public
    """Return the tiles among the arrays of a picture: `tiles` (n, 4) and `tile_<name>` (n,); None without any."""
    if "tiles" not in arrays:
        return None
    edges = np.asarray(arrays["tiles"], dtype=np.float64).reshape(-1, 4)
    names = [kind.name for kind in KINDS if f"tile_{kind.name}" in arrays]
    return Tiles(edges, {name: np.asarray(arrays[f"tile_{name}"], dtype=np.float64) for name in names})


def draw(tiles: Tiles, *, height: int, width: int, factor: int) -> Iterator[Drawing]:
    """Draw a map of each kind that has values; `factor` pixels of the mosaic make one of the picture."""
    for kind in KINDS:
        values = tiles.values.get(kind.name)
        if values is None or not np.isfinite(values).any():
            continue
        low, high = limits(values, least=kind.least)
        paths = _paths(tiles.edges / factor, levels(values, low, high), height)
        shapes = "".join(f'<path fill="{colour}" d="{path}"/>' for colour, path in paths)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        )
        yield Drawing(kind, f'{head} shape-rendering="crispEdges">{shapes}</svg>\n', low, high)


def limits(values: Floats, *, least: float) -> tuple[float, float]:
    """Return the range of the colours: nearly all values, and no less than `least` about their middle."""
    low, high = np.percentile(values[np.isfinite(values)], _CLIPPED)
    missing = max(0.0, least - (high - low)) / 2
    return float(low - missing), float(high + missing)


def levels(values: Floats, low: float, high: float) -> NDArray[np.int64]:
    """Return the place of each value among the colours, -1 for NaN; what lies outside takes the end's."""
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0) * (len(COLOURS) - 1)
    return np.where(np.isfinite(values), np.round(np.nan_to_num(scaled)), -1).astype(np.int64)


def _paths(edges: Floats, level: NDArray[np.int64], height: int) -> Iterator[tuple[str, str]]:
    for index, colour in enumerate(COLOURS):
        chosen = edges[level == index]
        if len(chosen):
            yield colour, "".join(_rectangle(*row, height=height) for row in chosen.tolist())


def _rectangle(x0: float, y0: float, x1: float, y1: float, *, height: int) -> str:
    """Outline a tile; the last row of an array is at the top of its picture."""
    return f"M{x0:.1f} {height - y1:.1f}H{x1:.1f}V{height - y0:.1f}H{x0:.1f}z"
