"""Sky levels and noise of a detector without its signature, as far as the checks of signature removal need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import Box, MaskedImage, Raw

_STRIP = 16
_MAD_TO_SIGMA, _OF_MEDIAN = 1.4826, 1.2533
_SURE = 5.0


def seams(done: MaskedImage, raw: Raw) -> NDArray[np.float64]:
    """Return the step of the sky at each place where amplifiers meet, beyond chance, over the noise of a pixel."""
    image = np.where(done.mask == 0, done.image, np.nan)
    noise = float(np.sqrt(np.nanmedian(np.where(done.mask == 0, done.variance, np.nan))))
    boxes = [part.target for part in raw.segments]
    pairs = [(one, other) for one in boxes for other in boxes if one.x1 == other.x0 and _beside(one, other)]
    return np.array([_step(image, one, other) / noise for one, other in pairs], dtype=np.float64)


def _beside(one: Box, other: Box) -> bool:
    return one.y0 < other.y1 and other.y0 < one.y1


def _step(image: NDArray[np.float64], one: Box, other: Box) -> float:
    rows = slice(max(one.y0, other.y0), min(one.y1, other.y1))
    sides = image[rows, max(one.x0, one.x1 - _STRIP) : one.x1], image[rows, other.x0 : min(other.x1, other.x0 + _STRIP)]
    (left, its), (right, their) = (_level(side) for side in sides)
    return max(abs(right - left) - _SURE * float(np.hypot(its, their)), 0.0)


def _level(pixels: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median of pixels and its standard error, by their median absolute deviation."""
    middle = float(np.nanmedian(pixels))
    scatter = _MAD_TO_SIGMA * float(np.nanmedian(np.abs(pixels - middle)))
    return middle, _OF_MEDIAN * scatter / max(np.isfinite(pixels).sum(), 1) ** 0.5


def pixel_noise(done: MaskedImage) -> float:
    """Return the scatter of neighbouring pixels over what the variance plane says it should be."""
    good = (done.mask[:, 1:] == 0) & (done.mask[:, :-1] == 0)
    difference = (done.image[:, 1:] - done.image[:, :-1])[good]
    said = (done.variance[:, 1:] + done.variance[:, :-1])[good]
    normal = difference / np.sqrt(said)
    return float(_MAD_TO_SIGMA * np.median(np.abs(normal - np.median(normal))))
