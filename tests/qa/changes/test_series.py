from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.changes import Budget, HistoryError, Series, State, advance, dump, extend, load, scan, scan_many
from qa.judging.judged import Shift, ShiftKind
from qa.metrics.base import Direction
from qa.model import HistoryPoint, Scope
from qa.testing import NOW

SCOPE = Scope("testcam", "twin", "r", 0)
LOOSE = Budget(series=30)


def nights(values: list[float | None], epochs: list[str] | None = None) -> list[HistoryPoint]:
    """Return a night a day."""
    known = epochs or [""] * len(values)
    return [
        HistoryPoint(f"run{day}", NOW + timedelta(days=day), value, None, epoch)
        for day, (value, epoch) in enumerate(zip(values, known, strict=True))
    ]


def a_series(values: list[float | None], direction: Direction = Direction.LOWER, **more: list[str]) -> Series:
    """Build a series of a night a day."""
    return Series("PA1", SCOPE, direction, nights(values, **more))


def found(values: list[float | None], budget: Budget | None = None, **more: list[str]) -> list[tuple[str, int, int]]:
    """Return kind, first day and day of finding of everything that is found."""
    shifts = scan(a_series(values, **more), budget)
    return [(str(one.kind), (one.began - NOW).days, (one.found - NOW).days) for one in shifts]


def noise(nights: int = 120, seed: int = 5) -> np.ndarray:
    """Return Gaussian noise of one unit."""
    return np.random.default_rng(seed).standard_normal(nights)


def folded(series: Series, budget: Budget | None = None) -> tuple[State | None, tuple[Shift, ...]]:
    """Advance night by night, the state going through JSON in between."""
    state, shifts = None, ()
    for point in series.points:
        one = {"metric": series.metric, "scope": series.scope, "direction": series.direction}
        after, more = advance(None if state is None else load(dump(state)), point, **one, budget=budget)
        state, shifts = after, shifts + more
    return state, shifts


A_VALUE = st.one_of(st.none(), st.integers(0, 3).map(float), st.floats(-5, 5), st.just(40.0))
A_STRETCH = st.tuples(st.sampled_from(["noise", "same", "any"]), st.floats(-9, 9), st.integers(1, 60))


@st.composite
def any_series(draw: st.DrawFn) -> Series:
    """Draw stretches of noise, of equal values and of anything, with gaps and epochs."""
    values: list[float | None] = []
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for kind, level, length in draw(st.lists(A_STRETCH, max_size=4)):
        if kind == "noise":
            values += (level + rng.standard_normal(length)).tolist()
        elif kind == "same":
            values += [level] * length
        else:
            values += draw(st.lists(A_VALUE, max_size=12))
    cut = draw(st.integers(0, 200))
    return a_series(values, epochs=["a" if day < cut else "b" for day in range(len(values))])


@settings(max_examples=60, deadline=None)
@given(any_series())
def test_a_history_at_once_is_the_same_as_night_by_night(series: Series) -> None:
    """Shifts and state are the same to the bit, and the state survives JSON."""
    state, shifts = folded(series, LOOSE)
    assert extend(None, series, LOOSE) == (state, shifts)


@settings(max_examples=40, deadline=None)
@given(any_series(), st.floats(0.01, 100), st.integers(-40, 40))
def test_another_unit_changes_no_finding(series: Series, size: float, power: int) -> None:
    """Nights, kinds and significance do not depend on a factor of two to any power: rounding apart, on no unit."""
    factor = 2.0**power
    points = [replace(one, value=None if one.value is None else one.value * factor) for one in series.points]
    plain, scaled = scan(series, LOOSE), scan(replace(series, points=points), LOOSE)
    assert [replace(one, before=0, after=0, slope=None) for one in plain] == [
        replace(one, before=0, after=0, slope=None) for one in scaled
    ]
    assert [one.after * factor for one in plain] == [one.after for one in scaled]


def test_a_step_is_found_within_three_nights() -> None:
    """Of three spreads of Gaussian noise: when it began, between which levels, how large in spreads, how sure."""
    values = noise(seed=6) + 10
    values[60:] += 4
    (step,) = scan(a_series(values.tolist()))
    assert step.kind is ShiftKind.STEP
    assert step.began == NOW + timedelta(days=60)
    assert NOW + timedelta(days=61) <= step.found <= NOW + timedelta(days=63)
    assert step.before == pytest.approx(10, abs=0.4)
    assert step.after == pytest.approx(14, abs=1.5)
    assert step.sigma == pytest.approx((step.after - step.before) / 1.0, rel=0.3)
    assert 0 < step.chance < 0.05
    assert step.slope is None
    assert (step.metric, step.scope) == ("PA1", SCOPE)


def test_unchanged_noise_gives_no_report() -> None:
    """Neither at once nor in years."""
    assert found(noise(2000).tolist()) == []


