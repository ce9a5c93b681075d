"""Crosstalk: the faint mirror images that a bright source leaves in the other amplifiers of its detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.errors import UnusableImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.drp.image import Pixels, Segment


def crosstalk_matrix(by_distance: Sequence[float], amplifiers: int) -> Pixels:
    """Return the fraction of each amplifier's signal (column) that appears in each other (row), shape (n, n).

    `by_distance` gives it for the next amplifier in the order of reading, the next but one, and so on.

    >>> crosstalk_matrix([0.5], 3).tolist()
    [[0.0, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.0]]
    """
    matrix = np.zeros((amplifiers, amplifiers), dtype=np.float32)
    for distance, fraction in enumerate(by_distance[: amplifiers - 1], start=1):
        matrix += np.float32(fraction) * (np.eye(amplifiers, k=distance) + np.eye(amplifiers, k=-distance))
    return matrix


def without_crosstalk(
    segments: Sequence[Segment], signals: Sequence[Pixels], by_distance: Sequence[float]
) -> list[Pixels]:
    """Subtract from each amplifier's signal what it has of the others'.

    All amplifiers are read at the same time, so that the n-th pixel of one is disturbed by the n-th pixels of the
    others, counted from the corner where each is read. First order: what is left is the square of the coefficients.

    Parameters
    ----------
    segments
        Where the amplifiers lie and how they are read.
    signals
        Their pixels in ADU over the overscan, oriented like the detector.
    by_distance
        Fraction of an amplifier's signal that appears in the next one, in the next but one, and so on.

    Raises
    ------
    UnusableImageError
        If amplifiers differ in size.
    """
    if len({signal.shape for signal in signals}) > 1:
        raise UnusableImageError(what="crosstalk", required="amplifiers of one size", found="several sizes")
    corrected = []
    matrix = crosstalk_matrix(by_distance, len(segments))
    for victim, signal, fractions in zip(segments, signals, matrix, strict=True):
        clean = signal.copy()
        for source in map(int, np.flatnonzero(fractions)):
            clean -= np.float32(fractions[source]) * _as_read_with(victim, segments[source], signals[source])
        corrected.append(clean)
    return corrected


def _as_read_with(victim: Segment, source: Segment, pixels: Pixels) -> Pixels:
    """Turn the pixels of the source so that they lie on those of the victim read at the same time."""
    x, y = (one != other for one, other in zip(victim.against, source.against, strict=True))
    return pixels[:: -1 if y else 1, :: -1 if x else 1]
