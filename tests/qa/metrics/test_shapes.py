"""Residual ellipticity correlations of known fields, and medians of the visit summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from qa.metrics import METRICS, Tables
from qa.metrics.base import CannotMeasureError, Estimate
from qa.metrics.shapes import residual_correlation, resolved, summary_median
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from conftest import Field

pytestmark = pytest.mark.pipeline
NOISE = 0.01


def te1(tables: Tables) -> Estimate:
    """TE1."""
    return residual_correlation(tables, low=0.25, high=1.0, name="TE1")


def _field(field: Field, *, common: float, seed: int = 4, **changes: float) -> Table:
    matched = field.but(**{"stars": 400, "visits": 3, **changes}).draw()
    rng = np.random.default_rng(seed)
    for name in ("e1", "e2"):
        matched[f"psf_{name}"] = rng.normal(0.02, 0.005, len(matched))
        matched[name] = matched[f"psf_{name}"] + common / np.sqrt(2) + rng.normal(0, NOISE, len(matched))
    return matched


def test_a_residual_common_to_all_stars_correlates_as_its_square(field: Field) -> None:
    """|e|^2 = 1e-4 for a PSF model that is wrong by 0.01 everywhere; the model itself has no say."""
    estimate = te1(Tables(matched=_field(field, common=0.01)))
    assert estimate.stderr is not None
    assert abs(estimate.value - 1e-4) < 3 * estimate.stderr
    assert estimate.stderr < 3e-5


def test_noise_alone_correlates_to_nothing(field: Field) -> None:
    """Independent residuals give zero within three standard errors, on each of ten skies."""
    for seed in range(10):
        estimate = te1(Tables(matched=_field(field, common=0.0, seed=seed)))
        assert estimate.stderr is not None
        assert estimate.value < 3.5 * estimate.stderr


def test_stars_of_different_visits_make_no_pairs(field: Field) -> None:
    """Residuals of opposite sign in two visits correlate within each, and do not cancel."""
    matched = _field(field, common=0.0, visits=2)
    sign = np.where(matched["visit"] == matched["visit"].min(), 1, -1)
    matched["e1"] = matched["psf_e1"] + 0.01 * sign
    matched["e2"] = matched["psf_e2"]
    assert te1(Tables(matched=matched)).value == pytest.approx(1e-4)


@settings(max_examples=10)
@given(angle=st.floats(0, 6.28), seed=st.integers(0, 100))
def test_the_axes_and_the_order_of_rows_do_not_matter(field: Field, angle: float, seed: int) -> None:
    """xi_+ is the same for ellipticities measured along turned axes."""
    matched = _field(field, common=0.01, stars=150)
    turned = matched[np.random.default_rng(seed).permutation(len(matched))]
    for prefix in ("", "psf_"):
        values = (turned[f"{prefix}e1"] + 1j * turned[f"{prefix}e2"]) * np.exp(2j * angle)
        turned[f"{prefix}e1"], turned[f"{prefix}e2"] = values.real, values.imag
    one, two = te1(Tables(matched=matched)), te1(Tables(matched=turned))
    assert two.value == pytest.approx(one.value, rel=1e-9)
    assert two.n == one.n


def test_few_pairs_are_a_reason(field: Field) -> None:
    """The reason says how large the visits are and how many stars they hold."""
    with pytest.raises(CannotMeasureError, match=r"TE1 needs 10 pairs .* and hold up to 12 stars"):
        te1(Tables(matched=_field(field, common=0.0, stars=12)))
    small = _field(field, common=0.0, size_arcmin=2.0)
    result = METRICS["TE2"](Tables(matched=small), Scope("latiss", "twin", "r"))
    assert isinstance(result, Unmeasured)
    assert "5 to 10 arcmin apart in a visit; the visits span up to 2.55 arcmin" in result.reason


def test_unknown_shapes_are_left_out(field: Field) -> None:
    """A NaN ellipticity takes its star out of that visit."""
    matched = _field(field, common=0.01)
    before = te1(Tables(matched=matched))
    matched["e1"][:300] = np.nan
    after = te1(Tables(matched=matched))
    assert after.n < before.n
    assert after.value == pytest.approx(1e-4, rel=0.5)


def test_the_psf_is_the_median_over_visits_and_detectors() -> None:
    """Detectors of a visit are not independent: the error comes from the visits."""
    visit = np.repeat(np.arange(8), 4)
    summary = Table({"visit": visit, "detector": np.tile(np.arange(4), 8), "fwhm": 0.7 + 0.02 * visit})
    estimate = summary_median(Tables(visit_summary=summary), name="fwhm")
    assert estimate.value == pytest.approx(0.77)
    assert estimate.n == 32
    assert estimate.stderr is not None
    assert 0.01 < estimate.stderr < 0.05


def test_a_summary_without_a_value_is_a_reason() -> None:
    """All-NaN widths are not a NaN width; one visit alone has no standard error."""
    summary = Table({"visit": [1, 1], "fwhm": [np.nan, np.nan], "e": [0.02, 0.04]})
    scope = Scope("hsc", "twin", "g")
    result = METRICS["psf_fwhm"](Tables(visit_summary=summary), scope)
    assert isinstance(result, Unmeasured)
    assert "there are 0" in result.reason
    assert METRICS["psf_ellipticity"](Tables(visit_summary=summary), scope) == Measurement(
        "psf_ellipticity", scope, 0.03, "", 2
    )


def test_a_correlation_lost_in_noise_is_unmeasured() -> None:
    """A value whose error exceeds the minimum level says nothing of the requirement, and the reason says so."""
    with pytest.raises(
        CannotMeasureError, match=r"TE2 needs a standard error of 3e-07 or less.*7110 pairs give 5.9e-06"
    ):
        resolved(Estimate(3.8e-6, 7110, 5.9e-6), resolution=3e-7, name="TE2")
    sharp = Estimate(1e-7, 10**6, 2e-7)
    assert resolved(sharp, resolution=3e-7, name="TE2") is sharp