def test_a_drift_is_found_before_it_ends() -> None:
    """A slow rise is called one, from about its first night, with its slope a day; what follows has its name."""
    values = noise(160, seed=6)
    values[60:120] += np.arange(1, 61) * 0.2
    values[120:] += 12
    shifts = scan(a_series(values.tolist()))
    first = shifts[0]
    assert first.kind is ShiftKind.DRIFT
    assert abs((first.began - NOW).days - 60) <= 8
    assert (first.found - NOW).days < 90
    assert first.sigma == pytest.approx(first.after - first.before, rel=0.3)
    assert 0 < first.chance < 0.05
    assert first.slope == pytest.approx(0.2, rel=0.5)
    assert first.slope == (first.after - first.before) / (first.found - first.began).days
    again = [one for one in shifts[1:] if one.kind is ShiftKind.DRIFT]
    assert again
    assert {(one.began, one.before) for one in again} == {(first.began, first.before)}
    assert again[-1].after > first.after


def test_a_drift_the_other_way_is_another() -> None:
    """What rises and then falls has two drifts."""
    values = noise(200) * 0.5
    values[60:100] += np.arange(40) * 0.25
    values[100:] += 10 - np.minimum(np.arange(100), 40) * 0.25
    drifts = [one for one in scan(a_series(values.tolist())) if one.kind is ShiftKind.DRIFT]
    assert len({one.began for one in drifts}) >= 2
    assert {one.slope > 0 for one in drifts if one.slope} == {True, False}


def test_a_spike_is_told_when_it_is_over() -> None:
    """One night far out is no step: it is reported the night after, with its value, once."""
    values = noise().tolist()
    values[80] = 30.0
    (spike,) = scan(a_series(values))
    assert spike.kind is ShiftKind.SPIKE
    assert (spike.began - NOW).days == 80
    assert (spike.found - NOW).days == 81
    assert spike.after == 30.0
    assert spike.before == pytest.approx(0, abs=0.4)
    assert 20 < spike.sigma < 40
    assert 0 < spike.chance < 0.01


def test_two_nights_far_out_are_one_spike() -> None:
    """It begins with the first of them."""
    values = noise(seed=6).tolist()
    values[80], values[81] = 30.0, -30.0
    assert found(values) == [("spike", 80, 82)]


def test_spikes_of_a_series_known_for_them_are_no_news() -> None:
    """The first is told; once it is known how far out values may be, the same again is not."""
    values = noise(200)
    values[70:190:10] += 15
    assert found(values.tolist()) == [("spike", 70, 71)]


def test_a_deviation_that_stays_is_a_step_and_no_spike() -> None:
    """However far out."""
    values = noise()
    values[80:] += 30
    assert [(kind, began) for kind, began, _ in found(values.tolist())] == [("step", 80)]


def test_a_gap_is_told_once() -> None:
    """The first night without a value after one with: NaN and None are the same, and a second gap is another."""
    values = [1.0, 2.0, None, float("nan"), 3.0, None]
    shifts = scan(a_series(values))
    assert [(str(one.kind), (one.began - NOW).days) for one in shifts] == [("gap", 2), ("gap", 5)]
    assert [(one.before, one.after, one.sigma, one.chance, one.slope) for one in shifts] == [
        (2.0, 2.0, 0.0, 0.0, None),
        (3.0, 3.0, 0.0, 0.0, None),
    ]


def test_what_was_never_measured_has_no_gap() -> None:
    """Only a value that was there can be missing."""
    assert found([None, None, 1.0]) == []
    assert found([None, 1.0, None]) == [("gap", 2, 2)]


def test_a_changed_bit_of_a_series_without_noise_is_a_step_at_once() -> None:
    """Twins repeat the same bits: no second night is needed, before nor after."""
    assert found([5.0] * 3 + [5.0001]) == [("step", 3, 3)]
    assert found([5.0] * 9 + [5.1] * 2 + [5.2]) == [("step", 9, 9), ("step", 11, 11)]
    (step,) = scan(a_series([5.0] * 4 + [5.5]))
    assert (step.before, step.after, step.chance) == (5.0, 5.5, 0.0)
    assert step.sigma == pytest.approx(0.5 / (1e-9 * 5.5))


def test_zero_may_be_the_value_of_a_series_without_noise() -> None:
    """Nothing is divided by it."""
    assert found([0.0] * 30) == []
    assert found([0.0] * 30 + [1e-12]) == [("step", 30, 30)]


def test_two_equal_values_make_no_series_without_noise() -> None:
    """Nor does one that jumps to and fro say so every night."""
    assert found([5.0, 5.0, 5.1]) == []
    assert len(found([5.0, 5.0, 5.0] + [5.1, 5.0] * 20)) <= 2


