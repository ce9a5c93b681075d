# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
from __future__ import annotations

import numpy as np
import pytest
from astropy.io.fits import Header

base = pytest.importorskip("lsst.pipe.base")

from qa.drp.algorithms.masters import Frame
from qa.drp.image import Box, Raw, Segment
from qa.drp.tasks.masters import (
    FindDefectsConfig,
    FindDefectsTask,
    MasterBiasConfig,
    MasterBiasTask,
    MasterDarkConfig,
    MasterDarkTask,
)

pytestmark = pytest.mark.pipeline


def frame(number: int, value: float, *, dark_time: float = 0.0) -> Frame:
    """Make an exposure of one amplifier with noise of 3 electron."""
    noise = np.random.default_rng(number).normal(0, 1.5, (64, 68)).astype(np.float32)
    data, overscan = 100 + value + noise[:, :64], 100 + noise[:, 64:]
    segment = Segment("A", data, overscan, Box(0, 0, 64, 64), gain=2.0, read_noise=3.0, saturation=6e4)
    return Frame(f"bias {number}", Raw(Header(), (64, 64), (segment,)), dark_time)


def test_metadata_tell_how_the_master_was_made() -> None:
    """Number of frames, their pixels, what is left of the noise, and which frames were left out."""
    task = MasterBiasTask(config=MasterBiasConfig())
    found = task.run([frame(1, 10), frame(2, 10), frame(3, 10), frame(4, 500)])
    assert np.median(found.master) == pytest.approx(10, abs=0.5)
    assert found.unstable.dtype == np.uint8
    assert (task.metadata["frames"], task.metadata["pixels"]) == (3, 4 * 64 * 64)
    assert task.metadata["noise"] == pytest.approx(1.5 / 3**0.5, rel=1e-4)
    (told,) = task.metadata.getArray("caveats")
    assert told.startswith("bias 4 left out: must have the level of the other frames")


def test_too_few_frames_reject_the_detector() -> None:
    """The quantum ends without failing the night, and the reason stays in the metadata."""
    task = MasterBiasTask(config=MasterBiasConfig())
    with pytest.raises(base.UnprocessableDataError, match="must have at least 2 frames, found 1"):
        task.run([frame(1, 10)])
    assert task.metadata["rejected"] == "bias: must have at least 2 frames, found 1"


def test_crosstalk_may_be_unknown() -> None:
    """A dark is made with and without coefficients."""
    frames = [frame(number, 60, dark_time=300.0) for number in range(3)]
    bias = np.full((64, 64), 10, np.float32)
    for crosstalk in (None, np.array([1e-4], np.float32)):
        found = MasterDarkTask(config=MasterDarkConfig()).run(frames, bias=bias, crosstalk=crosstalk)
        assert np.median(found.master) == pytest.approx(100 / 300, rel=0.05)


def test_defects_are_counted() -> None:
    """One hot and one dead pixel are two defects; planes that do not fit reject the detector."""
    dark, flat = np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32)
    dark[3, 4], flat[5, 6] = 20.0, 0.1
    task = FindDefectsTask(config=FindDefectsConfig())
    assert np.count_nonzero(task.run(np.zeros((64, 64), np.uint8), dark, [flat]).defects) == 2
    assert task.metadata["defects"] == 2
    with pytest.raises(base.UnprocessableDataError, match="dark: must have shape"):
        task.run(np.zeros((64, 64), np.uint8), dark[:5], [flat])
