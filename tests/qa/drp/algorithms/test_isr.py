from __future__ import annotations

import numpy as np
import pytest
from astropy.io.fits import Header

pytest.importorskip("scipy")

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.isr import overscan_level, remove_signature
from qa.drp.image import Box, Mask, Raw, Segment

pytestmark = pytest.mark.pipeline


def make_raw(data: np.ndarray, *, level: float = 1000.0, gain: float = 2.0) -> Raw:
    """Two amplifiers side by side."""
    ny, nx = data.shape
    half = nx // 2
    segments = tuple(
        Segment(
            name,
            (data[:, box.x0 : box.x1] + level + 10 * i).astype(np.float32),
            np.full((ny, 8), level + 10 * i, dtype=np.float32),
            box,
            gain,
            5.0,
            60000.0,
        )
        for i, (name, box) in enumerate((("A", Box(0, 0, half, ny)), ("B", Box(half, 0, nx, ny))))
    )
    return Raw(Header({"EXPTIME": 30.0, "CRVAL1": 150.0}), (ny, nx), segments)


def test_levels_and_gain_are_removed() -> None:
    """A flat scene in ADU comes out in electrons, whatever the levels of the amplifiers."""
    exposure = remove_signature(make_raw(np.full((20, 30), 100.0)), bias=None, flat=None, defects=None)
    assert np.allclose(exposure.image, 200.0)
    assert np.allclose(exposure.variance, 200.0 + 25.0)
    assert not exposure.mask.any()
    assert exposure.header == {"EXPTIME": 30.0, "CRVAL1": 150.0, "GAIN": 2.0}


def test_bias_and_flat_are_applied() -> None:
    """Bias is subtracted in ADU; a flat divides the image, and the variance twice."""
    bias = np.full((20, 30), 10.0, dtype=np.float32)
    flat = np.full((20, 30), 0.5, dtype=np.float32)
    exposure = remove_signature(make_raw(np.full((20, 30), 100.0)), bias=bias, flat=flat, defects=None)
    assert np.allclose(exposure.image, 360.0)
    assert np.allclose(exposure.variance, (180.0 + 25.0) * 4)


def test_masks() -> None:
    """Defects and dead flat are BAD, saturation grows by a pixel, NaN is NO_DATA with infinite variance."""
    data = np.full((20, 30), 100.0)
    data[5, 5], data[10, 20] = 65000.0, np.nan
    defects = np.zeros((20, 30), dtype=np.uint8)
    defects[0, 0] = 1
    flat = np.ones((20, 30), dtype=np.float32)
    flat[1, 1] = 0.0
    exposure = remove_signature(make_raw(data), bias=None, flat=flat, defects=defects)
    assert exposure.mask[0, 0] == Mask.BAD
    assert exposure.mask[1, 1] == Mask.BAD
    assert (exposure.mask[4:7, 4:7] == Mask.SATURATED).all()
    assert exposure.mask[10, 20] == Mask.NO_DATA
    assert exposure.image[10, 20] == 0
    assert np.isinf(exposure.variance[10, 20])
    assert np.isfinite(exposure.image).all()


def test_a_detector_of_nan_is_refused() -> None:
    """A detector without one good pixel is an expected failure of one line."""
    with pytest.raises(UnusableImageError, match="must have pixels with data, found none"):
        remove_signature(make_raw(np.full((20, 30), np.nan)), bias=None, flat=None, defects=None)


def test_calibrations_must_fit() -> None:
    """A calibration of another shape is named, with both shapes."""
    with pytest.raises(UnusableImageError, match=r"bias: must have shape \(20, 30\), found \(5, 5\)"):
        remove_signature(make_raw(np.zeros((20, 30))), bias=np.zeros((5, 5), np.float32), flat=None, defects=None)


def test_overscan_follows_slow_drifts_and_ignores_unreadable_rows() -> None:
    """The level follows a slope over the rows; rows of NaN take the level of the others, and no overscan is level 0."""
    overscan = np.repeat(np.linspace(1000, 1010, 200, dtype=np.float32)[:, None], 8, axis=1)
    assert np.allclose(overscan_level(overscan)[50:150], overscan[50:150, 0], atol=0.2)
    overscan[100] = np.nan
    assert np.isfinite(overscan_level(overscan)).all()
    assert (overscan_level(np.zeros((5, 0), np.float32)) == 0).all()
    assert (overscan_level(np.full((5, 4), np.nan, np.float32)) == 0).all()