def test_equal_values_after_noise_prove_nothing_at_first() -> None:
    """Of a series known to have noise twenty equal ones are asked for."""
    values = noise(60).round(2).tolist()
    at_first = [value for value in found(values + [9.0] * 10 + [9.01]) if value[2] == 70]
    assert at_first == []
    assert found(values + [9.0] * 25 + [9.01])[-1] == ("step", 85, 85)


def test_rounding_is_no_change() -> None:
    """Values that differ in the last digits only are equal, with noise and without."""
    assert found([0.3] * 20 + [0.1 + 0.2] * 5 + [0.3 * (1 + 9e-10)]) == []
    assert found([0.3] * 20 + [0.3 * (1 + 2e-9)]) == [("step", 20, 20)]
    assert found([5.0, 6.0, *([5.0] * 250), *([5.0 + 1e-14] * 9)]) == []


def test_a_known_break_starts_anew() -> None:
    """Another data set is no regression, and the noise of the old one says nothing of the new."""
    values = noise()
    values[60:] += 50
    assert found(values.tolist(), epochs=["a"] * 60 + ["b"] * 60) == []
    assert found([5.0] * 9 + [6.0] * 9, epochs=["a"] * 9 + ["b"] * 9) == []


def test_a_night_without_a_value_has_no_epoch() -> None:
    """The series goes on where it was."""
    shifts = found([5.0] * 9 + [None] + [6.0], epochs=["a"] * 9 + ["", "a"])
    assert shifts == [("gap", 9, 9), ("step", 10, 10)]
    assert found([5.0] * 9 + [None] + [6.0], epochs=["a"] * 9 + ["", "b"]) == [("gap", 9, 9)]


@pytest.mark.parametrize(
    ("direction", "before", "after", "sign"),
    [
        (Direction.LOWER, 1.0, 2.0, 1),
        (Direction.LOWER, 2.0, 1.0, -1),
        (Direction.LOWER, -1.0, -2.0, -1),
        (Direction.HIGHER, -1.0, -2.0, 1),
        (Direction.HIGHER, 1.0, 2.0, -1),
        (Direction.HIGHER, 2.0, 1.0, 1),
        (Direction.ZERO, 1.0, 2.0, 1),
        (Direction.ZERO, 2.0, -1.0, -1),
        (Direction.ZERO, -1.0, 1.0, 1),
        (Direction.ZERO, -1.0, -2.0, 1),
    ],
)
def test_sigma_is_positive_when_worse(direction: Direction, before: float, after: float, sign: int) -> None:
    """Which way is worse depends on the metric; what is best at zero got worse unless it came nearer."""
    (step,) = scan(a_series([before] * 5 + [after], direction))
    assert step.sigma == pytest.approx(sign * abs(after - before) / (1e-9 * max(abs(before), abs(after))))


def test_nights_out_of_order_are_refused() -> None:
    """With the run, what was required and what was found; nothing is remembered of them."""
    series = a_series([1.0, 2.0, 3.0])
    first, second, third = series.points
    swapped = replace(series, points=[second, first, third])
    with pytest.raises(HistoryError, match=r"history, run run0: must be later than 2026-03-02 01:00:00\+00:00, got"):
        scan(swapped)
    state, _ = extend(None, series)
    with pytest.raises(HistoryError, match="run run2: must be later than 2026-03-03"):
        extend(state, replace(series, points=[third]))
    with pytest.raises(HistoryError, match="run run1"):
        extend(state, replace(series, points=[second]))
    with pytest.raises(HistoryError, match="run run9"):
        scan(replace(series, points=[first, replace(first, run_id="run9")]))


def test_an_infinite_value_is_refused() -> None:
    """One line says which."""
    with pytest.raises(HistoryError, match="run run1: PA1 of testcam/twin/r/t0 must be finite, got -inf"):
        scan(a_series([1.0, float("-inf"), float("inf")]))


def test_no_night_is_no_change() -> None:
    """An empty history has no state; nothing new leaves the state as it was."""
    assert extend(None, a_series([])) == (None, ())
    state, _ = extend(None, a_series([1.0]))
    assert extend(state, a_series([])) == (state, ())


def test_many_series_are_read_one_after_the_other() -> None:
    """The changes of all of them, in the order of the series."""
    one, two = a_series([5.0] * 5 + [6.0]), replace(a_series([1.0] * 4 + [2.0]), metric="AM1")
    assert scan_many([one, two]) == scan(one) + scan(two)
    values = noise(seed=2)
    values[60:] += 1.5
    assert len({scan_many([a_series(values.tolist())], Budget(series=many)) for many in (1, 500, 10**7)}) == 3


def test_the_state_stays_small() -> None:
    """However long the history: some kilobytes, so that a night costs what is new."""
    short, _ = extend(None, a_series(noise(400).tolist()))
    long, _ = extend(None, a_series(noise(4000).tolist()))
    assert short is not None
    assert long is not None
    assert len(dump(long)) < 1.05 * len(dump(short)) < 10_000
