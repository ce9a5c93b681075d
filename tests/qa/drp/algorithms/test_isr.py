from __future__ import annotations

import numpy as np
import pytest
from astropy.io.fits import Header

pytest.importorskip("scipy")

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.isr import Calibrations, overscan_level, remove_signature
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
    exposure = remove_signature(make_raw(np.full((20, 30), 100.0)), Calibrations())
    assert np.allclose(exposure.image, 200.0)
    assert np.allclose(exposure.variance, 200.0 + 25.0)
    assert not exposure.mask.any()
    counts = {"SATPIX": 0, "BADPIX": 0, "CRPIX": 0}
    noise = {"OSCANRMS": 0.0, "OSCANREL": 0.0, "AMPSTEP": 0.0}
    assert exposure.header == {"EXPTIME": 30.0, "CRVAL1": 150.0, "GAIN": 2.0} | noise | counts


def test_bias_and_flat_are_applied() -> None:
    """Bias is subtracted in ADU; a flat divides the image, and the variance twice."""
    bias = np.full((20, 30), 10.0, dtype=np.float32)
    flat = np.full((20, 30), 0.5, dtype=np.float32)
    exposure = remove_signature(make_raw(np.full((20, 30), 100.0)), Calibrations(bias=bias, flat=flat))
    assert np.allclose(exposure.image, 360.0)
    assert np.allclose(exposure.variance, (180.0 + 25.0) * 4)


def test_dark_current_is_scaled_by_the_time_in_the_dark() -> None:
    """A dark of 2 electron/s takes 60 electron off an exposure of 30 s; the variance keeps their noise."""
    dark = np.full((20, 30), 2.0, dtype=np.float32)
    exposure = remove_signature(make_raw(np.full((20, 30), 100.0)), Calibrations(dark=dark), dark_time=30.0)
    assert np.allclose(exposure.image, 140.0)
    assert np.allclose(exposure.variance, 225.0)


def test_noise_of_the_overscan_is_told() -> None:
    """The header tells the rms in electron and relative to what the cards claim."""
    rng = np.random.default_rng(3)
    raw = make_raw(np.full((400, 60), 100.0))
    for segment in raw.segments:
        segment.overscan[:] += rng.normal(0, 2.75, segment.overscan.shape).astype(np.float32)
    header = remove_signature(raw, Calibrations()).header
    assert header["OSCANRMS"] == pytest.approx(5.5, rel=0.06)
    assert header["OSCANREL"] == pytest.approx(1.1, rel=0.06)


def test_steps_between_amplifiers_are_told() -> None:
    """A gain that is 2% off what the flat was made with leaves a step of 2%."""
    data = np.full((20, 30), 100.0)
    data[:, 15:] *= 1.02
    assert remove_signature(make_raw(data), Calibrations()).header["AMPSTEP"] == pytest.approx(0.0198, abs=1e-4)


def test_masks() -> None:
    """Defects and dead flat are BAD, saturation grows by a pixel, NaN is NO_DATA with infinite variance."""
    data = np.full((20, 30), 100.0)
    data[5, 5], data[10, 20] = 65000.0, np.nan
    defects = np.zeros((20, 30), dtype=np.uint8)
    defects[0, 0] = 1
    flat = np.ones((20, 30), dtype=np.float32)
    flat[1, 1] = 0.0
    exposure = remove_signature(make_raw(data), Calibrations(flat=flat, defects=defects))
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
        remove_signature(make_raw(np.full((20, 30), np.nan)), Calibrations())


def test_calibrations_must_fit() -> None:
    """A calibration of another shape is named, with both shapes."""
    with pytest.raises(UnusableImageError, match=r"bias: must have shape \(20, 30\), found \(5, 5\)"):
        remove_signature(make_raw(np.zeros((20, 30))), Calibrations(bias=np.zeros((5, 5), np.float32)))


def test_overscan_follows_slow_drifts_and_ignores_unreadable_rows() -> None:
    """The level follows a slope over the rows; rows of NaN take the level of the others, and no overscan is level 0."""
    overscan = np.repeat(np.linspace(1000, 1010, 200, dtype=np.float32)[:, None], 8, axis=1)
    assert np.allclose(overscan_level(overscan)[50:150], overscan[50:150, 0], atol=0.2)
    overscan[100] = np.nan
    assert np.isfinite(overscan_level(overscan)).all()
    assert (overscan_level(np.zeros((5, 0), np.float32)) == 0).all()
    assert (overscan_level(np.full((5, 4), np.nan, np.float32)) == 0).all()


def test_cosmic_rays_are_masked_and_counted() -> None:
    """A single bright pixel in the noise of the sky is a cosmic ray; it is not bad."""
    rng = np.random.default_rng(2)
    data = 100.0 + rng.normal(0, 7.5, (60, 60))
    data[30, 40] += 2000.0
    exposure = remove_signature(make_raw(data), Calibrations())
    assert exposure.mask[30, 40] == Mask.COSMIC_RAY
    assert 1 <= exposure.header["CRPIX"] <= 5
    assert exposure.header["CRPIX"] == np.count_nonzero(exposure.mask & Mask.COSMIC_RAY)
