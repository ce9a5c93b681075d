"""A result, a baseline and a requirement in the unit of the metric's definition."""

from __future__ import annotations

import re

import pytest

from qa.judging import in_unit
from qa.model import Baseline, Ladder, Measurement, Scope
from qa.requirements import UnitMismatchError

SCOPE = Scope("hsc", "twin", "r", 0)
RESULT = Measurement("PA1", SCOPE, 0.5, "mag", 100, 0.25)
BASELINE = Baseline("PA1", SCOPE, 0.5, "mag", 0.25, 0.125, "run", learned=True)
LADDER = Ladder("PA1", "r", "mag", "<=", 0.5, 0.25, 0.125, "LPM-17, Table 14")


def test_a_measurement_is_converted_with_its_error() -> None:
    """And nothing else of it changes."""
    assert in_unit.measured("mmag", RESULT) == Measurement("PA1", SCOPE, 500.0, "mmag", 100, 250.0)
    bare = Measurement("PA1", SCOPE, 0.5, "mag", 100)
    assert in_unit.measured("mmag", bare).stderr is None


def test_a_baseline_is_converted_with_error_and_tolerance() -> None:
    """And stays learned."""
    assert in_unit.baseline("mmag", BASELINE) == Baseline("PA1", SCOPE, 500, "mmag", 250, 125, "run", learned=True)
    bare = Baseline("PA1", SCOPE, 0.5, "mag", None, 0.125, "run")
    assert in_unit.baseline("mmag", bare) == Baseline("PA1", SCOPE, 500, "mmag", None, 125, "run")


def test_a_requirement_is_converted_with_all_its_targets() -> None:
    """Where there is one."""
    assert in_unit.ladder("mmag", LADDER) == Ladder("PA1", "r", "mmag", "<=", 500, 250, 125, "LPM-17, Table 14")
    assert in_unit.ladder("mmag", None) is None


def test_what_is_in_the_unit_stays_as_it_is() -> None:
    """To the last bit."""
    assert in_unit.measured("mag", RESULT) is RESULT
    assert in_unit.baseline("mag", BASELINE) is BASELINE
    assert in_unit.ladder("mag", LADDER) is LADDER


def test_what_cannot_be_converted_is_named() -> None:
    """Each by what it is."""
    rest = ": the unit must be convertible to 'mas', got 'mag'"
    for convert, name in (
        (lambda: in_unit.measured("mas", RESULT), "PA1 of hsc/twin/r/t0"),
        (lambda: in_unit.baseline("mas", BASELINE), "baseline of PA1 of hsc/twin/r/t0"),
        (lambda: in_unit.ladder("mas", LADDER), "requirement of PA1"),
    ):
        with pytest.raises(UnitMismatchError, match=f"^{re.escape(name + rest)}$"):
            convert()
