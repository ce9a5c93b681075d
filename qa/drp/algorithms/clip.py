"""Outliers in a stack of visits: cosmic rays, satellites and whatever else one visit alone sees.

A pixel is compared with the lower median of the visits, which three good ones of five already decide. What remains of a
trail after its pixels are left out one by one are its faint edges: they are found by sums of nine, and by what they
surround.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.jit import compiled
from qa.drp.algorithms.psf import BETA
from qa.drp.image import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import MaskPixels, Pixels

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

CLIP, NEIGHBOUR_CLIP = 5.0, 2.5
"""Sigma of the sky above which a pixel, the mean of nine, or a pixel beside a clipped one is left out."""

EDGE, LARGE = 2, 10
"""Pixels around an outlier that go with it where so many of the 25 there are outliers."""

SEEING, SEEING_OF_TWO = 1.0, 2.0
"""Fraction of the typical value that visits may differ by for their seeing; more when only two can be compared."""

WINGS_ALLOWED = 1.5
"""How much more than a profile's wings a visit in bad seeing may be brighter."""

CLIPPED = int(Mask.CLIPPED)


def tolerance(fwhm: Floats) -> Floats:
    """How many times `SEEING` visits may differ from the typical one, given their seeing (0 where it is not known).

    Far out a Moffat profile shines with the 2 beta - 2nd power of its width: that of a visit in bad seeing may be
    several times brighter there.
    """
    known = fwhm > 0
    if not known.any():
        return np.ones(len(fwhm))
    # In the wings the lower median is the value of the visit with the lower median of seeing.
    typical = np.sort(fwhm[known])[(np.count_nonzero(known) - 1) // 2]
    ratio = np.where(known, fwhm, 0) / typical
    return np.asarray(np.maximum(1.0, WINGS_ALLOWED * (ratio ** (2 * BETA - 2) - 1)))


def clip(images: Pixels, masks: MaskPixels, *, sky: Floats, fwhm: Floats) -> None:
    """Set `CLIPPED` where a visit is far from the typical value beyond what seeing explains, in sigma of its sky.

    Parameters
    ----------
    images, masks
        Visits on the same pixels, shape (n, ny, nx); infinite where a visit has no data.
    sky
        Variance of the sky of each.
    fwhm
        Seeing of each in any unit, 0 where it is not known.
    """
    tolerated = tolerance(fwhm)
    typical, allowed = np.empty(images.shape[1:], np.float32), np.empty(images.shape[1:], np.float32)
    _typical(images, network(len(images)), typical, allowed)
    for image, mask, variance, factor in zip(images, masks, sky, tolerated, strict=True):
        _reject(image, typical, allowed * np.float32(factor), float(np.sqrt(variance)), mask)


@cache
def network(count: int) -> NDArray[np.int64]:
    """Comparisons that sort `count` values: pairs (lower, upper), shape (n, 2).

    Batcher's odd-even merge sort (Knuth, The Art of Computer Programming 3, section 5.3.4): the same pairs whatever
    the values, so that many pixels are sorted side by side.
    """
    pairs: list[tuple[int, int]] = []
    size = 1
    while size < count:
        step = size
        while step:
            starts = range(step % size, count - step, 2 * step)
            lower = (low for start in starts for low in range(start, min(start + step, count - step)))
            pairs += [(low, low + step) for low in lower if low // (2 * size) == (low + step) // (2 * size)]
            step //= 2
        size *= 2
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    found.flags.writeable = False  # shared by all callers
    return found


@compiled
def _typical(images: Pixels, pairs: NDArray[np.int64], typical: Pixels, allowed: Pixels) -> None:
    """Lower median of the visits (of two, the fainter), and how much they may differ from it."""
    count, ny, nx = images.shape
    row = np.empty((count, nx), dtype=np.float32)
    known, fraction = np.empty(nx, dtype=np.int64), np.empty((ny, nx), dtype=np.float32)
    for j in range(ny):
        known[:] = 0
        for v in range(count):
            for i in range(nx):
                row[v, i] = images[v, j, i]
                known[i] += row[v, i] < np.inf
        for p in range(len(pairs)):
            low, high = row[pairs[p, 0]], row[pairs[p, 1]]
            for i in range(nx):
                a, b = low[i], high[i]
                low[i], high[i] = min(a, b), max(a, b)
        for i in range(nx):
            n = known[i]
            typical[j, i] = row[max((n - 1) // 2, 0), i] if n > 0 else np.float32(0)
            fraction[j, i] = SEEING_OF_TWO if n == 2 else SEEING  # noqa: PLR2004 - of two, the fainter
    for j in range(ny):
        low, high = max(j - 1, 0), min(j + 1, ny - 1)
        for i in range(nx):
            # Where a star's wings drown in the noise, the mean of nine still shows them.
            left, right = max(i - 1, 0), min(i + 1, nx - 1)
            mean = typical[low, left] + typical[low, i] + typical[low, right]
            mean += typical[j, left] + typical[j, i] + typical[j, right]
            mean += typical[high, left] + typical[high, i] + typical[high, right]
            allowed[j, i] = fraction[j, i] * max(abs(typical[j, i]), abs(mean) / np.float32(9))


@compiled
def _reject(image: Pixels, typical: Pixels, allowed: Pixels, noise: float, mask: MaskPixels) -> None:
    """Find outliers of a visit: single pixels, and by the sum of nine what is fainter and wider, with surroundings."""
    ny, nx = image.shape
    excess, triple = np.empty((ny, nx), np.float32), np.zeros((ny, nx), np.float32)
    dropped, found = np.zeros((ny, nx), np.bool_), False
    one, nine = np.float32(CLIP * noise), np.float32(3 * CLIP * noise)
    far = _judge(image, typical, allowed, NEIGHBOUR_CLIP * noise, excess, triple) > one
    for j in range(ny):
        worst, low, high = np.float32(0.0), max(j - 1, 0), min(j + 1, ny - 1)
        for i in range(nx):
            worst = max(worst, triple[low, i] + triple[j, i] + triple[high, i])
        if not (far[j] or worst > nine):
            continue
        for i in range(nx):
            wide = triple[low, i] + triple[j, i] + triple[high, i] > nine
            if not (wide or excess[j, i] > one):
                continue
            found = True
            for jj in range(low, high + 1):
                for ii in range(max(i - 1, 0), min(i + 2, nx)):
                    beyond = wide or excess[jj, ii] > NEIGHBOUR_CLIP * noise
                    dropped[jj, ii] |= image[jj, ii] < np.inf and beyond
    if found:
        _spread(dropped, mask)


@compiled
def _judge(image: Pixels, typical: Pixels, allowed: Pixels, most: float, excess: Pixels, triple: Pixels) -> Pixels:
    """How far pixels are off, three in a row counting no more than `most` each; the largest of each row is returned."""
    ny, nx = image.shape
    worst, counted = np.zeros(ny, np.float32), np.empty(nx, np.float32)
    for j in range(ny):
        largest = np.float32(0.0)
        for i in range(nx):
            difference = image[j, i] - typical[j, i] if image[j, i] < np.inf else np.float32(0.0)
            excess[j, i] = abs(difference) - allowed[j, i]
            counted[i] = min(difference - allowed[j, i], np.float32(most))
            largest = max(largest, excess[j, i])
        worst[j] = largest
        for i in range(1, nx - 1):
            triple[j, i] = counted[i - 1] + counted[i] + counted[i + 1]
    return worst


@compiled
def _spread(dropped: Flags, mask: MaskPixels) -> None:
    """Set `CLIPPED`; what is large, as a trail is, has faint edges that are left out with it."""
    ny, nx = dropped.shape
    for j in range(ny):
        for i in range(nx):
            if not dropped[j, i]:
                continue
            mask[j, i] |= CLIPPED
            low, high, left, right = max(j - EDGE, 0), min(j + EDGE + 1, ny), max(i - EDGE, 0), min(i + EDGE + 1, nx)
            if np.count_nonzero(dropped[low:high, left:right]) >= LARGE:
                for jj in range(low, high):
                    for ii in range(left, right):
                        mask[jj, ii] |= CLIPPED
