"""Instrument signature removal, on the first exposure in each filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ci.suite.levels import pixel_noise, seams

if TYPE_CHECKING:
    from ci.suite.frames import Calibrated

SEAM, NOISE, LOST = 0.5, 0.15, 0.25
"""Limits: steps between amplifiers over the noise of a pixel, error of that noise, part of the pixels masked."""

pytestmark = pytest.mark.obsqa(needs="calibrations", words=("isr", "calibrations", "masters"))


def test_isr_calibrations_are_found(calibrated: Calibrated) -> None:
    """Every exposure of the sky finds a bias, a dark and a flat that are valid on its date."""
    for raw in calibrated.twin.manifest.raws:
        for number in raw.detectors:
            known = calibrated.known(raw, number)
            lacking = [name for name in ("bias", "dark", "flat") if getattr(known, name) is None]
            assert lacking == [], f"exposure {raw.exposure} detector {number}"


def test_isr_leaves_no_seams(calibrated: Calibrated) -> None:
    """The sky has the same level on both sides of where amplifiers meet."""
    for raw in calibrated.twin.first_of_each_filter().values():
        for number in raw.detectors:
            steps = seams(calibrated.signature_removed(raw, number), calibrated.twin.read(raw, number))
            assert np.max(steps, initial=0.0) < SEAM, f"exposure {raw.exposure} detector {number}"


def test_isr_variance_is_that_of_the_pixels(calibrated: Calibrated) -> None:
    """The scatter of neighbouring pixels is what the variance plane says, and few pixels are masked."""
    for raw in calibrated.twin.first_of_each_filter().values():
        for number in raw.detectors:
            done = calibrated.signature_removed(raw, number)
            assert pixel_noise(done) == pytest.approx(1.0, abs=NOISE), f"exposure {raw.exposure} detector {number}"
            assert np.mean(done.mask != 0) < LOST, f"exposure {raw.exposure} detector {number}"
            assert np.all(np.isfinite(done.image[done.mask == 0]))
