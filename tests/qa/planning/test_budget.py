from __future__ import annotations

from datetime import date, timedelta

from qa.model import Lane, Plan, Trigger
from qa.plan import NO_ROOM, make_plan
from qa.planning.budget import Hours, within_budget
from qa.planning.estimate import Experience
from qa.testing import NOW, a_camera

NIGHT = timedelta(days=1)
CAMERAS = [a_camera("a"), a_camera("b"), a_camera("c"), a_camera("orphan", until=date(2026, 2, 1))]


def _known(**hours: float) -> Experience:
    return Experience({(name, "twin"): ((took, True),) for name, took in hours.items()}, {})


def _plan(
    *, budget: float | None, ages: dict[str, int], known: Experience, slots: int = 1, asked: tuple[str, ...] = ()
) -> Plan:
    last = {name: NOW - days * NIGHT for name, days in ages.items()}
    whole = make_plan(
        CAMERAS,
        run_id="r",
        lane=Lane.NIGHTLY,
        trigger=Trigger(),
        created=NOW,
        last_coadds=last,
        asked=asked,
    )
    return within_budget(whole, CAMERAS, hours=Hours(budget, slots), known=known, last_coadds=last)


def test_a_night_without_a_budget_takes_every_camera_and_says_how_the_promises_stand() -> None:
    """Also of those that nobody measured for long, and not of one without a sponsor."""
    plan = _plan(budget=None, ages={"a": 1, "b": 9, "orphan": 30}, known=_known())
    assert set(plan.cameras) == {"a", "b", "c", "orphan"}
    told = {one.camera: one for one in plan.promises}
    assert {name: one.kept for name, one in told.items()} == {"a": True, "b": False, "c": False}
    assert told["b"].reason == "last measured 2026-02-20 01:00 UTC, in no run before"
    assert told["c"].due is None


def test_a_budget_leaves_the_cameras_that_are_least_due_to_another_night_and_says_so() -> None:
    """With the hours a camera takes and those that are left."""
    plan = _plan(budget=5.0, ages={"a": 1, "b": 6, "c": 3, "orphan": 30}, known=_known(a=3.0, b=2.0, c=2.5, orphan=1.0))
    assert plan.cameras == ("b", "c")
    assert {one.camera: one.reason for one in plan.not_run} == {
        "a": f"{NO_ROOM} of 5 h: takes about 3 h, 0.5 h are left",
        "orphan": f"{NO_ROOM} of 5 h: takes about 1 h, 0.5 h are left",
    }
    assert plan.budget_hours == 5.0
    assert all(one.kept for one in plan.promises)


def test_hours_of_a_night_are_shared_by_the_slots_that_work_side_by_side() -> None:
    """Two slots do in an hour what one does in two."""
    ages, known = dict.fromkeys(("a", "b", "c"), 5), _known(a=4.0, b=4.0, c=4.0, orphan=4.0)
    assert len(_plan(budget=4.0, ages=ages, known=known).cameras) == 1
    assert len(_plan(budget=4.0, ages=ages, known=known, slots=2).cameras) == 2


def test_a_camera_longer_than_a_night_is_told_to_break_its_promise() -> None:
    """Before it is broken."""
    plan = _plan(budget=2.0, ages={"a": 2, "b": 2, "c": 2}, known=_known(a=3.0, b=0.5, c=0.5))
    told = {one.camera: one for one in plan.promises}
    assert not told["a"].kept
    assert told["a"].reason == "it takes about 3.0 h, more than the 2 h of a night"
    assert told["b"].kept
    (missed,) = [one for one in plan.not_run if one.camera == "a"]
    assert "more than a whole night" in missed.reason


def test_nights_that_are_too_short_for_what_is_due_are_told_with_figures() -> None:
    """How many nights, how many hours they have, and what all cameras take."""
    plan = _plan(budget=3.0, ages={"a": 6, "b": 6, "c": 6}, known=_known(a=2.0, b=2.0, c=2.0))
    broken = [one for one in plan.promises if not one.kept]
    assert len(broken) == 2
    expected = "what is due asks more of tonight than their 3 h each; the sponsored cameras take about 6.0 h together"
    assert {one.reason for one in broken} == {expected}


def test_a_camera_that_nobody_asked_for_is_promised_nothing_tonight() -> None:
    """One night of one camera says nothing of the others."""
    plan = _plan(budget=None, ages={"a": 9, "b": 9, "c": 9}, known=_known(), asked=("a",))
    assert [one.camera for one in plan.promises] == ["a"]
