from __future__ import annotations

import random
from datetime import UTC, datetime

from qa.planning.night import NIGHTLY, WEEK
from qa.planning.simulation import History, Sky, Year, _avoidable, lapse, simulate

START = datetime(2026, 1, 1, 1, tzinfo=UTC)
HOURS = (0.5, 0.8, 1.0, 1.2, 1.5, 1.5, 2.0, 2.0, 2.5, 3.0)
LONG_OUTAGE, SHORT_OUTAGE = range(200, 209), range(60, 62)


def _skies(*, spread: float) -> list[Sky]:
    """Ten cameras of 16 hours together, of which one loses its sponsor in spring and is retired in summer."""
    draws = random.Random(20260101)  # noqa: S311 - no secret
    took = {
        (name, night): one * draws.lognormvariate(0, spread) for name, one in enumerate(HOURS) for night in range(365)
    }
    skies = [Sky(f"c{name}", lambda night, name=name: took[name, night]) for name in range(len(HOURS))]
    return [*skies[:4], lapse(skies[4], night=100, retired=200), *skies[5:]]


def _year(budget: float, *, lost: set[int], spread: float = 0.1) -> Year:
    return simulate(_skies(spread=spread), start=START, nights=365, budget=budget, lost=lost, known=True)


def test_a_year_with_short_outages_keeps_every_promise() -> None:
    """Varying durations, a lapsing lease, single nights lost now and then and two in a row: none is broken."""
    lost = {*range(5, 365, 17), *SHORT_OUTAGE}
    assert _year(6.0, lost=lost).broken == ()


def test_an_outage_of_nine_nights_breaks_promises_that_nobody_could_keep() -> None:
    """Each sponsored camera's once; before and after it, none."""
    year = _year(6.0, lost={*range(5, 365, 17), *LONG_OUTAGE})
    assert {one.camera for one in year.broken} == {f"c{name}" for name in range(10)} - {"c4"}
    assert all(LONG_OUTAGE.start - 1 <= one.night <= LONG_OUTAGE.stop + 2 for one in year.broken)
    assert year.avoidable == ()


def test_a_budget_that_no_week_fits_into_breaks_promises_all_year_and_none_of_them_needlessly() -> None:
    """Thirty-two hours of cameras and twenty-eight of nights: some break every week, and nobody could have kept all."""
    skies = [Sky(f"c{name}", lambda _night, one=one: one) for name, one in enumerate((*HOURS, *HOURS))]
    year = simulate(skies, start=START, nights=365, budget=4.0, known=True)
    assert {one.night // 7 for one in year.broken} == set(range(53))
    assert year.avoidable == ()


def test_a_camera_without_sponsor_is_promised_nothing_and_a_retired_one_is_run_no_more() -> None:
    """The hours of both go to the others."""
    year = _year(4.5, lost=set())
    assert not [one for one in year.broken if one.camera == "c4" and one.night >= 100]
    assert year.history.last["c4"] < START + 200 * NIGHTLY
    assert all(START + 365 * NIGHTLY - when < WEEK for name, when in year.history.last.items() if name != "c4")


def test_no_night_is_longer_than_its_budget() -> None:
    """However long the cameras take: a camera that is not through by then is cut off."""
    assert max(_year(6.0, lost=set(), spread=0.4).history.used) <= 6.0


def test_somebody_who_knows_the_week_tells_what_could_have_been_kept() -> None:
    """Had nothing been measured in a week: it could have been, unless all nights but one were lost."""
    skies = [Sky(f"c{name}", lambda _night, one=one: one) for name, one in enumerate(HOURS)]
    history = History(states=[dict.fromkeys((sky.name for sky in skies), START)] * 7)
    asked = {"start": START, "budget": 6.0}
    assert _avoidable(skies[0], skies, history, 6, lost=(), **asked)
    assert _avoidable(skies[0], skies, history, 6, lost=(1, 3, 4), **asked)
    assert not _avoidable(skies[0], skies, history, 6, lost=range(1, 6), **asked)
