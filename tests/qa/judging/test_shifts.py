from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from qa.changes import Budget, load
from qa.judging.judged import Shift, ShiftKind
from qa.judging.shifts import Told, changes, shifts_of
from qa.metrics.base import Direction
from qa.model import Lane, Measurement, Plan, Scope, Stage, Step, Trigger, Unmeasured
from qa.record import Measured, RunRecord
from qa.store import SqlStore
from qa.testing import NOW, MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from qa.store import Store

SCOPE = Scope("testcam", "twin", "r", 0)
DIRECTIONS = {"PA1": Direction.LOWER, "AM1": Direction.LOWER}
LATER = NOW + timedelta(days=999)


def a_run(day: int, value: float | None, *, metric: str = "PA1", unit: str = "mmag", **facts: str) -> RunRecord:
    """Build a night that measured one metric, or could not."""
    when = NOW + timedelta(days=day)
    result = Unmeasured(metric, SCOPE, "cloud")
    measured = result if value is None else Measurement(metric, SCOPE, value, unit, 100, 0.1)
    plan = Plan(f"run{day}", Lane.NIGHTLY, Trigger(), when, (Step("testcam", "twin", Stage.MEASURE),))
    data = {("testcam", "twin"): Measured("testcam", "twin", (measured,))}
    return RunRecord(plan, {name.replace("_", " "): one for name, one in facts.items()}, when, measured=data)


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return each kind of store in turn."""
    return MemoryStore() if request.param == "memory" else SqlStore.beside(tmp_path)


def night(store: Store, record: RunRecord, now: datetime = LATER) -> Told:
    """Judge a night and put it into the history, as a run does."""
    told = shifts_of(store, record, DIRECTIONS, now=now)
    store.save(record)
    return told


def nights(store: Store, values: list[float | None]) -> list[Told]:
    """Judge a night a day."""
    return [night(store, a_run(day, value)) for day, value in enumerate(values)]


def steps(told: Told) -> list[tuple[str, int]]:
    """Return kind and first day of what was found."""
    return [(str(one.kind), (one.began - NOW).days) for one in told.shifts]


def test_a_change_is_told_in_the_night_it_is_found(store: Store) -> None:
    """And in no other."""
    told = nights(store, [5.0, 5.0, 5.0, 5.0, 6.0, 6.0])
    assert [steps(one) for one in told] == [[], [], [], [], [("step", 4)], []]
    (shift,) = told[4].shifts
    assert isinstance(shift, Shift)
    assert (shift.metric, shift.scope, shift.before, shift.after) == ("PA1", SCOPE, 5.0, 6.0)
    assert all(one.notes == () for one in told)


def test_judging_a_run_again_tells_the_same(store: Store) -> None:
    """As often as one likes, its values corrected or not, and the nights after it find what they would have."""
    nights(store, [5.0, 5.0, 5.0, 5.0])
    for _ in range(3):
        assert steps(night(store, a_run(4, 6.0))) == [("step", 4)]
    assert steps(night(store, a_run(4, 5.0))) == []
    assert steps(night(store, a_run(5, 5.5))) == [("step", 5)]


def test_the_first_night_may_be_judged_again(store: Store) -> None:
    """There is no state before it."""
    assert nights(store, [5.0])[0] == night(store, a_run(0, 5.0)) == Told(())
    assert store.states()["PA1", SCOPE].before is None


def test_states_are_kept_with_their_run(store: Store) -> None:
    """The one before and the one after it."""
    nights(store, [5.0, 5.0, 5.0])
    kept = store.states()["PA1", SCOPE]
    assert (kept.run_id, kept.started) == ("run2", NOW + timedelta(days=2))
    assert kept.before is not None
    assert load(kept.before).level.count == 2
    assert load(kept.after).level.count == 3


def test_a_history_without_states_is_read_once(store: Store) -> None:
    """Runs that were put into the history otherwise count, before the first judged night and between two."""
    for day in range(4):
        store.save(a_run(day, 5.0))
    assert steps(night(store, a_run(4, 5.0))) == []
    store.save(a_run(5, 5.0))
    assert steps(night(store, a_run(6, 6.0))) == [("step", 6)]
    kept = store.states()["PA1", SCOPE]
    assert kept.before is not None
    assert load(kept.before).level.count == 6


def test_a_run_before_one_judged_already_changes_nothing_kept(store: Store) -> None:
    """Clocks differ, old runs are judged again: its changes are told from the nights before it, in one line."""
    nights(store, [5.0, 5.0, 5.0, 5.0, 6.0, 6.0])
    kept = dict(store.states())
    told = night(store, a_run(4, 6.0))
    assert steps(told) == [("step", 4)]
    assert told.notes == (
        (
            f"run run4 started at {NOW + timedelta(days=4)}, before one judged already ({NOW + timedelta(days=5)}): "
            "its changes are told from the nights before it"
        ),
    )
    assert dict(store.states()) == kept
    assert steps(night(store, a_run(6, 7.0))) == [("step", 6)]


def test_a_run_in_the_future_does_not_count_for_later_nights(store: Store) -> None:
    """A clock that was wrong once must not silence the detector until then."""
    nights(store, [5.0, 5.0, 5.0])
    told = shifts_of(store, a_run(900, 6.0), DIRECTIONS, now=NOW + timedelta(days=3))
    assert steps(told) == [("step", 900)]
    assert told.notes == (
        (
            f"run run900 started at {NOW + timedelta(days=900)}, which is after now, {NOW + timedelta(days=3)}: "
            "check the clock; the change detector does not count it for later nights"
        ),
    )
    store.save(a_run(900, 6.0))
    assert steps(night(store, a_run(3, 6.0))) == [("step", 3)]
    slightly = NOW + timedelta(days=4) - timedelta(hours=1)
    assert night(store, a_run(4, 6.0), now=slightly).notes == ()


def test_two_runs_of_one_start_are_told(store: Store) -> None:
    """The detector takes the later by name, and goes on."""
    for day in range(4):
        store.save(a_run(day, 5.0))
    twin = a_run(3, 9.0)
    store.save(replace(twin, plan=replace(twin.plan, run_id="also3")))
    told = night(store, a_run(4, 6.0))
    assert steps(told) == [("step", 4)]
    assert told.notes == ("run also3 started at the same time as another: the change detector leaves it out",)


def test_a_damaged_state_is_made_anew(store: Store) -> None:
    """From the history, and one line says so."""
    nights(store, [5.0, 5.0, 5.0, 5.0])
    store.save_states({key: replace(one, after="nonsense") for key, one in store.states().items()})
    told = night(store, a_run(4, 6.0))
    assert steps(told) == [("step", 4)]
    assert len(told.notes) == 1
    assert told.notes[0].startswith("state of the change detector: must be JSON")
    assert told.notes[0].endswith("it is made anew from the history")
    assert steps(night(store, a_run(5, 7.0))) == []


def test_a_metric_a_run_says_nothing_of_is_a_gap(store: Store) -> None:
    """Where its data set was measured: once."""
    nights(store, [5.0, 5.0, 5.0])
    other = [night(store, a_run(day, 1.0, metric="AM1")) for day in (3, 4)]
    assert [[(one.metric, one.kind) for one in told.shifts] for told in other] == [[("PA1", ShiftKind.GAP)], []]
    assert steps(night(store, a_run(5, None))) == [("gap", 5)]


def test_an_outage_is_no_gap(store: Store) -> None:
    """A data set that was not measured at all is one finding elsewhere, not one of each metric."""
    nights(store, [5.0, 5.0, 5.0])
    assert night(store, replace(a_run(3, None), measured={})) == Told(())


def test_another_data_set_or_unit_starts_anew(store: Store) -> None:
    """Known breaks are no changes, after the night of the break either."""
    for day in range(4):
        night(store, a_run(day, 5.0, **{"data testcam/twin": "a"}))
    assert steps(night(store, a_run(4, 6.0, **{"data testcam/twin": "b"}))) == []
    for day in (5, 6, 7):
        night(store, a_run(day, 6.0, **{"data testcam/twin": "b"}))
    assert steps(night(store, a_run(8, 0.006, unit="mag", **{"data testcam/twin": "b"}))) == []
    points = store.history()["PA1", SCOPE]
    assert len({one.epoch for one in points}) == 3


def test_series_without_a_definition_are_left_out(store: Store) -> None:
    """Which way is better must be known."""
    record = a_run(0, 5.0, metric="unheard-of")
    assert shifts_of(store, record, DIRECTIONS, now=LATER) == Told(())
    assert store.states() == {}


def test_the_budget_may_be_given() -> None:
    """What takes a stricter budget more nights is found sooner under a looser one."""
    ripple = [5.0, 5.5, 4.6, 5.2, 4.7, 5.4, 4.9, 5.1, 4.5, 5.3] * 6

    def found(budget: Budget) -> int:
        fresh = MemoryStore()
        for day, value in enumerate(ripple + [6.2] * 9):
            if shifts_of(fresh, a_run(day, value), DIRECTIONS, now=LATER, budget=budget).shifts:
                return day
            fresh.save(a_run(day, value))
        return 99

    assert found(Budget(series=2)) < found(Budget(series=10**6)) < 99


def test_a_whole_history_is_read_at_once(store: Store) -> None:
    """All changes of all series of which it is known which way is better, and what was odd."""
    told = nights(store, [5.0, 5.0, 5.0, 5.0, 6.0])
    store.save(a_run(9, 1.0, metric="unheard-of"))
    assert changes(store.history(), DIRECTIONS) == told[4]
    twin = a_run(3, 9.0)
    store.save(replace(twin, plan=replace(twin.plan, run_id="also3")))
    assert changes(store.history(), DIRECTIONS).notes == (
        "run also3 started at the same time as another: the change detector leaves it out",
    )


def test_a_history_may_be_asked_for_since_a_time(store: Store) -> None:
    """Of the runs started after it."""
    nights(store, [5.0, 5.0, 5.0])
    points = store.history(after=NOW + timedelta(days=1))["PA1", SCOPE]
    assert [one.run_id for one in points] == ["run2"]
