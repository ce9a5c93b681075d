"""Run-to-run spreads learned from repeats."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.baselines.noise import FEWEST, Spread, UnlikeRunsError, c4, check_alike, learn, tolerance_of, uncertainty
from qa.metrics import catalogue
from qa.model import Lane, Measurement, Plan, Scope, Stage, Step, Trigger, Unmeasured
from qa.record import Measured, RunRecord

if TYPE_CHECKING:
    from qa.model import Result

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
SCOPE = Scope("hsc", "twin", "r", 0)
TASK = Scope("hsc", "twin", task="isr")
FACTS = {"package obsqa": "1", "revision": "abc", "python": "3.11", "data hsc/twin": "d", "host": "a", "cpu": "fast"}


def a_run(number: int, *results: Result, facts: dict[str, str] | None = None, **plan: Any) -> RunRecord:
    """Build a run of one data set that measured something."""
    steps = (Step("hsc", "twin", Stage.MEASURE),)
    made = Plan(f"run{number}", Lane.COMMIT, Trigger(), WHEN, steps)
    record = RunRecord(replace(made, **plan), FACTS if facts is None else facts, WHEN)
    return replace(record, measured={("hsc", "twin"): Measured("hsc", "twin", results)})


def a_result(value: float, metric: str = "PA1", unit: str = "mmag", scope: Scope = SCOPE) -> Measurement:
    """Measure something."""
    return Measurement(metric, scope, value, unit, 100, 0.1)


def runs_of(*values: float, **options: Any) -> list[RunRecord]:
    """Build runs that measured one metric."""
    return [a_run(number, a_result(value, **options)) for number, value in enumerate(values)]


def test_a_metric_that_repeats_to_the_bit_has_no_spread() -> None:
    """Exactly zero, not a small number."""
    assert learn(runs_of(4.1, 4.1, 4.1), catalogue()).spreads == (Spread("PA1", SCOPE, "mmag", 0.0, 3),)


def test_a_metric_that_differs_in_the_last_bit_has_one() -> None:
    """Bit-identical means just that."""
    (one,) = learn(runs_of(4.1, 4.1, math.nextafter(4.1, 5)), catalogue()).spreads
    assert 0 < one.tolerance < 1e-14


def test_the_spread_is_that_of_a_difference_of_two_runs() -> None:
    """sqrt(2) times the standard deviation, itself divided by c4(n)."""
    values = [4.0, 4.5, 5.0, 5.5]
    assert tolerance_of(values) == pytest.approx(math.sqrt(2) * statistics.stdev(values) / 0.921318, rel=1e-6)


@pytest.mark.parametrize(
    ("n", "expected"), [(2, 0.797885), (3, 0.886227), (5, 0.939986), (10, 0.972659), (25, 0.989640)]
)
def test_c4_is_that_of_the_tables(n: int, expected: float) -> None:
    """As tabulated for control charts."""
    assert c4(n) == pytest.approx(expected, abs=1e-6)


def test_the_correction_is_unbiased() -> None:
    """The mean of many tolerances from three runs is sqrt(2) sigma, within four of its standard errors."""
    random_ = random.Random(4)  # noqa: S311 - noise, no secret
    tolerances = [tolerance_of([random_.gauss(0, 2.0) for _ in range(3)]) for _ in range(4000)]
    expected = math.sqrt(2) * 2.0
    assert abs(statistics.mean(tolerances) - expected) < 4 * statistics.stdev(tolerances) / math.sqrt(4000)


def test_how_well_a_spread_is_known() -> None:
    """Half of itself from three runs, a third from five or six."""
    assert uncertainty(3) == 0.5
    assert uncertainty(9) == 0.25


VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6)


@given(values=VALUES)
def test_the_order_of_the_runs_does_not_matter(values: list[float]) -> None:
    """A spread is of a set of runs."""
    assert tolerance_of(values) == tolerance_of(values[::-1])


@given(values=VALUES, scale=st.sampled_from([0.5, 2.0, 1024.0]))
def test_a_spread_scales_with_the_unit(values: list[float], scale: float) -> None:
    """Twice the values have twice the spread, and a shift changes nothing that the bits can tell."""
    assert tolerance_of([scale * one for one in values]) == pytest.approx(scale * tolerance_of(values))


def test_values_in_several_units_are_compared() -> None:
    """In the unit of the first."""
    runs = [a_run(0, a_result(4.0)), a_run(1, a_result(0.004, unit="mag")), a_run(2, a_result(5.0))]
    (one,) = learn(runs, catalogue()).spreads
    assert one.unit == "mmag"
    assert one.tolerance == pytest.approx(tolerance_of([4.0, 4.0, 5.0]))


def test_a_metric_that_some_runs_did_not_measure_is_left_out_and_named() -> None:
    """A spread of what is sometimes absent would be one of something else."""
    runs = [a_run(0, a_result(4.0)), a_run(1, a_result(4.0)), a_run(2, Unmeasured("PA1", SCOPE, "too few"))]
    learned = learn(runs, catalogue())
    assert learned.spreads == ()
    assert learned.partial == ((("PA1", SCOPE), 2),)


def test_what_nobody_defined_or_measured_is_left_out() -> None:
    """Without a word: a comparison would refuse it."""
    runs = [a_run(number, a_result(4.0, "PX9"), Unmeasured("AM3", SCOPE, "too few")) for number in range(3)]
    assert learn(runs, catalogue()).spreads == ()
    assert learn(runs, catalogue()).partial == ()


def test_spreads_are_in_the_order_of_metric_and_scope() -> None:
    """Whatever the order of the results."""
    other = replace(SCOPE, band="i")
    runs = [a_run(n, a_result(1.0), a_result(1.0, scope=other), a_result(1.0, "AM1", "mas")) for n in range(3)]
    found = [(one.metric, one.scope.band) for one in learn(runs, catalogue()).spreads]
    assert found == [("AM1", "r"), ("PA1", "i"), ("PA1", "r")]


def test_resources_never_spread_less_than_is_assumed() -> None:
    """Repeats in a row share the neighbours; only a spread beyond the assumed one counts."""
    steady = [a_run(n, a_result(100.0, "peak_memory", "MiB", TASK)) for n in range(3)]
    assert learn(steady, catalogue()).spreads == ()
    wild = [a_run(n, a_result(value, "peak_memory", "MiB", TASK)) for n, value in enumerate((100.0, 200.0, 150.0))]
    (one,) = learn(wild, catalogue()).spreads
    assert one.tolerance > 10.0


def test_three_runs_are_the_fewest() -> None:
    """Two say little of a spread."""
    assert FEWEST == 3
    with pytest.raises(UnlikeRunsError, match="must be learned from 3 runs or more, got 2"):
        learn(runs_of(4.0, 4.0), catalogue())


def test_a_run_given_twice_is_refused() -> None:
    """It agrees with itself to the bit."""
    one, two = runs_of(4.0, 5.0)
    with pytest.raises(UnlikeRunsError, match="got run0 twice: a run always agrees with itself"):
        check_alike([one, two, one])


@pytest.mark.parametrize("change", [{"lane": Lane.NIGHTLY}, {"steps": ()}])
def test_runs_of_another_plan_are_refused(change: dict[str, Any]) -> None:
    """Other data give other values, not noise."""
    with pytest.raises(UnlikeRunsError, match="must have one plan: run2 and run0 did not run the same data sets"):
        check_alike([*runs_of(4.0, 4.0), a_run(2, **change)])
    one, two = runs_of(4.0, 4.0)
    with pytest.raises(UnlikeRunsError, match="must have one plan"):
        check_alike([one, a_run(2, **change), two])


@pytest.mark.parametrize(
    "name",
    [
        "package obsqa",
        "revision",
        "python",
        "threads",
        "data x",
        "config x",
        "calibrations x",
        "refcat x",
        "container x",
    ],
)
def test_runs_of_other_software_are_refused(name: str) -> None:
    """And what differs is named, also where one of them does not know it."""
    with pytest.raises(UnlikeRunsError, match=f"must have one software: run2 and run0 differ in {name}"):
        check_alike([*runs_of(4.0, 4.0), a_run(2, facts=FACTS | {name: "other"})])


def test_everything_that_differs_is_named() -> None:
    """In the order of the names."""
    with pytest.raises(UnlikeRunsError, match=r"differ in python, revision$"):
        check_alike([*runs_of(4.0, 4.0), a_run(2, facts=FACTS | {"revision": "x", "python": "x"})])


def test_runs_on_other_machines_are_repeats() -> None:
    """What another processor rounds is part of the spread."""
    check_alike([*runs_of(4.0, 4.0), a_run(2, facts=FACTS | {"host": "b", "cpu": "slow"})])
