"""Calibrations as of a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import RequestError
from qa.provenance.calibration_dates import Validity, as_of, in_words

FIRST = Validity("bias", "one", None, "2018-01-20T00:00:37", "2018-01-15T06:10:00")
SECOND = Validity("bias", "two", "2018-01-20T00:00:37", "2018-02-01T00:00:37", "2018-01-20T06:10:00")
THIRD = Validity("bias", "three", "2018-02-01T00:00:37", None, "2018-02-01T06:10:00")
DARK = Validity("dark", "one", None, None, "2018-01-15T06:30:00")
DAY0 = date(2018, 1, 1)


@st.composite
def series(draw: st.DrawFn) -> list[Validity]:
    """Draw the masters of one kind: they follow each other, and were made on any days."""
    days = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=6)))
    begins = [None, *((DAY0 + timedelta(days=day)).isoformat() for day in days[1:])]
    made = draw(st.lists(st.integers(0, 70), min_size=len(days), max_size=len(days)))
    return [
        Validity("bias", str(place), begin, end, f"{(DAY0 + timedelta(days=taken)).isoformat()}T12:00:00")
        for place, (begin, end, taken) in enumerate(zip(begins, [*begins[1:], None], made, strict=True))
    ]


def test_what_was_made_later_was_not_used() -> None:
    """The masters before it hold on, until the next that there was."""
    assert as_of([FIRST, SECOND, THIRD, DARK], date(2018, 1, 31)) == (
        FIRST,
        Validity("bias", "two", "2018-01-20T00:00:37", None, "2018-01-20T06:10:00"),
        DARK,
    )
    (only,) = as_of([FIRST, SECOND, THIRD], date(2018, 1, 15))
    assert (only.group, only.begin, only.end) == ("one", None, None)
    assert as_of([FIRST, SECOND, THIRD], date(2018, 2, 1)) == (FIRST, SECOND, THIRD)


def test_a_day_counts_to_its_end() -> None:
    """What was made in the evening was there on that day."""
    late = Validity("dark", "one", None, None, "2018-01-15T23:59:59")
    assert as_of([late], date(2018, 1, 15)) == (late,)


def test_a_kind_that_nobody_had_yet_is_an_error() -> None:
    """It says when the first one was made, or that this is not known."""
    with pytest.raises(RequestError, match="need a dark made by then, and the first was made on 2018-01-15"):
        as_of([DARK], date(2018, 1, 14))
    with pytest.raises(RequestError, match="of no flat it is known"):
        as_of([Validity("flat", "one", None, None)], date(2030, 1, 1))


@given(series(), st.integers(0, 80))
def test_as_of_a_day_there_is_one_master_for_each_date(ones: list[Validity], day: int) -> None:
    """None of them made later, without a gap or an overlap, and on the last day all of them as they are."""
    when = DAY0 + timedelta(days=day)
    try:
        found = as_of(ones, when)
    except RequestError:
        assert all(one.made is not None and one.made[:10] > when.isoformat() for one in ones)
        return
    assert all(one.made is not None and one.made[:10] <= when.isoformat() for one in found)
    assert found[0].begin is None
    assert found[-1].end is None
    assert [one.end for one in found[:-1]] == [one.begin for one in found[1:]]
    assert {one.group for one in found} <= {one.group for one in ones}
    assert as_of(ones, DAY0 + timedelta(days=99)) == tuple(ones)
    assert as_of(found, when) == found


def test_dates_are_told_in_words() -> None:
    """Each master with the day it was made and the dates it holds for."""
    assert in_words([FIRST, SECOND, DARK, Validity("flat", "x", "2018", None)]) == (
        "bias one (made 2018-01-15) until 2018-01-20T00:00:37, "
        "bias two (made 2018-01-20) from 2018-01-20T00:00:37 until 2018-02-01T00:00:37, "
        "dark one (made 2018-01-15) always, flat x from 2018"
    )
