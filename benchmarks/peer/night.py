"""A folder of prepared pixels: which visits, detectors and patches. Light: each step of our chain imports it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.image import Box

if TYPE_CHECKING:
    from pathlib import Path

BAND, SCALE = "r", 0.2636
FACTS = "facts.json"
REFERENCE, TRUTH = "reference.fits", "truth.fits"


@dataclass(frozen=True, slots=True)
class Night:
    """A folder with prepared pixels.

    `visits` and `detectors` are ids, the latter in the order of the extensions; `side` is the detectors' in pixels,
    `centre` the field's in degrees; of the coadd, `npix` and `patch_npix` are the sides of all of it and of a patch.
    """

    folder: Path
    visits: tuple[int, ...]
    detectors: tuple[int, ...]
    side: int
    centre: tuple[float, float]
    scale: float
    npix: int
    patch_npix: int
    border: int

    @property
    def megapixels(self) -> float:
        """Pixels of all detectors of all visits."""
        return self.side**2 * len(self.visits) * len(self.detectors) / 1e6

    @property
    def grid(self) -> TangentGrid:
        """Pixels of the coadd."""
        return TangentGrid(*self.centre, self.scale, self.npix)

    def patches(self) -> list[tuple[Box, Box]]:
        """Inner and outer region of each patch of the coadd."""
        found, npix = [], self.npix
        for y in range(0, npix, self.patch_npix):
            for x in range(0, npix, self.patch_npix):
                inner = Box(x, y, min(x + self.patch_npix, npix), min(y + self.patch_npix, npix))
                low = max(inner.x0 - self.border, 0), max(inner.y0 - self.border, 0)
                high = min(inner.x1 + self.border, npix), min(inner.y1 + self.border, npix)
                found.append((inner, Box(*low, *high)))
        return found


def open_night(folder: Path) -> Night:
    """Open a prepared folder."""
    facts = json.loads((folder / FACTS).read_text())
    tract = facts["tract"]
    return Night(
        folder,
        tuple(visit["exposure"] for visit in facts["visits"]),
        tuple(detector["id"] for detector in facts["detectors"]),
        facts["detector_shape"][0],
        (facts["centre"][0], facts["centre"][1]),
        tract["pixel_scale"], tract["npix"], tract["patch_npix"], tract["border"],
    )  # fmt: skip
