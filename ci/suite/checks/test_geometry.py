"""Where detectors and amplifiers are."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ci.suite.geometry import footprint, linear, overlap

if TYPE_CHECKING:
    from ci.suite.frames import Twin
    from obs_registry.model import Camera

SCALE, SHEAR, OVERLAP = 0.01, 0.01, 0.01
"""Tolerances: of the pixel scale, of non-square pixels, and the part of a detector that may lie under another."""


@pytest.mark.obsqa(words=("geometry", "camera"))
def test_geometry_of_the_registry(camera: Camera) -> None:
    """Pixel pitch times plate scale is the pixel scale, and a detector has a size."""
    facts = camera.instrument
    assert facts.pixel_um / 1000 * facts.plate_scale == pytest.approx(facts.pixel_scale, rel=SCALE)
    assert min(facts.detector_size) > 0


@pytest.mark.obsqa(needs="draw", words=("geometry", "camera", "wcs"))
def test_geometry_pixels_have_the_cameras_scale(camera: Camera, twin: Twin) -> None:
    """The WCS cards give square pixels of the camera's scale, and the same handedness on all detectors."""
    hands = set()
    for path, raw in twin.raws.items():
        for detector in raw.detectors:
            matrix = linear(detector.header)
            sizes = np.linalg.svd(matrix, compute_uv=False) * 3600
            assert sizes == pytest.approx(camera.instrument.pixel_scale, rel=SCALE + SHEAR), (path, detector.id)
            hands.add(np.sign(np.linalg.det(matrix)))
    assert len(hands) == 1


@pytest.mark.obsqa(needs="draw", words=("geometry", "camera", "wcs"))
def test_geometry_detectors_do_not_overlap(twin: Twin) -> None:
    """No detector of an exposure lies over another, and the numbers and names of detectors are their own."""
    for path, raw in twin.raws.items():
        assert len({one.id for one in raw.detectors}) == len({one.name for one in raw.detectors}) == len(raw.detectors)
        outlines = {one.id: footprint(one.header, one.shape) for one in raw.detectors}
        for one, other in combinations(outlines, 2):
            assert overlap(outlines[one], outlines[other]) < OVERLAP, f"{path}: detectors {one} and {other}"


@pytest.mark.obsqa(needs="draw", words=("geometry", "amplifiers"))
def test_geometry_amplifiers_tile_the_detector(twin: Twin) -> None:
    """The amplifiers of a detector cover each of its pixels once, each with a gain, noise and overscan."""
    for raw in twin.manifest.raws[:1]:
        for number in raw.detectors:
            read = twin.read(raw, number)
            seen = np.zeros(read.shape, dtype=int)
            for part in read.segments:
                seen[part.target.slices] += 1
                assert min(part.gain, part.read_noise, part.saturation) > 0, part.name
                assert part.overscan.size > 0, part.name
            assert np.all(seen == 1), f"{raw.path}: detector {number}"
