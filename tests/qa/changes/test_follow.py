from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from qa.changes.budget import Budget, far_out
from qa.changes.follow import Found, Values, follow
from qa.changes.noise import learn
from qa.changes.state import Level
from qa.judging.judged import ShiftKind
from qa.testing import NOW

BUDGET = Budget()


def dates(count: int, start: int = 0) -> list[datetime]:
    """Return a date a day."""
    return [NOW + timedelta(days=start + day) for day in range(count)]


def noise(count: int = 120, seed: int = 6) -> np.ndarray:
    """Return Gaussian noise of five units about a hundred."""
    return 100 + 5 * np.random.default_rng(seed).standard_normal(count)


def one_by_one(values: np.ndarray, level: Level | None = None) -> tuple[Level, list[Found]]:
    """Follow a night at a time."""
    level, found = level or Level(), list[Found]()
    for value, night in zip(values, dates(len(values)), strict=True):
        level, taken, more = follow(level, Values(np.array([value]), [night]), BUDGET)
        assert taken == 1
        found += more
    return level, found


def days(found: list[Found]) -> list[tuple[str, int, int]]:
    """Return kind, first day and day of finding."""
    return [(str(one.kind), (one.began - NOW).days, (one.found - NOW).days) for one in found]


def test_values_are_taken_up_to_a_change() -> None:
    """What comes after belongs to the next level, which begins with the values since the change."""
    values = noise()
    values[80:] += 60
    level, taken, found = follow(Level(), Values(values, dates(120)), BUDGET)
    (step,) = found
    assert taken == (step.found - NOW).days + 1 < 120
    since = taken - (step.began - NOW).days
    assert level.count == len(level.values) == len(level.nights) == since
    assert level.values == tuple(values[taken - since : taken])
    assert level.nights == tuple(dates(since, taken - since))
    assert level.shocks == level.noise == ()
    assert level.carried == learn(values, np.array([taken - since])).row(0)


def test_spikes_are_measured_from_the_level_in_spreads() -> None:
    """Whatever level and spread; a known distance is no news night by night either."""
    values = noise(200)
    values[70:190:10] = 230.0
    level, found = one_by_one(values)
    assert days(found) == [("spike", 70, 71)]
    assert level.wildest == pytest.approx(130, abs=3)
    (spike,) = found
    assert (spike.after, spike.before) == (230.0, pytest.approx(100, abs=2))
    assert spike.spread == pytest.approx(5, rel=0.3)


def test_a_spike_must_be_further_than_the_tail_promises() -> None:
    """It is told just beyond, and not just before, what its series asks for."""
    tame = 100 + 5 * np.clip(np.random.default_rng(6).standard_normal(120), -1.2, 1.2)
    for values in (noise(), tame):
        known = learn(values, np.array([80 - 18]))
        least = far_out(float(known.furthest[0]), 80 - 18)
        for factor, expected in ((0.97, []), (1.03, ["spike"]), (1.9, ["spike"])):
            peak = values.copy()
            peak[80] = known.level[0] + factor * least * known.spread[0]
            assert [kind for kind, _, _ in days(one_by_one(peak)[1])] == expected


def test_the_tail_is_not_judged_by_a_few_values() -> None:
    """Before, nothing is called a spike."""
    for night, expected in ((30, []), (60, ["spike"])):
        values = noise()
        values[night] = 400.0
        assert [kind for kind, _, _ in days(one_by_one(values)[1])] == expected


def test_the_largest_spike_is_remembered_over_a_step() -> None:
    """Spikes of the new level are no news either."""
    values = noise(200)
    values[70] = 230.0
    values[90:] += 60
    level, found = one_by_one(values)
    assert [kind for kind, _, _ in days(found)] == ["spike", "step"]
    assert level.wildest == pytest.approx(130, abs=3)


def a_level(late: np.ndarray, count: int, drift: float | None = None) -> Level:
    """Return a level of known noise that is about to be left, with the last values but one."""
    values = np.concatenate([noise(60, seed=3), late])[:-1]
    strict = Budget(1e-9)
    level, _, found = follow(Level(), Values(values, dates(len(values))), strict)
    assert found == []
    return replace(level, count=count - 1, drift=None if drift is None else (NOW - timedelta(days=30), drift))


@pytest.mark.parametrize(
    ("count", "before", "same"),
    [(64, 50.0, True), (65, 50.0, False), (64, 150.0, False), (64, None, False)],
    ids=["goes on", "too late", "turned round", "first"],
)
def test_a_drift_goes_on_for_some_nights(count: int, before: float | None, same: bool) -> None:  # noqa: FBT001
    """It keeps its beginning when it is found again the same way, before a level has lasted too long."""
    late = 100 + 1.3 * np.arange(1, 13)
    level = a_level(late, count, before)
    _, _, (drift,) = follow(level, Values(late[-1:], dates(1, 71)), Budget(1000, series=1))
    assert drift.kind is ShiftKind.DRIFT
    assert (drift.began == NOW - timedelta(days=30)) == same
    assert (drift.before == before) == same
    assert drift.after == pytest.approx(116, abs=5)
    assert drift.spread == pytest.approx(5, rel=0.3)


def test_a_drift_down_is_one_as_well() -> None:
    """Signs do not matter."""
    late = 100 - 1.3 * np.arange(1, 13)
    _, _, (drift,) = follow(a_level(late, 72), Values(late[-1:], dates(1, 71)), Budget(1000, series=1))
    assert drift.kind is ShiftKind.DRIFT
    assert drift.after == pytest.approx(84, abs=5)


def test_a_step_of_bits_begins_a_level() -> None:
    """Of one value and its night, known to repeat."""
    level, taken, (step,) = follow(Level(), Values(np.array([5.0] * 4 + [6.0, 6.0]), dates(6)), BUDGET)
    assert taken == 5
    assert level == Level(1, (6.0,), (NOW + timedelta(days=4),), quiet=True)
    assert (step.before, step.after, step.spread) == (5.0, 6.0, 1e-9 * 6.0)
    again, _, found = follow(level, Values(np.array([6.0, 5.0]), dates(2, 5)), BUDGET)
    assert [(one.before, one.after, one.spread) for one in found] == [(6.0, 5.0, 1e-9 * 6.0)]
    assert again.quiet


def test_what_is_learnt_is_older_than_what_is_judged() -> None:
    """A quarter of the first values, later the last two dozen, wait until they are known to be of the level."""
    for count, held in ((8, 0), (9, 1), (13, 2), (56, 12), (112, 24), (176, 24)):
        values = noise(count + 1)
        level, _, _ = follow(Level(), Values(values, dates(count + 1)), BUDGET)
        assert level.noise == learn(values, np.array([count - held])).row(0)
