from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.notices.leases import DAYS, all_due, due
from qa.testing import a_camera

TODAY = date(2026, 6, 1)


def told(left: int, since: int | None = 1) -> str:
    """Return what is said `left` days before the end of a lease, `since` days after the last run."""
    camera = a_camera("hsc", until=TODAY + timedelta(days=left))
    return due(camera, None if since is None else TODAY - timedelta(days=since), TODAY)


@pytest.mark.parametrize("left", [60, 30, 14, 7, 3, 1, 0, -1, -31, -61])
def test_a_lease_is_spoken_of_on_its_days(left: int) -> None:
    """Ever more often before its end, and every month after it."""
    assert "the lease of hsc (sponsor: the test team)" in told(left)


@pytest.mark.parametrize("left", [61, 59, 29, 5, 2, -2, -30, -32])
def test_nobody_is_nagged_on_other_days(left: int) -> None:
    """What was said the day before is not said again."""
    assert told(left) == ""


def test_a_missed_night_loses_no_notice() -> None:
    """A day on which nothing ran is made up for by the next run, once."""
    assert "ends in 12 days, on 2026-06-13" in told(12, since=3)
    assert told(12, since=1) == ""


def test_the_first_run_speaks_of_every_lapsing_lease() -> None:
    """Nobody has heard of it before; of a lease that lasts nobody hears."""
    assert "ends in 45 days" in told(45, since=None)
    assert told(61, since=None) == ""


def test_the_sentence_says_what_to_do() -> None:
    """Before the end, on its day, and after it."""
    renew = "obsqa camera renew hsc --until DAY"
    assert told(1).endswith(renew)
    assert "ends in 1 day, on" in told(1)
    assert "ends today, 2026-06-01" in told(0)
    assert "ended on 2026-05-31; nobody answers for the camera and it gates no run" in told(-1)


def test_a_retired_camera_has_no_lease_to_speak_of() -> None:
    """Neither has one without a sponsor."""
    retired = a_camera("hsc", until=TODAY, retired=date(2026, 5, 1))
    proposed = a_camera("vircam").model_copy(update={"sponsor": None, "lease": None})
    assert all_due([retired, proposed, a_camera("decam", until=TODAY)], None, TODAY).keys() == {"decam"}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(-90, 70))
def test_no_stage_is_told_twice_and_none_is_missed(gaps: list[int], left: int) -> None:
    """Whatever the days between runs: of each stage that a run meets, exactly the first one speaks."""
    end = TODAY + timedelta(days=left)
    camera, last, day = a_camera("hsc", until=end), None, TODAY
    met: list[int] = []
    spoken: list[int] = []
    for gap in gaps:
        stage = _stage_of((end - day).days)
        met += [stage] if stage is not None and stage not in met else []
        spoken += [stage] if due(camera, last, day) and stage is not None else []
        last, day = day, day + timedelta(days=gap)
    assert spoken == met


def _stage_of(left: int) -> int | None:
    if left < 0:
        return -1 - (-left - 1) // 30
    return min((days for days in DAYS if left <= days), default=None)
