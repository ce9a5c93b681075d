from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.algorithms.crosstalk import crosstalk_matrix, without_crosstalk
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.image import Box, Segment


def segments(number: int, *, height: int = 6, width: int = 5) -> list[Segment]:
    """Amplifiers side by side, every other one read from the right, the last one from above."""
    empty = np.zeros((height, 0), dtype=np.float32)
    return [
        Segment(
            str(i),
            np.zeros((height, width), dtype=np.float32),
            empty,
            Box(i * width, 0, (i + 1) * width, height),
            1.0,
            1.0,
            1.0,
            (i % 2 == 1, i == number - 1),
        )
        for i in range(number)
    ]


def turned(pixels: np.ndarray, segment: Segment) -> np.ndarray:
    """Turn an amplifier's pixels to the order of reading, or back."""
    x, y = segment.against
    return pixels[:: -1 if y else 1, :: -1 if x else 1]


@given(st.integers(1, 6), st.lists(st.floats(-1e-3, 1e-3), max_size=4), st.integers(0, 99))
def test_what_was_mixed_is_unmixed(number: int, by_distance: list[float], seed: int) -> None:
    """Whatever the orientations, what is left of the crosstalk is of the order of its square."""
    parts = segments(number)
    true = [np.random.default_rng(seed + i).uniform(0, 1000, (6, 5)).astype(np.float32) for i in range(number)]
    matrix = crosstalk_matrix(by_distance, number)
    read = [turned(one, part) for one, part in zip(true, parts, strict=True)]
    mixed = [one + sum(matrix[i, j] * read[j] for j in range(number)) for i, one in enumerate(read)]
    seen = [turned(one, part).astype(np.float32) for one, part in zip(mixed, parts, strict=True)]
    for clean, one in zip(without_crosstalk(parts, seen, by_distance), true, strict=True):
        assert np.abs(clean - one).max() < 1000 * 36 * 1e-6 + 1e-3


def test_matrix_is_symmetric_and_leaves_amplifiers_alone() -> None:
    """No amplifier disturbs itself; coefficients beyond the last amplifier do not matter."""
    matrix = crosstalk_matrix([1e-3, -2e-4, 5.0], 3)
    assert (np.diag(matrix) == 0).all()
    assert (matrix == matrix.T).all()
    assert matrix[0, 2] == np.float32(-2e-4)


def test_amplifiers_of_different_sizes_are_refused() -> None:
    """Nothing tells which of their pixels were read together."""
    parts = [*segments(1), *segments(1, width=7)]
    with pytest.raises(UnusableImageError, match="crosstalk: must have amplifiers of one size, found several sizes"):
        without_crosstalk(parts, [part.data for part in parts], [1e-4])
