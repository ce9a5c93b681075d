from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from qa.model import HistoryPoint
from reports.charts import CHART, chart
from reports.testing import NOW, a_comparison, a_history

points = st.lists(
    st.builds(
        HistoryPoint,
        st.just("run"),
        st.integers(0, 900).map(lambda days: NOW - timedelta(days=days)),
        st.none() | st.floats(-1e9, 1e9),
        st.none() | st.floats(0, 1e9),
    ),
    max_size=12,
).map(lambda found: sorted(found, key=lambda point: point.when))


@given(points)
def test_any_history_can_be_drawn(found: list[HistoryPoint]) -> None:
    """Gaps, equal nights and wild values all stay on the chart; without a value there is none."""
    drawn = chart(found, a_comparison())
    if drawn is None:
        assert all(point.value is None for point in found)
        return
    assert len(drawn.marks) + len(drawn.missing) == len(found)
    assert all(
        0 <= mark.x <= CHART[0] and 0 <= mark.low <= CHART[1] and 0 <= mark.high <= CHART[1] for mark in drawn.marks
    )
    assert 1 <= len(drawn.x_ticks) <= 8


def test_near_levels_are_drawn_and_far_ones_named() -> None:
    """A level that would flatten the series is said in words instead."""
    comparison = a_comparison("PA1", factor=1.0)
    drawn = chart(a_history(comparison), comparison)
    assert drawn is not None
    assert "minimum 8" in drawn.beyond
    assert {tick.text for tick in drawn.levels}.isdisjoint({"minimum"})


def test_levels_of_one_value_share_a_name() -> None:
    """PA2 has one number for minimum and design."""
    comparison = a_comparison("PA2", factor=1.3)
    drawn = chart(a_history(comparison), comparison)
    assert drawn is not None
    assert "min, design" in {tick.text for tick in drawn.levels}


def test_a_missing_night_is_marked() -> None:
    """A night without value is a mark of its own, not a hole to overlook."""
    comparison = a_comparison()
    drawn = chart(a_history(comparison), comparison)
    assert drawn is not None
    assert [mark.text for mark in drawn.missing] == ["18\u00a0Feb\u00a02026: not measured"]
