"""The run-to-run spread."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from qa.judging.spread import default_tolerance, repeats, run_to_run
from qa.metrics.base import Direction, MetricDefinition
from qa.model import Baseline, Measurement, Scope

SCOPE = Scope("hsc", "twin", "r", 0)
RESULT = Measurement("PA1", SCOPE, -8.0, "mmag", 16, 2.0)
BASELINE = Baseline("PA1", SCOPE, 4.0, "mmag", 0.1, 0.0, "run")
METRIC = MetricDefinition("PA1", "photometry", "", "", "", "mmag", Direction.LOWER, None, ())


def test_one_object_in_n_moves_a_mean_by_its_error_over_the_root_of_n() -> None:
    """Of nothing, by the whole error."""
    assert default_tolerance(RESULT, METRIC) == 0.5
    assert default_tolerance(replace(RESULT, n=0), METRIC) == 2.0
    assert default_tolerance(replace(RESULT, n=1), METRIC) == 2.0
    assert default_tolerance(replace(RESULT, n=2), METRIC) == pytest.approx(2**0.5)


def test_without_an_error_there_is_no_spread() -> None:
    """A count repeats."""
    assert default_tolerance(replace(RESULT, stderr=None), METRIC) == 0.0


def test_resources_spread_by_a_fraction_of_their_size() -> None:
    """Memory less than time."""
    resource = replace(METRIC, family="resources")
    assert default_tolerance(RESULT, resource) == pytest.approx(3.2)
    assert default_tolerance(replace(RESULT, metric="peak_memory"), resource) == pytest.approx(0.8)


def test_speeds_spread_from_one_processor_to_another() -> None:
    """They are ratios to a kernel, nearer to each other than times are."""
    assert default_tolerance(RESULT, replace(METRIC, family="speed")) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("learned", "same", "expected"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_what_was_learned_repeats_on_the_same_processor(learned: bool, same: bool, expected: bool) -> None:  # noqa: FBT001 - a table
    """Only there."""
    assert repeats(replace(BASELINE, learned=learned), same_processor=same) is expected


def test_the_spread_is_not_below_what_rounding_costs() -> None:
    """A millionth of the larger value elsewhere, the last place where it repeats, and never zero."""
    assert run_to_run(RESULT, BASELINE, same_processor=True) == 8e-6
    assert run_to_run(replace(RESULT, value=1.0), replace(BASELINE, value=-4.0), same_processor=False) == 4e-6
    learned = replace(BASELINE, learned=True)
    assert run_to_run(RESULT, learned, same_processor=False) == 8e-6
    assert run_to_run(RESULT, learned, same_processor=True) == 8 * sys.float_info.epsilon
    nothing = replace(BASELINE, value=0.0)
    assert run_to_run(replace(RESULT, value=0.0), nothing, same_processor=False) == sys.float_info.min


def test_a_tolerance_above_the_floor_is_the_spread() -> None:
    """Learned or not."""
    for learned in (True, False):
        known = replace(BASELINE, tolerance=0.5, learned=learned)
        assert run_to_run(RESULT, known, same_processor=True) == 0.5
