from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.model import Stage
from qa.planning.commit import STAGE_SECONDS, Candidate, arrange, risk

CANDIDATES = st.lists(
    st.builds(
        Candidate,
        key=st.uuids().map(str),
        camera=st.sampled_from(["hsc", "decam"]),
        needs=st.sampled_from([None, *Stage]),
        seconds=st.floats(0, 100),
        risk=st.floats(0, 0.99),
        bundle=st.sampled_from(["", "metrics"]),
    ),
    unique_by=lambda one: one.key,
    max_size=12,
)


def a_check(key: str, *, risk: float = 0.1, seconds: float = 1.0, needs: Stage | None = None) -> Candidate:
    """Build a check of HSC."""
    return Candidate(key, "hsc", needs, seconds, risk)


@given(CANDIDATES)
def test_without_a_budget_every_check_is_made_once(candidates: list[Candidate]) -> None:
    """The order holds every check once and nothing is left out."""
    found = arrange(candidates, stages={})
    assert sorted(found.order) == sorted(one.key for one in candidates)
    assert found.left_out == ()


@given(CANDIDATES, st.floats(0, 300))
def test_what_is_made_fits_the_budget(candidates: list[Candidate], budget: float) -> None:
    """The expected time, stages paid once each, is within the budget, and the rest is named."""
    found = arrange(candidates, stages={}, budget=budget)
    assert sorted((*found.order, *found.left_out)) == sorted(one.key for one in candidates)
    assert found.seconds <= budget
    made = [one for one in candidates if one.key in found.order]
    order = list(Stage)
    paid = {(one.camera, stage) for one in made if one.needs for stage in order[: order.index(one.needs) + 1]}
    owed = sum(one.seconds for one in made) + sum(STAGE_SECONDS[stage] for _, stage in paid)
    assert math.isclose(found.seconds, owed, abs_tol=1e-9)


@given(CANDIDATES)
def test_the_order_does_not_depend_on_that_of_the_question(candidates: list[Candidate]) -> None:
    """The same checks give the same order, however they are listed."""
    assert arrange(candidates, stages={}) == arrange(candidates[::-1], stages={})


def test_the_likeliest_failure_per_second_comes_first() -> None:
    """Among checks that need the same, risk over cost decides."""
    checks = [a_check("dear", risk=0.2, seconds=10), a_check("sure", risk=0.5), a_check("cheap", risk=0.2, seconds=1)]
    assert arrange(checks, stages={}).order == ("sure", "cheap", "dear")


def test_what_needs_no_data_comes_before_what_does() -> None:
    """A cheap check is made before the processing that a likelier failure would cost."""
    checks = [a_check("metric", risk=0.3, needs=Stage.MEASURE), a_check("filters", risk=0.02)]
    assert arrange(checks, stages={}).order == ("filters", "metric")


def test_a_check_that_keeps_failing_comes_before_the_cheap_ones() -> None:
    """What failed every time is worth its processing at once where that is short."""
    checks = [a_check("metric", risk=0.9, needs=Stage.DRAW), a_check("filters", risk=0.01)]
    assert arrange(checks, stages={}, stage_seconds={("hsc", Stage.DRAW): 1.0}).order == ("metric", "filters")


def test_metrics_that_fail_together_are_worth_one() -> None:
    """A hundred metrics of one processing do not outweigh what is likelier to fail."""
    metrics = [Candidate(f"m{n}", "hsc", Stage.MEASURE, 0.0, 0.02, "metrics") for n in range(100)]
    other = a_check("isr", risk=0.05, needs=Stage.CALIBRATIONS)
    assert arrange([*metrics, other], stages={}).order[0] == "isr"


def test_stages_that_a_camera_does_not_have_cost_nothing() -> None:
    """What lies in a repository is not drawn."""
    check = a_check("metric", needs=Stage.MEASURE, seconds=0.0)
    found = arrange([check], stages={"hsc": (Stage.PROCESS, Stage.MEASURE)})
    assert found.seconds == STAGE_SECONDS[Stage.PROCESS] + STAGE_SECONDS[Stage.MEASURE]


@given(st.lists(st.booleans(), max_size=20))
def test_risk_is_a_probability_and_grows_with_concern(failed: list[bool]) -> None:
    """It lies between 0 and 1, and a change that names the check makes it likelier to fail."""
    assert 0 < risk(failed) < risk(failed, concerned=True) < 1


def test_a_late_failure_weighs_more_than_an_early_one() -> None:
    """The latest run comes first, and counts most."""
    assert risk([True, False, False]) > risk([False, False, True]) > risk([False, False, False])


def test_a_check_never_made_fails_once_in_fifty() -> None:
    """Without history there is a prior."""
    assert risk([]) == pytest.approx(0.02)
