"""Residual ellipticity correlations image by image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("scipy")

from qa.metrics import METRICS, Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.images import NEAR, image_correlations, image_limit
from qa.model import Scope, Unmeasured

if TYPE_CHECKING:
    from astropy.table import Table
    from conftest import Field

pytestmark = pytest.mark.pipeline


def table(field: Field, common: list[float], *, noise: float = 0.0) -> Table:
    """Return stars whose residual e1 is the same all over a visit, and noisy."""
    matched = field.but(stars=200, visits=len(common)).draw()
    rng = np.random.default_rng(6)
    matched["e1"] = np.asarray(common)[np.asarray(matched["visit"]) - 900] + rng.normal(0, noise, len(matched))
    return matched


def test_the_worst_images_set_the_limit(field: Field) -> None:
    """The correlation of a common residual is its square; 15 % of the visits exceed the limit."""
    common = np.linspace(1e-3, 5e-3, 5)
    estimate = image_limit(Tables(matched=table(field, list(common))), name="TE3", between=NEAR, resolution=1e-3)
    assert estimate.value == pytest.approx(np.quantile(common**2, 0.85))
    assert estimate.n == 5


def test_noise_of_single_visits_is_in_the_error(field: Field) -> None:
    """An error is never below that of the median visit."""
    tables = Tables(matched=table(field, [1e-3] * 4, noise=5e-3))
    noise = image_correlations(tables, name="TE3", between=NEAR, resolution=1e-3)[1]
    estimate = image_limit(tables, name="TE3", between=NEAR, resolution=1e-3)
    assert estimate.stderr is not None
    assert estimate.stderr >= noise > 0


def test_noisy_visits_say_nothing_of_the_requirement(field: Field) -> None:
    """The reason has the noise and the number of visits."""
    tables = Tables(matched=table(field, [0.0] * 4, noise=0.05))
    with pytest.raises(CannotMeasureError, match=r"TE3 needs a standard error of 5e-08 .* half of the 4 visits have"):
        image_limit(tables, name="TE3", between=NEAR, resolution=1e-7)


def test_two_visits_are_no_distribution(field: Field) -> None:
    """Three are the least, for TEF as well."""
    result = METRICS["TEF"](Tables(matched=table(field, [1e-3] * 2)), Scope("hsc", "twin", "r"))
    assert isinstance(result, Unmeasured)
    assert "at least 3 visits with pairs of stars 0.25 to 1 arcmin apart are needed" in result.reason


def test_images_beyond_either_limit_are_counted(field: Field) -> None:
    """Residuals of 1e-3 all over a visit are 1e-6: within TE3, beyond TE4."""
    result = METRICS["TEF"](Tables(matched=table(field, [1e-3, 0.0, 0.0, 0.0])), Scope("hsc", "twin", "r"))
    assert not isinstance(result, Unmeasured)
    assert result.value == 25
