from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("lsst.sphgeom")

from ci.suite.geometry import footprint, linear, overlap

SIDE = 100
STEP = 0.2 / 3600


def header(*, x: float = 0.0, dec: float = -30.0, turn: float = 0.0) -> dict[str, float]:
    """Build the WCS cards of a detector whose corner lies `x` pixels from the field's centre."""
    c, s = np.cos(turn) * STEP, np.sin(turn) * STEP
    cards = {"CRVAL1": 10.0, "CRVAL2": dec, "CRPIX1": 1.0 - x, "CRPIX2": 1.0}
    return cards | {"CD1_1": -c, "CD1_2": s, "CD2_1": s, "CD2_2": c}


@pytest.mark.parametrize(("x", "part"), [(0, 1.0), (50, 0.5), (100, 0.0), (150, 0.0), (-25, 0.75)])
@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_overlap_is_the_part_that_lies_under_the_other(x: float, part: float, turn: float) -> None:
    """Whatever the rotation; detectors that touch do not overlap."""
    one, other = (footprint(header(x=each, turn=turn), (SIDE, SIDE)) for each in (0.0, x))  # type: ignore[arg-type]
    assert overlap(one, other) == pytest.approx(part, abs=0.03)
    assert overlap(other, one) == pytest.approx(part, abs=0.03)


def test_the_matrix_is_that_of_the_cards() -> None:
    """In degrees per pixel, with its handedness."""
    matrix = linear(header())  # type: ignore[arg-type]
    assert np.linalg.svd(matrix, compute_uv=False) * 3600 == pytest.approx(0.2)
    assert np.linalg.det(matrix) < 0
