"""Ladders: the level a value reaches."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import astropy.units  # noqa: F401 - loaded here: the first conversion must not take the time of a test
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qa.judging import in_unit
from qa.model import Ladder, Level
from qa.requirements.ladder import (
    NotFiniteError,
    OperatorError,
    UnitMismatchError,
    convert,
    in_order,
    is_at_most,
    known_unit,
    margin,
    rank,
    reached,
    target,
)

FINITE = st.floats(-1e6, 1e6)
UNITS = (("mas", "arcsec", "marcsec", "milliarcsecond", "rad"), ("mmag", "mag"), ("", "%", "percent", "1e-3"))
"""Units that measure the same thing."""
SLACK = 1e-9
"""Relative difference from a target that is rounding."""


def a_ladder(minimum: float = 8.0, design: float = 5.0, stretch: float = 3.0, operator: str = "<=") -> Ladder:
    """Make a ladder."""
    return Ladder("PA1", "r", "mmag", operator, minimum, design, stretch, "LPM-17 Table 14")


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Draw ladders in order."""
    operator = draw(st.sampled_from(["<=", ">="]))
    targets = sorted(draw(st.tuples(FINITE, FINITE, FINITE)), reverse=operator == "<=")
    return a_ladder(*targets, operator=operator)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (8.001, Level.BELOW_MINIMUM),
        (8.0, Level.MINIMUM),
        (5.001, Level.MINIMUM),
        (5.0, Level.DESIGN),
        (3.001, Level.DESIGN),
        (3.0, Level.STRETCH),
        (-1.0, Level.STRETCH),
    ],
)
def test_a_target_itself_reaches_its_level(value: float, level: Level) -> None:
    """A value equal to a target reaches that target's level, a worse one does not."""
    assert reached(value, a_ladder()) is level


@pytest.mark.parametrize(
    ("value", "level"),
    [(24.2, Level.BELOW_MINIMUM), (24.3, Level.MINIMUM), (24.7, Level.DESIGN), (24.8, Level.STRETCH)],
)
def test_a_depth_must_be_at_least_its_target(value: float, level: Level) -> None:
    """With the operator >=, larger values reach higher levels."""
    assert reached(value, a_ladder(24.3, 24.7, 24.8, ">=")) is level


def test_equal_targets_give_the_higher_level() -> None:
    """Where minimum and design are one number, reaching it reaches design."""
    assert reached(15.0, a_ladder(15, 15, 10)) is Level.DESIGN


def test_without_a_ladder_no_level_applies() -> None:
    """A metric nothing is required of has no level."""
    assert reached(5.0, None) is Level.NOT_APPLICABLE


@given(ladders(), FINITE, FINITE)
def test_a_better_value_never_reaches_a_lower_level(ladder: Ladder, one: float, two: float) -> None:
    """The level is monotone in the value."""
    better, worse = (min(one, two), max(one, two)) if ladder.operator == "<=" else (max(one, two), min(one, two))
    assert rank(reached(better, ladder)) >= rank(reached(worse, ladder))


@given(ladders())
def test_every_target_reaches_at_least_its_own_level(ladder: Ladder) -> None:
    """Minimum, design and stretch each reach themselves."""
    for level in (Level.MINIMUM, Level.DESIGN, Level.STRETCH):
        assert rank(reached(target(ladder, level), ladder)) >= rank(level)


@given(ladders(), st.data())
def test_a_change_of_unit_changes_no_level(ladder: Ladder, data: st.DataObject) -> None:
    """Neither of the value, nor of the requirement: 5 mas are 0.005 arcsec, 1 % is 0.01."""
    alike = data.draw(st.sampled_from(UNITS))
    unit, other = data.draw(st.sampled_from(alike)), data.draw(st.sampled_from(alike))
    ladder = replace(ladder, unit=unit)
    targets = (ladder.minimum, ladder.design, ladder.stretch)
    value = data.draw(st.one_of(FINITE, st.sampled_from(targets)))
    # A difference of exactly the slack may be rounded to either side.
    assume(
        all(abs(abs(value - one) - SLACK * max(abs(value), abs(one))) > 1e-13 * abs(one) or one == 0 for one in targets)
    )
    elsewhere = in_unit.ladder(other, ladder)
    assert reached(convert(value, unit=unit, to=other), elsewhere) is reached(value, ladder)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (8.0 * (1 + 0.9e-9), Level.MINIMUM),
        (8.0 * (1 + 1.1e-9), Level.BELOW_MINIMUM),
        (3.0 * (1 + 0.9e-9), Level.STRETCH),
        (3.0 * (1 + 1.1e-9), Level.DESIGN),
    ],
)
def test_rounding_and_no_more_is_forgiven(value: float, level: Level) -> None:
    """A thousand-millionth of the target, no matter which."""
    assert reached(value, a_ladder()) is level


@pytest.mark.parametrize(
    ("only", "good", "bad"),
    [
        (Level.MINIMUM, Level.MINIMUM, Level.BELOW_MINIMUM),
        (Level.DESIGN, Level.DESIGN, Level.MINIMUM),
        (Level.STRETCH, Level.STRETCH, Level.DESIGN),
    ],
)
def test_a_single_target_is_met_or_missed(only: Level, good: Level, bad: Level) -> None:
    """What meets it reaches its level and no more, what misses it the one below."""
    ladder = replace(a_ladder(5, 5, 5), only=only)
    assert reached(5.0, ladder) is good
    assert reached(0.0, ladder) is good
    assert reached(5.1, ladder) is bad


