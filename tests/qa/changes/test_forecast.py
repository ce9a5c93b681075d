from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from qa.changes import Series, forecast
from qa.judging.judged import Forecast, Shift, ShiftKind
from qa.metrics.base import Direction
from qa.model import HistoryPoint, Ladder, Level, Scope
from qa.testing import NOW

SCOPE = Scope("testcam", "twin", "r", 0)
LADDER = Ladder("PA1", "r", "mmag", "<=", 8.0, 5.0, 3.0, "LPM-17")
DRIFT = Shift("PA1", SCOPE, ShiftKind.DRIFT, NOW, NOW, 3.5, 4.4, 5.0, 0.01, 0.1)
TODAY = NOW + timedelta(days=9)


def a_series(values: list[float | None], direction: Direction = Direction.LOWER) -> Series:
    """Build a series of a night a day since the drift began."""
    nights = enumerate(values)
    return Series(
        "PA1", SCOPE, direction, [HistoryPoint(str(day), NOW + timedelta(days=day), one, None) for day, one in nights]
    )


RISING = a_series([3.5 + 0.1 * day for day in range(10)])


def told(
    series: Series = RISING, shift: Shift = DRIFT, ladder: Ladder | None = LADDER, **more: object
) -> Forecast | None:
    """Forecast from today on."""
    return forecast(shift, series, ladder=ladder, now=more.pop("now", TODAY), **more)  # type: ignore[arg-type]


def after(days: float, today: datetime = TODAY) -> date:
    """Return a day after today."""
    return (today + timedelta(days=days)).date()


def test_a_drift_without_scatter_has_its_day() -> None:
    """The level it is at is lost where the line meets its target: 0.6 mmag at 0.1 mmag a day."""
    found = told()
    assert found == Forecast(Level.DESIGN, after(6), after(6), after(6))


def test_the_gate_may_be_asked_for() -> None:
    """It lies further off."""
    found = told(gate=Level.MINIMUM)
    assert found == Forecast(Level.MINIMUM, after(36), after(36), after(36))


def test_scatter_widens_the_interval() -> None:
    """The day of crossing has an error, which is not symmetric."""
    noise = 0.1 * np.array([1, -1, 1, -1, -1, 1, -1, 1, 1, -1])
    values = [3.5 + 0.1 * day + one for day, one in enumerate(noise)]
    found = told(a_series(values), gate=Level.MINIMUM)
    assert found is not None
    assert found.latest is not None
    assert found.earliest < found.when < found.latest
    assert (found.when - found.earliest) < (found.latest - found.when)


def test_the_interval_holds_the_true_day_in_two_of_three_cases() -> None:
    """68 %, over many drifts of thirty nights."""
    rng, inside = np.random.default_rng(1), 0
    for _ in range(400):
        values = (3.5 + 0.03 * np.arange(30) + 0.2 * rng.standard_normal(30)).tolist()
        now = NOW + timedelta(days=29)
        found = told(a_series(values), gate=Level.MINIMUM, now=now)
        assert found is not None
        true = after(4.5 / 0.03 - 29, now)
        inside += found.earliest <= true and (found.latest is None or true <= found.latest)
    assert inside / 400 == pytest.approx(0.68, abs=0.07)


def test_a_drift_that_may_be_none_has_no_last_day() -> None:
    """Where the slope may be zero, it may as well never cross."""
    found = told(a_series([3.5, 4.5, 3.6, 4.6, 3.7, 4.4, 3.9]), gate=Level.MINIMUM)
    assert found is not None
    assert found.latest is None
    assert TODAY.date() <= found.earliest <= found.when


def test_a_last_day_far_off_is_none() -> None:
    """Nobody wants to know beyond ten years."""
    values = [3.5, 3.60, 3.52, 3.63, 3.55, 3.66, 3.53, 3.66]
    found = told(a_series(values), replace(DRIFT), replace(LADDER, minimum=40.0), gate=Level.MINIMUM)
    assert found is not None
    assert found.latest is None


@pytest.mark.parametrize(
    "values",
    [
        [9.0 + 0.1 * day for day in range(10)],
        [4.4 - 0.1 * day for day in range(10)],
        [4.0] * 10,
        [3.5 + 1e-5 * day for day in range(10)],
        [3.5, 3.6, 3.7],
        [3.5, None, 3.7, 3.8, None],
    ],
    ids=["below minimum", "getting better", "level", "too slow", "too few", "too few with gaps"],
)
def test_there_may_be_nothing_to_tell(values: list[float | None]) -> None:
    """Nothing to lose, no way there, not within ten years, or too little known."""
    assert told(a_series(values)) is None


