from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.judging.judged import Forecast, Shift, ShiftKind
from qa.model import HistoryPoint, Level, Scope
from reports.axes import Axis
from reports.charts import CHART, chart
from reports.graphics import spark
from reports.shifts import Frame, crossing, forecast_mark, shift_marks, shift_text
from reports.testing import NOW, a_comparison, a_history
from reports.wording import NBSP

SCOPE = Scope("testcam", "twin", "r", 0)
X = Axis(0.0, 100.0, 0.0, 100.0)
Y = Axis(0.0, 10.0, 100.0, 0.0)


def a_shift(kind: ShiftKind, day: int, *, before: float = 2.0, after: float = 6.0, found: int | None = None) -> Shift:
    """Build a shift that began so many days after the first night of `points`."""
    began = NOW + timedelta(days=day)
    return Shift("PA1", SCOPE, kind, began, NOW + timedelta(days=found or day), before, after, 10.0, 1e-6)


def points(nights: int = 101, **epochs: str) -> tuple[HistoryPoint, ...]:
    """Build nights of one value; `epochs` name those that begin with a day, as `d40="new"`."""
    made, epoch = [], ""
    for index in range(nights):
        epoch = epochs.get(f"d{index}", epoch)
        made.append(HistoryPoint("run", NOW + timedelta(days=index), 2.0, None, epoch))
    return tuple(made)


def frame() -> Frame:
    """Build a plot of a hundred days in a hundred units."""
    return Frame(at=lambda when: X.clipped((when - NOW) / timedelta(days=1)), y=Y, left=0, now=100, top=0, bottom=100)


@pytest.mark.parametrize(
    ("shift", "path"),
    [
        (a_shift(ShiftKind.STEP, 40), "M0 80H40V40H100"),
        (a_shift(ShiftKind.DRIFT, 40), "M0 80H40L100 40"),
        (a_shift(ShiftKind.SPIKE, 40), "M34 40a6 6 0 1 0 12 0a6 6 0 1 0-12 0z"),
        (a_shift(ShiftKind.GAP, 40, found=50), "M40 0H50V100H40z"),
        (a_shift(ShiftKind.GAP, 40), "M40 0H43V100H40z"),
    ],
)
def test_each_kind_has_its_mark(shift: Shift, path: str) -> None:
    """A step has its two levels, a drift its slope, a spike a ring, a gap a stretch of time."""
    (mark,) = shift_marks((shift,), points(), frame())
    assert (mark.kind, mark.path) == (shift.kind.value, path)
    assert mark.text == shift_text(shift)


def test_a_level_ends_where_the_next_begins() -> None:
    """Two steps share the stretch between them; a spike ends no level; what ended before the plot is left out."""
    first, second = a_shift(ShiftKind.STEP, 20), a_shift(ShiftKind.STEP, 60, before=6.0, after=2.0)
    old, spike = a_shift(ShiftKind.STEP, -9), a_shift(ShiftKind.SPIKE, 30)
    paths = [one.path for one in shift_marks((second, spike, first, old), points(), frame())]
    assert paths[0] == "M0 80H20V40H60"
    assert paths[2] == "M20 40H60V80H100"
    assert len(paths) == 3


def test_a_known_break_is_a_line_between_the_nights() -> None:
    """Where the epoch changes, the series starts anew; a night without value belongs to neither."""
    (mark,) = shift_marks((), points(d40="new"), frame())
    assert (mark.kind, mark.path) == ("break", "M39.5 0V100")
    unmeasured = HistoryPoint("run", NOW + timedelta(days=101), None, None, "other")
    assert shift_marks((), (*points(), unmeasured), frame()) == ()


def ahead(days: int, latest: date | None = None) -> Forecast:
    """Build a forecast of so many days after NOW's midnight."""
    when = NOW.date() + timedelta(days=days)
    return Forecast(Level.DESIGN, when, when - timedelta(days=2), latest)


def seconds(days: float) -> float:
    """Return a time so many days after NOW."""
    return (NOW + timedelta(days=days)).timestamp()


def test_a_forecast_continues_the_drift_to_the_level() -> None:
    """Dashed from tonight to the crossing, with the interval of its day; cut where the chart ends."""
    x, y = Axis(seconds(0), seconds(20), 0.0, 200.0), Y
    mark = forecast_mark(ahead(10), 8.0, start=(NOW, 4.0), x=x, y=y)
    assert mark.path.startswith("M0 60L104.6 20M84.6 20H200")
    cut = forecast_mark(ahead(40), 8.0, start=(NOW, 4.0), x=x, y=y)
    assert cut.path == "M0 60L200 40.2"
    assert cut.text.startswith("It will cross design about")


def test_a_forecast_of_today_is_drawn() -> None:
    """A crossing that is due already does not divide by nothing."""
    x = Axis(seconds(0), seconds(20), 0.0, 200.0)
    mark = forecast_mark(ahead(-3, date(2026, 3, 5)), 8.0, start=(NOW, 4.0), x=x, y=Y)
    assert mark.path.startswith("M0 60L0 20M0 20H")


def test_only_a_level_with_a_value_is_crossed() -> None:
    """Without a ladder, or for no level, there is no line to cross."""
    ladder = a_comparison().ladder
    assert crossing(ahead(1), None) is None
    assert crossing(ahead(1), ladder) == 5
    assert crossing(Forecast(Level.BELOW_MINIMUM, NOW.date(), NOW.date(), None), ladder) is None


def test_shifts_are_said_in_words() -> None:
    """Who cannot see the chart hears what happened."""
    kinds = (ShiftKind.STEP, ShiftKind.DRIFT, ShiftKind.SPIKE, ShiftKind.GAP)
    said = [shift_text(a_shift(kind, 1)).replace(NBSP, " ") for kind in kinds]
    assert said == [
        "2 Mar 2026: step from 2 to 6",
        "since 2 Mar 2026: drift from 2 to 6",
        "2 Mar 2026: spike from 2 to 6",
        "2 Mar 2026 to 2 Mar 2026: not measured",
    ]


moments = st.integers(-400, 400).map(lambda days: NOW + timedelta(days=days))
values = st.floats(-1e6, 1e6)
shifts = st.builds(
    lambda kind, began, found, before, after: Shift(
        "PA1", SCOPE, kind, began, max(began, found), before, after, 9, 0.1
    ),
    st.sampled_from(list(ShiftKind)),
    moments,
    moments,
    values,
    values,
)
forecasts = st.none() | st.builds(
    Forecast, st.sampled_from(list(Level)), moments.map(datetime.date), moments.map(datetime.date), st.none()
)


@given(st.lists(shifts, max_size=4), forecasts)
def test_any_shift_can_be_drawn(found: list[Shift], forecast: Forecast | None) -> None:
    """Wild dates and values stay within the chart, large and small."""
    comparison = a_comparison(factor=1.3)
    history = a_history(comparison)
    drawn = chart(history, comparison, shifts=found, forecast=forecast)
    small = spark(history, comparison, shifts=found)
    assert drawn is not None
    assert small is not None
    for mark in drawn.shifts:
        if mark.kind != "spike":
            numbers = [float(one) for one in mark.path.translate(str.maketrans("MHVLz", "     ")).split()]
            assert all(-5 <= one <= CHART[0] + 5 for one in numbers)
