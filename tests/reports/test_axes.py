import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.axes import Axis, nice_ticks, polylines, value_axis

values = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(st.lists(values, min_size=1, max_size=9))
def test_an_axis_holds_the_values_it_spans(found: list[float]) -> None:
    """Every value lies between the ends, also where all are equal or zero."""
    axis = value_axis(found, margin=0.1, start=100, end=0)
    assert all(axis.holds(value) and 0 <= axis(value) <= 100 for value in found)


def test_what_lies_outside_is_clipped() -> None:
    """A value beyond an axis is drawn at its end."""
    axis = Axis(0, 10, 0, 100)
    assert [axis.clipped(value) for value in (-5, 5, 50)] == [0, 50, 100]


@given(values, st.floats(1e-3, 1e5))
def test_ticks_are_round_and_inside(low: float, size: float) -> None:
    """Ticks lie within the axis and there are a handful of them."""
    ticks = nice_ticks(low, low + size)
    assert 1 <= len(ticks) <= 6
    assert all(low - 1e-6 * size <= tick <= low + size * (1 + 1e-6) for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


def test_round_ticks() -> None:
    """Steps are 1, 2 or 5 times a power of ten."""
    assert nice_ticks(0, 10) == (0, 5, 10)
    assert nice_ticks(5.47, 5.86) == pytest.approx((5.5, 5.6, 5.7, 5.8))


def test_a_gap_breaks_a_line() -> None:
    """A night without value is not bridged, and a lone point makes no line."""
    assert polylines([(0, 1), (1, 2), None, (3, 4), None, (5, 6), (6, 7)]) == ("0,1 1,2", "5,6 6,7")
