from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.suite.levels import pixel_noise, seams
from qa.drp.image import Box, MaskedImage, Raw, Segment

ROWS, COLUMNS, SKY, NOISE = 200, 60, 400.0, 20.0
_NOTHING = np.zeros((1, 1), dtype=np.float32)


def a_detector(*, step: float = 0.0, seed: int = 1) -> tuple[MaskedImage, Raw]:
    """Build a detector of two amplifiers, the right one brighter by a step."""
    image = np.random.default_rng(seed).normal(SKY, NOISE, (ROWS, 2 * COLUMNS)).astype(np.float32)
    image[:, COLUMNS:] += step
    image[50:60, 50:70] = 1e5  # a star on the seam, masked
    mask = np.zeros(image.shape, dtype=np.int16)
    mask[50:60, 50:70] = 1
    boxes = (Box(0, 0, COLUMNS, ROWS), Box(COLUMNS, 0, 2 * COLUMNS, ROWS))
    parts = tuple(Segment(f"A{n}", _NOTHING, _NOTHING, box, 1.0, 1.0, 1.0) for n, box in enumerate(boxes))
    return MaskedImage(image, np.full_like(image, NOISE**2), mask, {}), Raw({}, image.shape, parts)  # type: ignore[arg-type]


@given(st.integers(0, 2**32 - 1))
def test_chance_is_no_seam(seed: int) -> None:
    """Without a step there is none to tell, whatever the noise."""
    assert seams(*a_detector(seed=seed)) == pytest.approx(0.0, abs=0.05)


def test_a_seam_is_told_in_units_of_the_noise() -> None:
    """A step of the sky shows, less what chance may do, and the star on it does not."""
    (found,) = seams(*a_detector(step=3 * NOISE))
    assert found == pytest.approx(3.0, abs=0.3)


def test_amplifiers_above_each_other_have_no_seam_at_their_sides() -> None:
    """Only where one ends and the next begins."""
    done, raw = a_detector(step=100.0)
    other = Raw(raw.header, raw.shape, raw.segments[:1])
    assert len(seams(done, other)) == 0


def test_noise_is_measured_in_what_the_variance_says() -> None:
    """One where it is right, a half where the variance is four times too large."""
    done, _ = a_detector()
    assert pixel_noise(done) == pytest.approx(1.0, abs=0.03)
    large = MaskedImage(done.image, 4 * done.variance, done.mask, done.header)
    assert pixel_noise(large) == pytest.approx(0.5, abs=0.02)
