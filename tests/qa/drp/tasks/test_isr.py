# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
import numpy as np
import pytest

base = pytest.importorskip("lsst.pipe.base")

from astropy.io.fits import Header

from qa.drp.algorithms.isr import Calibrations
from qa.drp.image import Box, Raw, Segment
from qa.drp.tasks.isr import IsrConfig, IsrTask

pytestmark = pytest.mark.pipeline


def raw(value: float) -> Raw:
    """Make a detector of one amplifier, all pixels the same."""
    data, overscan = np.full((8, 8), value, np.float32), np.full((8, 4), 100, np.float32)
    segment = Segment("A", data, overscan, Box(0, 0, 8, 8), gain=2.0, read_noise=3.0, saturation=6e4)
    return Raw(Header({"EXPTIME": 30.0}), (8, 8), (segment,))


def test_signature_is_removed_and_pixels_counted() -> None:
    """The exposure is in electrons; the number of raw pixels is what the cost is divided by."""
    task = IsrTask(config=IsrConfig())
    exposure = task.run(raw(150), Calibrations(bias=np.full((8, 8), 10, np.float32))).post_isr
    np.testing.assert_allclose(exposure.image, 80)
    assert task.metadata["pixels"] == 64


def test_detector_without_data_is_rejected_with_its_reason() -> None:
    """The quantum ends without failing, and the reason stays in the metadata."""
    task = IsrTask(config=IsrConfig())
    with pytest.raises(base.UnprocessableDataError, match="must have pixels with data"):
        task.run(raw(np.nan), Calibrations())
    assert task.metadata["rejected"] == "detector: must have pixels with data, found none"


def test_calibration_of_another_shape_rejects_the_detector() -> None:
    """A bias that does not fit is told like missing data."""
    task = IsrTask(config=IsrConfig())
    with pytest.raises(base.UnprocessableDataError, match=r"bias: must have shape \(8, 8\), found \(4, 4\)"):
        task.run(raw(150), Calibrations(bias=np.zeros((4, 4), np.float32)))


def test_only_calibrations_can_be_required() -> None:
    """A misspelt name in the configuration is refused."""
    with pytest.raises(ValueError, match="bais"):
        IsrConfig().required = ["bais"]
