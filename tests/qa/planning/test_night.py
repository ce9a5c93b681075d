from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from qa.planning.night import NIGHTLY, WEEK, Candidate, choose, is_overdue
from qa.planning.simulation import Sky, simulate
from qa.planning.timetable import Item, timetable

NOW = datetime(2026, 3, 1, 1, tzinfo=UTC)
DAYS = st.integers(0, 30).map(lambda days: NOW - timedelta(days=days))
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.just(""),
        st.floats(0.1, 10),
        last=st.none() | DAYS,
        tried=st.none() | DAYS,
        promised=st.booleans(),
    ),
    max_size=8,
).map(lambda found: [_named(one, f"c{number}") for number, one in enumerate(found)])


def _named(one: Candidate, name: str) -> Candidate:
    return Candidate(name, one.hours, last=one.last, tried=one.tried, promised=one.promised)


@given(CANDIDATES, st.floats(0.5, 24))
def test_a_night_is_never_planned_longer_than_its_budget(candidates: list[Candidate], budget: float) -> None:
    """And what is left over has room for no camera that was left out."""
    choice = choose(candidates, now=NOW, budget=budget)
    hours = {one.name: one.hours for one in candidates}
    used = sum(hours[name] for name in choice.taken)
    assert used <= budget + 1e-4
    assert len(set(choice.taken)) == len(choice.taken)
    assert all(hours[name] > budget - used - 1e-4 for name in hours if name not in choice.taken)


@given(CANDIDATES, st.floats(0.5, 24))
def test_the_longest_overdue_sponsored_camera_comes_first(candidates: list[Candidate], budget: float) -> None:
    """As long as it fits into a night, and was not tried in vain within the week."""
    fitting = [
        one for one in candidates if one.promised and one.hours <= budget and is_overdue(one, NOW) and one.tried is None
    ]
    if not fitting or any(one.promised and one.tried is not None for one in candidates):
        return
    longest = min(fitting, key=lambda one: (one.last is not None, one.last or NOW, one.hours, one.name))
    assert choose(candidates, now=NOW, budget=budget).taken[0] == longest.name


def test_a_camera_without_sponsor_takes_what_the_sponsored_leave() -> None:
    """However long it was not measured: nobody was promised that it would be."""
    orphan = Candidate("orphan", 2.0, promised=False)
    fresh = Candidate("fresh", 3.0, last=NOW - NIGHTLY)
    assert choose([orphan, fresh], now=NOW, budget=4).taken == ("fresh",)
    assert choose([orphan, fresh], now=NOW, budget=5).taken == ("fresh", "orphan")


def test_a_camera_that_only_fails_waits_its_turn() -> None:
    """It has what is left of every night, and a night of its own once a week, and starves nobody in between."""
    broken = Candidate("broken", 4.0, tried=NOW - NIGHTLY)
    due = Candidate("due", 3.0, last=NOW - WEEK + timedelta(hours=5))
    assert choose([broken, due], now=NOW, budget=5).taken == ("due",)
    assert choose([broken, due], now=NOW, budget=7).taken == ("due", "broken")
    waited = Candidate("broken", 4.0, tried=NOW - WEEK)
    assert choose([waited, due], now=NOW, budget=5).taken == ("broken",)


def test_a_camera_that_is_not_due_yet_is_taken_where_the_nights_ahead_would_be_too_full() -> None:
    """Two long cameras due in two nights, and nights that hold one each: one must go tonight."""
    soon = [Candidate(name, 4.0, last=NOW - WEEK + 2 * NIGHTLY) for name in ("a", "b")]
    other = Candidate("other", 3.0, last=NOW - 6 * NIGHTLY - timedelta(hours=1))
    choice = choose([*soon, other], now=NOW, budget=7)
    assert set(choice.taken) == {"a", "other"}
    assert not choice.ahead.unplaced


def _can_be_kept(ages: tuple[int, ...], slots: list[int]) -> bool:
    """Try every way to measure cameras, one slot each, so that none waits longer than six nights; all is known before.

    `ages` are the nights since each was measured, `slots` how many each night can take.
    """
    states = {ages}
    for room in slots:
        after = set()
        for state in states:
            for taken in combinations(range(len(state)), min(room, len(state))):
                after.add(tuple(1 if number in taken else age + 1 for number, age in enumerate(state)))
        states = {state for state in after if max(state) <= 7}
        if not states:
            return False
    return True


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4),
    st.lists(st.sampled_from([0, 0, 1, 1, 2]), min_size=4, max_size=14),
)
def test_with_equal_durations_no_plan_is_better_not_even_one_that_knows_the_outages(
    ages: list[int], slots: list[int]
) -> None:
    """Wherever any plan at all keeps every promise, this one does, night by night, without knowing what is to come."""
    last = {f"c{number}": NOW - age * NIGHTLY for number, age in enumerate(ages)}
    kept = True
    for night, room in enumerate(slots):
        now = NOW + night * NIGHTLY
        candidates = [Candidate(name, 1.0, last=when) for name, when in last.items()]
        taken = choose(candidates, now=now, budget=1.0 * room).taken if room else ()
        last |= dict.fromkeys(taken, now)
        kept = kept and all(now + NIGHTLY - when <= WEEK for when in last.values())
    assert kept or not _can_be_kept(tuple(ages), slots)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 16).map(lambda quarters: quarters / 4), min_size=1, max_size=10),
    st.floats(4, 10),
)
def test_where_a_timetable_exists_no_promise_is_ever_broken(hours: list[float], budget: float) -> None:
    """With nights of one length and steady durations; and where there is none, somebody's promise must break."""
    skies = [Sky(f"c{number}", lambda _night, steady=one: steady) for number, one in enumerate(hours)]
    items = [Item(sky.name, sky.hours(0), 5) for sky in skies]
    year = simulate(skies, start=NOW, nights=40, budget=budget, known=True)
    if not timetable(items, [budget] * 6).unplaced:
        assert year.broken == ()
    if sum(hours) > 7 * budget:
        assert year.broken
