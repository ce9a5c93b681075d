"""Calling a metric: a measurement, or the reason why not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from qa.metrics.base import (
    CannotMeasureError,
    Direction,
    Estimate,
    Metric,
    MetricDefinition,
    Tables,
    column,
    radians,
    require,
)
from qa.model import Measurement, Scope, Unmeasured

SCOPE = Scope("hsc", "twin", "r")
DEFINITION = MetricDefinition(
    name="M",
    family="f",
    title="",
    definition="",
    citation="",
    unit="mag",
    direction=Direction.LOWER,
    bands=None,
    reads=("depth",),
)
SOME = Tables(depth=Table({"x": [1.0]}))


def test_an_estimate_becomes_a_measurement() -> None:
    """With the definition's unit and plain numbers; the estimator is told the band."""
    metric = Metric(DEFINITION, lambda tables: Estimate(np.float64(1 if tables.band == "r" else 2), np.int64(3), 0.5))
    result = metric(SOME, SCOPE)
    assert result == Measurement("M", SCOPE, 1.0, "mag", 3, 0.5)
    assert isinstance(result, Measurement)
    assert type(result.value) is float
    assert type(result.n) is int


def test_an_unknown_error_is_none() -> None:
    """A NaN error does not travel."""
    result = Metric(DEFINITION, lambda _: Estimate(1.0, 3, math.nan))(SOME, SCOPE)
    assert isinstance(result, Measurement)
    assert result.stderr is None


def test_a_nan_is_never_a_measurement() -> None:
    """An estimator that returns one is reported with how much it rested on."""
    assert Metric(DEFINITION, lambda _: Estimate(math.nan, 3, 0.5))(SOME, SCOPE) == Unmeasured(
        "M", SCOPE, "M came out as nan from 3 values"
    )


def test_a_missing_table_is_a_reason() -> None:
    """It is named."""
    result = Metric(DEFINITION, lambda _: Estimate(1.0, 3, 0.5))(Tables(), SCOPE)
    assert result == Unmeasured("M", SCOPE, "M reads the table depth, and the run made none")


def test_a_metric_of_metadata_says_where_it_comes_from() -> None:
    """It has no estimator."""
    result = Metric(DEFINITION)(SOME, SCOPE)
    assert isinstance(result, Unmeasured)
    assert "metadata" in result.reason


def test_masked_numbers_are_nan() -> None:
    """As they are when a table was joined with gaps."""
    table = Table({"x": MaskedColumn([1.0, 2.0], mask=[False, True]), "n": [1, 2]})
    assert np.isnan(column(table, "x")[1])
    assert list(column(table, "n")) == [1, 2]
    with pytest.raises(CannotMeasureError, match="the column y is needed, and the table has only x, n"):
        column(table, "y")
    with pytest.raises(CannotMeasureError, match="no columns"):
        column(None, "y")


def test_angles_are_degrees_unless_they_say_otherwise() -> None:
    """Radian columns pass unchanged, to the last bit."""
    value = 5.6789012345678901
    table = Table({"ra": [180.0], "dec": [value]})
    table["dec"].unit = "rad"
    assert radians(table, "ra")[0] == math.pi
    assert radians(table, "dec")[0] == value


def test_require_words_the_reason() -> None:
    """Enough is silent."""
    require(10, 10, "stars")
    with pytest.raises(CannotMeasureError, match=r"^at least 10 stars are needed, and there are 9$"):
        require(9, 10, "stars")
