"""What a camera answers to, and its leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qa.judging.policy import Policy, facing, is_below, level_of, soften
from qa.metrics.base import Direction, MetricDefinition
from qa.model import Baseline, Change, Comparison, Ladder, Level, Measurement, Scope, Status
from qa.requirements.waivers import Waiver

SCOPE = Scope("hsc", "twin", "r", 0)
LADDER = Ladder("PA1", "r", "mmag", "<=", 8.0, 5.0, 3.0, "LPM-17, Table 14")
METRIC = MetricDefinition("PA1", "photometry", "", "", "", "mmag", Direction.LOWER, None, ())
TODAY = date(2026, 3, 1)
WAIVER = Waiver("PA1", "a broken shutter.", TODAY, bands=("r",), ticket="DM-1")
FAILED = Comparison(
    Measurement("PA1", SCOPE, 9.0, "mmag", 100),
    None,
    LADDER,
    Change.NEW,
    Level.BELOW_MINIMUM,
    Status.FAIL,
    None,
    "It is below.",
)


def accepted(value: float) -> Baseline:
    """Make a baseline."""
    return Baseline("PA1", SCOPE, value, "mmag", None, 0.1, "run")


def test_a_policy_gates_at_the_minimum_unless_told_otherwise() -> None:
    """The default asks nothing and excuses nothing."""
    assert Policy() == Policy(None, Level.MINIMUM, gating=True, waivers=(), today=None, same_processor=())
    assert soften(FAILED, METRIC, Policy()) is FAILED


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN])
def test_only_a_failure_needs_leave(status: Status) -> None:
    """Everything else stays as it is."""
    one = replace(FAILED, status=status)
    assert soften(one, replace(METRIC, family="resources"), Policy(gating=False)) is one


@pytest.mark.parametrize(
    ("definition", "policy", "clause"),
    [
        (replace(METRIC, family="resources"), Policy(gating=False), "resources are noisy and only warn"),
        (METRIC, Policy(gating=False, waivers=(WAIVER,), today=TODAY), "this camera does not gate"),
        (METRIC, Policy(waivers=(WAIVER,), today=TODAY), "waived until 2026-03-01: a broken shutter (DM-1)"),
    ],
)
def test_leave_is_told(definition: MetricDefinition, policy: Policy, clause: str) -> None:
    """The strongest first."""
    assert soften(FAILED, definition, policy) == replace(FAILED, status=Status.WARN, reason=f"It is below; {clause}.")


def test_an_expired_waiver_is_told_and_excuses_nothing() -> None:
    """The day after."""
    policy = Policy(waivers=(WAIVER,), today=date(2026, 3, 2))
    expected = "It is below; its waiver expired on 2026-03-01: a broken shutter (DM-1)."
    assert soften(FAILED, METRIC, policy) == replace(FAILED, reason=expected)


@pytest.mark.parametrize(
    ("gate", "level", "old", "status"),
    [
        (Level.MINIMUM, Level.BELOW_MINIMUM, None, Status.WARN),
        (Level.MINIMUM, Level.BELOW_MINIMUM, 8.0, Status.WARN),
        (Level.MINIMUM, Level.BELOW_MINIMUM, 8.5, Status.FAIL),
        (Level.MINIMUM, Level.MINIMUM, None, Status.FAIL),
        (Level.MINIMUM, Level.NOT_APPLICABLE, None, Status.FAIL),
        (Level.DESIGN, Level.MINIMUM, None, Status.WARN),
        (Level.DESIGN, Level.MINIMUM, 5.0, Status.WARN),
        (Level.DESIGN, Level.MINIMUM, 7.0, Status.FAIL),
    ],
)
def test_a_waiver_is_leave_to_be_below_the_gate_not_to_get_worse(
    gate: Level, level: Level, old: float | None, status: Status
) -> None:
    """What fails though it was accepted below the gate is a deficit that grew."""
    one = replace(FAILED, level=level, baseline=None if old is None else accepted(old))
    policy = Policy(gate=gate, waivers=(WAIVER,), today=TODAY)
    assert soften(one, METRIC, policy).status is status


def test_a_waiver_of_a_metric_best_at_zero_goes_by_size() -> None:
    """A baseline of -9 was below."""
    zero = replace(METRIC, direction=Direction.ZERO)
    policy = Policy(waivers=(WAIVER,), today=TODAY)
    assert soften(replace(FAILED, baseline=accepted(-9.0)), zero, policy).status is Status.FAIL
    assert soften(replace(FAILED, baseline=accepted(-7.0)), zero, policy).status is Status.WARN


def test_a_waiver_needs_its_metric_band_and_a_day() -> None:
    """Without a day none holds."""
    others = [
        (replace(WAIVER, metric="PA2"), TODAY),
        (replace(WAIVER, bands=("i",)), TODAY),
        (WAIVER, None),
    ]
    for waiver, today in others:
        assert soften(FAILED, METRIC, Policy(waivers=(waiver,), today=today)) is FAILED


def test_the_level_of_a_metric_best_at_zero_goes_by_size() -> None:
    """Of others by value; without a requirement there is none."""
    assert level_of(-9.0, LADDER, Direction.ZERO) is Level.BELOW_MINIMUM
    assert level_of(-9.0, LADDER, Direction.LOWER) is Level.STRETCH
    assert level_of(4.0, LADDER, Direction.ZERO) is Level.DESIGN
    assert level_of(4.0, None, Direction.LOWER) is Level.NOT_APPLICABLE


def test_what_is_below_a_gate() -> None:
    """A level before it; nothing that is not required."""
    assert is_below(Level.MINIMUM, Level.DESIGN)
    assert not is_below(Level.DESIGN, Level.DESIGN)
    assert not is_below(Level.NOT_APPLICABLE, Level.STRETCH)


@pytest.mark.parametrize(
    ("ladder", "gate", "faced"),
    [
        (None, Level.DESIGN, Level.DESIGN),
        (LADDER, Level.STRETCH, Level.STRETCH),
        (replace(LADDER, only=Level.DESIGN), Level.MINIMUM, Level.MINIMUM),
        (replace(LADDER, only=Level.DESIGN), Level.DESIGN, Level.DESIGN),
        (replace(LADDER, only=Level.DESIGN), Level.STRETCH, Level.DESIGN),
        (replace(LADDER, only=Level.MINIMUM), Level.STRETCH, Level.MINIMUM),
    ],
)
def test_a_requirement_of_one_level_is_no_harder_than_that(ladder: Ladder | None, gate: Level, faced: Level) -> None:
    """A gate above it has nothing to ask; the rest of the policy stays."""
    policy = Policy(gate=gate, gating=False, today=TODAY)
    assert facing(ladder, policy) == replace(policy, gate=faced)
