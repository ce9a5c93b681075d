"""The frozen values that travel along a run."""

from __future__ import annotations

import math
import re

import pytest

from qa.model import Measurement, Scope

SCOPE = Scope("hsc", "twin", "r", 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_measurement(bad: float) -> None:
    """Neither as a value nor as an error; the line says whose."""
    for value, stderr in ((bad, 0.1), (1.0, bad)):
        line = f"PA1 of hsc/twin/r/t0: value and stderr must be finite, got {value} +- {stderr}"
        with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
            Measurement("PA1", SCOPE, value, "mmag", 10, stderr)


def test_a_negative_error_is_refused() -> None:
    """It would make any change look small or large at will."""
    with pytest.raises(ValueError, match=r"^PA1 of hsc/twin/r/t0: stderr must not be negative, got -0.1$"):
        Measurement("PA1", SCOPE, 1.0, "mmag", 10, -0.1)
    assert Measurement("PA1", SCOPE, 1.0, "mmag", 10, 0.0).stderr == 0.0


def test_a_scope_is_written_without_its_absent_parts() -> None:
    """As a path."""
    assert str(SCOPE) == "hsc/twin/r/t0"
    assert str(Scope("hsc", "twin", task="isr")) == "hsc/twin/isr"
