"""Ladders: the level a value reaches."""

from __future__ import annotations

import astropy.units  # noqa: F401 - loaded here: the first conversion must not take the time of a test
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.model import Ladder, Level
from qa.requirements.ladder import UnitMismatchError, convert, in_order, known_unit, margin, rank, reached, target

FINITE = st.floats(-1e6, 1e6)


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


@given(st.floats(0.001, 1e4))
def test_a_change_of_unit_changes_no_level(value: float) -> None:
    """A target met in mas is met in arcsec, rounding in the conversion aside."""
    ladder = a_ladder(value, value, value)
    back = convert(convert(value, unit="mas", to="arcsec"), unit="arcsec", to="mas")
    assert reached(back, ladder) is Level.STRETCH


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [(0.005, "arcsec", "mas", 5.0), (5.0, "%", "percent", 5.0), (5.0, "%", "", 0.05), (0.015, "mag", "mmag", 15.0)],
)
def test_units_convert_as_astropy_says(value: float, unit: str, to: str, expected: float) -> None:
    """Milliarcsec and arcsec, percent and fractions, mmag and mag are one thing each."""
    assert convert(value, unit=unit, to=to) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("unit", ["mas", "no such unit", "m m m /"])
def test_units_of_different_things_are_refused(unit: str) -> None:
    """An angle is no magnitude; the error names what was measured and both units."""
    with pytest.raises(UnitMismatchError, match=r"PA1: the unit must be convertible to 'mmag', got"):
        convert(1.0, unit=unit, to="mmag", what="PA1")


def test_known_units() -> None:
    """Only what astropy can parse is a unit."""
    assert known_unit("mas")
    assert not known_unit("millimag")


@given(ladders(), FINITE)
def test_the_margin_is_positive_exactly_on_the_good_side(ladder: Ladder, value: float) -> None:
    """A positive margin to minimum means that minimum is reached."""
    if margin(value, ladder, Level.MINIMUM) >= 0:
        assert reached(value, ladder) is not Level.BELOW_MINIMUM


@pytest.mark.parametrize("level", [Level.BELOW_MINIMUM, Level.NOT_APPLICABLE])
def test_only_the_three_levels_have_targets(level: Level) -> None:
    """Below-minimum and not-applicable have no target."""
    with pytest.raises(ValueError, match="only minimum, design and stretch"):
        target(a_ladder(), level)


@pytest.mark.parametrize(
    ("operator", "targets", "ordered"),
    [("<=", (8, 5, 3), True), ("<=", (3, 5, 8), False), (">=", (3, 5, 8), True), (">=", (8, 5, 3), False)],
)
def test_targets_get_harder_in_the_operators_direction(
    operator: str, targets: tuple[float, float, float], *, ordered: bool
) -> None:
    """At most: targets fall; at least: they rise."""
    assert in_order(operator, *targets) is ordered