@pytest.mark.parametrize(("operator", "yes"), [("<=", True), (">=", False)])
def test_operators_have_a_direction(operator: str, *, yes: bool) -> None:
    """At most and at least."""
    assert is_at_most(operator) is yes


@pytest.mark.parametrize("operator", ["<", ">", "==", "!=", "", "at most"])
def test_other_operators_are_refused_and_never_taken_for_one_of_the_two(operator: str) -> None:
    """Wherever the direction matters."""
    message = f"^the operator of a requirement must be one of <= >=, got '{operator}'$"
    with pytest.raises(OperatorError, match=message) as caught:
        reached(1.0, a_ladder(operator=operator))
    assert caught.value.operator == operator
    with pytest.raises(OperatorError):
        in_order(operator, 1, 2, 3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_reaches_nothing(value: float) -> None:
    """Minus infinity is no excellent scatter: it is refused by name."""
    with pytest.raises(NotFiniteError) as caught:
        reached(value, a_ladder())
    wanted = f"PA1: a value to judge must be finite, got {value}; what cannot be measured has a reason"
    assert str(caught.value) == wanted
    assert caught.value.metric == "PA1"
    assert str(caught.value.value) == str(value)


@pytest.mark.parametrize(("operator", "expected"), [("<=", 2.0), (">=", -2.0)])
def test_the_margin_is_a_distance_in_the_ladders_unit(operator: str, expected: float) -> None:
    """From the target of the level that is asked for."""
    ladder = a_ladder(8, 5, 3, operator)
    assert margin(6.0, ladder, Level.MINIMUM) == expected
    assert margin(3.0, ladder, Level.DESIGN) == expected
    assert margin(1.0, ladder, Level.STRETCH) == expected


def test_levels_have_their_targets_and_ranks() -> None:
    """In the order from worst to best."""
    ladder = a_ladder(8, 5, 3)
    levels = (Level.MINIMUM, Level.DESIGN, Level.STRETCH)
    assert [target(ladder, level) for level in levels] == [8, 5, 3]
    assert [rank(level) for level in (Level.BELOW_MINIMUM, *levels)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="not in tuple"):
        rank(Level.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [(0.005, "arcsec", "mas", 5.0), (5.0, "%", "percent", 5.0), (5.0, "%", "", 0.05), (0.015, "mag", "mmag", 15.0)],
)
def test_units_convert_as_astropy_says(value: float, unit: str, to: str, expected: float) -> None:
    """Milliarcsec and arcsec, percent and fractions, mmag and mag are one thing each."""
    assert convert(value, unit=unit, to=to) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("unit", ["mas", "no such unit", "m m m /", "", None])
def test_units_of_different_things_are_refused(unit: Any) -> None:
    """An angle is no magnitude, nor is what has no unit; the error names what was measured and both units."""
    with pytest.raises(UnitMismatchError) as caught:
        convert(1.0, unit=unit, to="mmag", what="PA1")
    assert str(caught.value) == f"PA1: the unit must be convertible to 'mmag', got {unit!r}"
    assert (caught.value.what, caught.value.required, caught.value.found) == ("PA1", "mmag", unit)
    with pytest.raises(UnitMismatchError, match=r"^value: "):
        convert(1.0, unit=unit, to="mmag")


def test_equal_units_need_not_be_known() -> None:
    """The value stays as it is, to the last bit."""
    assert convert(0.1, unit="no such unit", to="no such unit") == 0.1


def test_known_units() -> None:
    """Only what astropy can parse is a unit."""
    assert known_unit("mas") is True
    assert known_unit("millimag") is False


@given(ladders(), FINITE)
def test_the_margin_is_positive_exactly_on_the_good_side(ladder: Ladder, value: float) -> None:
    """A positive margin to minimum means that minimum is reached."""
    is_good = value <= ladder.minimum if ladder.operator == "<=" else value >= ladder.minimum
    assert (margin(value, ladder, Level.MINIMUM) >= 0) is is_good
    if is_good:
        assert reached(value, ladder) is not Level.BELOW_MINIMUM


@pytest.mark.parametrize("level", [Level.BELOW_MINIMUM, Level.NOT_APPLICABLE])
def test_only_the_three_levels_have_targets(level: Level) -> None:
    """Below-minimum and not-applicable have no target."""
    with pytest.raises(ValueError, match=f"^only minimum, design and stretch have a target, got {level}$"):
        target(a_ladder(), level)


@pytest.mark.parametrize(
    ("operator", "targets", "ordered"),
    [
        *(("<=", (8, 5, 3), True), ("<=", (3, 5, 8), False), (">=", (3, 5, 8), True), (">=", (8, 5, 3), False)),
        *(("<=", (5, 5, 5), True), (">=", (5, 5, 5), True)),
        *(("<=", (8, 9, 3), False), ("<=", (8, 5, 6), False), (">=", (3, 2, 8), False), (">=", (3, 5, 4), False)),
    ],
)
def test_targets_get_harder_in_the_operators_direction(
    operator: str, targets: tuple[float, float, float], *, ordered: bool
) -> None:
    """At most: targets fall; at least: they rise."""
    assert in_order(operator, *targets) is ordered