def test_only_a_drift_towards_a_requirement_is_forecast() -> None:
    """A step stays where it is, and without a ladder there is nothing to cross."""
    assert told(shift=replace(DRIFT, kind=ShiftKind.STEP)) is None
    assert told(ladder=None) is None


def test_nights_before_the_drift_and_after_now_do_not_count() -> None:
    """The line is that of the drift."""
    points = list(RISING.points)
    points[0] = replace(points[0], when=NOW - timedelta(days=1), value=99.0)
    points.append(HistoryPoint("late", TODAY + timedelta(days=1), -99.0, None))
    assert told(replace(RISING, points=points)) == told()


def test_higher_may_be_better() -> None:
    """The ladder's operator says which way is worse."""
    ladder = Ladder("depth", "r", "mag", ">=", 23.0, 24.0, 25.0, "LPM-17")
    falling = a_series([24.9 - 0.05 * day for day in range(10)], Direction.HIGHER)
    assert told(falling, ladder=ladder) == Forecast(Level.DESIGN, after(9), after(9), after(9))


def test_what_is_best_at_zero_is_judged_by_its_size() -> None:
    """A fall below zero loses the level as a rise does; of other metrics the sign stays."""
    falling = a_series([-3.5 - 0.1 * day for day in range(10)], Direction.ZERO)
    shift = replace(DRIFT, before=-3.5, after=-4.4)
    assert told(falling, shift) == told()
    assert told(replace(falling, direction=Direction.LOWER), shift) is None
    assert told(replace(RISING, direction=Direction.ZERO)) == told()


def brute(values: list[float], target: float, today: int) -> tuple[date, date]:
    """Return the first and last day, to the hour, at which the line with its error can be the target."""
    days = np.arange(len(values)) - float(today)
    slope, mean = np.polyfit(days - days.mean(), values, 1)
    left = values - mean - slope * (days - days.mean())
    scatter = np.sqrt((left**2).sum() / (len(values) - 2))
    hours = np.arange(0, 400, 1 / 24) - days.mean()
    error = scatter * np.sqrt(1 / len(values) + hours**2 / ((days - days.mean()) ** 2).sum())
    possible = np.flatnonzero(np.abs(mean + slope * hours - target) <= error)
    now = NOW + timedelta(days=today)
    return after(possible[0] / 24, now), after(possible[-1] / 24, now)


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_is_that_of_the_line_with_its_error(seed: int) -> None:
    """Found by trying every hour."""
    values = (3.5 + 0.1 * np.arange(12) + 0.15 * np.random.default_rng(seed).standard_normal(12)).tolist()
    found = told(a_series(values), gate=Level.MINIMUM, now=NOW + timedelta(days=11))
    assert found is not None
    first, last = brute(values, 8.0, 11)
    assert found.latest is not None
    assert abs((found.earliest - first).days) <= 1
    assert abs((found.latest - last).days) <= 1


def test_the_level_is_that_of_the_line_tonight() -> None:
    """Neither that of its middle, nor tomorrow's."""
    found = told(a_series([4.3 + 0.1 * day for day in range(10)]))
    assert found == Forecast(Level.MINIMUM, after(28), after(28), after(28))
    late = told(a_series([4.08 + 0.1 * day for day in range(10)]))
    assert late is not None
    assert late.level is Level.DESIGN
    assert late.when == after(0.2)


def test_tonight_counts_and_four_nights_are_enough() -> None:
    """The last night is part of the line."""
    found = told(a_series([3.5, 3.6, 3.7, 3.8]), now=NOW + timedelta(days=3))
    assert found is not None
    assert found.when == after(12, NOW + timedelta(days=3))
    assert told(a_series([3.5, 3.6, 3.7, None]), now=NOW + timedelta(days=3)) is None


def test_the_first_day_is_not_before_tonight() -> None:
    """However uncertain the line, it has not crossed yet; tonight is possible."""
    values = [3.5, 4.5, 3.7, 4.9, 4.1, 5.1, 4.3, 4.9, 4.6]
    now = NOW + timedelta(days=8)
    found = told(a_series(values), now=now)
    assert found is not None
    assert found.earliest == now.date()


def test_a_metric_best_at_zero_that_rises_keeps_its_sign() -> None:
    """Only what is negative now is turned round."""
    series = replace(RISING, direction=Direction.ZERO)
    for end in (0.0, 0.5):
        assert told(series, replace(DRIFT, after=end)) == told()
