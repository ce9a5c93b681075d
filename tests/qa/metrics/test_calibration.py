"""Residuals of the calibration, of visit summaries with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from qa.metrics import METRICS, Tables
from qa.metrics.calibration import METRICS as OWN
from qa.metrics.calibration import rejected_matches, spread_median
from qa.model import Measurement, Scope, Unmeasured

SCOPE = Scope("hsc", "twin", "r")


def measured(name: str, **columns: list[float]) -> Measurement:
    """Measure a metric of a visit summary with these columns."""
    count = len(next(iter(columns.values())))
    table = Table({"visit": np.arange(count) // 2, **columns})
    result = METRICS[name](Tables(visit_summary=table), SCOPE)
    assert isinstance(result, Measurement)
    return result


def test_nothing_to_compare_is_no_perfect_fit() -> None:
    """A residual of 0 or NaN does not count."""
    table = Table({"visit": [1, 1, 2, 2], "astrom_rms": [0.0, 4.0, np.nan, 6.0]})
    estimate = spread_median(Tables(visit_summary=table), name="astrom_rms")
    assert (estimate.value, estimate.n) == (5.0, 2)


@pytest.mark.parametrize(
    ("name", "source", "values", "expected"),
    [
        ("astrometric_residual", "astrom_rms", [3.0, 4.0, 5.0, 6.0], 4.5),
        ("photometric_reference_residual", "phot_ref_rms", [30.0, 20.0, 10.0, 20.0], 20.0),
        ("zero_point_gradient", "zero_point_gradient", [0.010, 0.020, 0.030, 0.020], 20.0),
        ("sky_noise_excess", "sky_noise_ratio", [1.02, 1.04, 0.98, 1.00], 1.0),
        ("overscan_noise_excess", "overscan_noise_ratio", [1.0, 1.1, 1.2, 1.1], 10.0),
        ("amplifier_step", "amplifier_step", [0.0, 0.0, 0.002, 0.002], 0.1),
        ("cosmic_ray_fraction", "cosmic_ray_fraction", [1e-5, 3e-5, 2e-5, np.nan], 20.0),
        ("psf_size_residual", "psf_size_residual", [-0.01, -0.01, 0.01, -0.01], -1.0),
        ("psf_size_scatter", "psf_size_scatter", [0.02, 0.02, 0.02, 0.04], 2.0),
        ("psf_ellipticity_residual", "psf_e_residual", [0.01, 0.01, 0.02, 0.01], 0.01),
    ],
)
def test_residuals_are_medians_in_their_unit(name: str, source: str, values: list[float], expected: float) -> None:
    """Of all detectors of all visits."""
    assert measured(name, **{source: values}).value == pytest.approx(expected)


def test_rejected_matches_are_a_share_of_all() -> None:
    """Visits are the independent clusters; one visit alone has a binomial error."""
    result = measured("rejected_matches", n_rejected=[10, 0, 30, 0], n_matched=[90, 100, 70, 100])
    assert result.value == pytest.approx(10)
    assert result.n == 400
    assert result.stderr == pytest.approx(5 * np.sqrt(2) / np.sqrt(2), rel=1e-6)
    alone = rejected_matches(Tables(visit_summary=Table({"visit": [7], "n_rejected": [10], "n_matched": [90]})))
    assert alone.stderr == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("name", ["overscan_noise_ratio", "amplifier_step", "cosmic_ray_fraction"])
def test_what_no_header_tells_is_a_reason(name: str) -> None:
    """Cameras without overscan or with one amplifier have nothing to measure, not a perfect value."""
    metric = "overscan_noise_excess" if name == "overscan_noise_ratio" else name
    result = METRICS[metric](Tables(visit_summary=Table({"visit": [1, 2], name: [np.nan, np.nan]})), SCOPE)
    assert isinstance(result, Unmeasured)
    assert result.reason == f"at least 1 detectors with a measured {name} are needed, and there are 0"


@pytest.mark.parametrize("name", [metric.definition.name for metric in OWN])
def test_a_column_that_is_not_there_is_a_reason(name: str) -> None:
    """No residual is taken for granted."""
    result = METRICS[name](Tables(visit_summary=Table({"visit": [1], "detector": [2]})), SCOPE)
    assert isinstance(result, Unmeasured)
    assert "is needed, and the table has only visit, detector" in result.reason
