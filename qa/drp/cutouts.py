"""Rectangles of pixels from files of masked images, mapped into memory only while they are copied out."""

from __future__ import annotations

import math
import mmap
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.drp.crop import uncrop
from qa.drp.image import Box, MaskedImage

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PLANES = ("IMAGE", "VARIANCE", "MASK")
PLACE = ("CROPX0", "CROPY0", "FULLNX", "FULLNY")
"""Cards that say where the pixels of a file lie in the whole image, and the size of that."""

NUMBERS = ("SKYNOISE", "PSFFWHM")

_BLOCK, _CARD = 2880, 80
_TYPES = {8: ">u1", 16: ">i2", -32: ">f4"}


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Where the planes of a masked image lie in an uncompressed FITS file; `box` is what the file has of the image.

    The file is opened for each cut-out: many of these may be held without open files and without memory.
    """

    path: Path
    box: Box
    offsets: tuple[int, ...]
    types: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> tuple[ImageFile, dict[str, float]]:
        """Look up the planes of a file, and the numbers in the primary header that coaddition wants.

        Reading headers as FITS in general wants to be read takes 10 ms, as long as coadding a small tile.
        """
        (primary, _), *planes = _headers(path, 1 + len(PLANES))
        x0, y0 = (int(primary[name]) for name in PLACE[:2])
        nx, ny = (int(planes[0][0][name]) for name in ("NAXIS1", "NAXIS2"))
        types = tuple(_TYPES[int(cards["BITPIX"])] for cards, _ in planes)
        offsets = tuple(offset for _, offset in planes)
        numbers = {name: float(primary[name]) for name in NUMBERS if name in primary}
        return cls(path, Box(x0, y0, x0 + nx, y0 + ny), offsets, types), numbers

    def cut(self, box: Box) -> MaskedImage:
        """Copy a rectangle of the whole image, in the byte order of this machine; outside the file it is empty."""
        mine = self.box
        low = _within(box.x0, mine.x0, mine.x1), _within(box.y0, mine.y0, mine.y1)
        high = _within(box.x1, mine.x0, mine.x1), _within(box.y1, mine.y0, mine.y1)
        part = Box(*low, *high)
        inside = _moved(part, mine).slices
        with self.path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        image = np.ascontiguousarray(self._plane(mapped, 0)[inside], dtype=np.float32)
        variance = np.ascontiguousarray(self._plane(mapped, 1)[inside], dtype=np.float32)
        mask = np.ascontiguousarray(self._plane(mapped, 2)[inside], dtype=np.int16)
        return uncrop(MaskedImage(image, variance, mask), _moved(part, box), (box.y1 - box.y0, box.x1 - box.x0))

    def _plane(self, mapped: mmap.mmap, index: int) -> NDArray[Any]:
        ny, nx = self.box.y1 - self.box.y0, self.box.x1 - self.box.x0
        return np.frombuffer(mapped, self.types[index], ny * nx, self.offsets[index]).reshape(ny, nx)


def _headers(path: Path, count: int) -> list[tuple[dict[str, str], int]]:
    """Return the cards of the first HDUs of a file, and where their data begin. Pence et al. (2010), A&A 524, A42."""
    found: list[tuple[dict[str, str], int]] = []
    with path.open("rb") as file:
        for _ in range(count):
            cards: dict[str, str] = {}
            while "END" not in cards:
                block = file.read(_BLOCK).decode("ascii")
                if len(block) < _BLOCK:
                    msg = f"{path}: must have {count} HDUs of a masked image, found {len(found)}"
                    raise OSError(msg)
                lines = (block[start : start + _CARD] for start in range(0, _BLOCK, _CARD))
                cards |= {line[:8].rstrip(): line[10:].split("/", 1)[0].strip() for line in lines}
            found.append((cards, file.tell()))
            axes = [int(cards[f"NAXIS{axis + 1}"]) for axis in range(int(cards["NAXIS"]))]
            size = abs(int(cards["BITPIX"])) // 8 * math.prod(axes) if axes else 0
            file.seek(-(-size // _BLOCK) * _BLOCK, os.SEEK_CUR)
    return found


def _within(edge: int, first: int, last: int) -> int:
    return min(max(edge, first), last)


def _moved(box: Box, origin: Box) -> Box:
    """Return a rectangle in pixels counted from the corner of another."""
    return Box(box.x0 - origin.x0, box.y0 - origin.y0, box.x1 - origin.x0, box.y1 - origin.y0)
