"""What moved in a night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from qa.blame import Window
from qa.blame.moved import is_moved, moved_series
from qa.judging.judged import Shift, ShiftKind
from qa.model import Change, Status

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "status", "baseline", "expected"),
    [
        (Change.STEP, Status.WARN, 5.0, True),
        (Change.DRIFT, Status.FAIL, 5.0, True),
        (Change.STEP, Status.PASS, 5.0, False),
        (Change.MISSING, Status.WARN, 5.0, True),
        (Change.MISSING, Status.WARN, None, False),
        (Change.MISSING, Status.FAIL, None, True),
        (Change.STEADY, Status.FAIL, 5.0, True),
        (Change.STEADY, Status.WARN, 5.0, False),
        (Change.NEW, Status.FAIL, None, False),
        (Change.IMPROVED, Status.PASS, 5.0, False),
    ],
)
def test_what_counts_as_moved(make: Any, change: Any, status: Any, baseline: Any, expected: Any) -> None:
    """Off its baseline, gone, or across the gate; a known deficit and a new metric are not."""
    assert is_moved(make.comparison(change=change, status=status, baseline=baseline)) is expected


def only(make: Any, one: Any, window: Any = None, **definition: Any) -> Any:
    """Return the one series that moved."""
    made = {"PA1": make.definition("PA1", *definition.pop("reads", ()), **definition)}
    (found,) = moved_series([one], (), windows={("PA1", one.scope): window} if window else {}, definitions=made)
    return found


def test_sizes_are_in_spreads_and_standard_errors(make: Any) -> None:
    """What has no error, or is missing, has no size in them."""
    found = only(make, make.comparison(sigma=-50.0))
    assert (found.sigma, found.errors, found.small) == (50.0, 1.0, False)
    assert (found.camera, found.place) == ("hsc", ("hsc", "twin"))
    assert only(make, make.comparison(sigma=12.5, stderr=0.5)).small
    for stderr in (None, 0.0):
        assert only(make, make.comparison(stderr=stderr)).errors is None
    gone = only(make, make.comparison(change=Change.MISSING))
    assert (gone.missing, gone.sigma, gone.errors, gone.small) == (True, None, None, False)


def test_what_a_metric_rests_on(make: Any) -> None:
    """Resources, the truth, and the number of visits."""
    assert only(make, make.comparison(), family="resources").resource
    assert only(make, make.comparison(), reads=("objects", "truth_coverage")).truth
    other = Window(make.run(), make.run(0), n=90)
    assert only(make, make.comparison(), other, reads=("visit_summary",)).fewer
    assert not only(make, make.comparison(n=90), other, reads=("visit_summary",)).fewer
    assert not only(make, make.comparison(), other).fewer
    assert not only(make, make.comparison(), reads=("visit_summary",)).fewer


def test_what_has_no_definition_rests_on_nothing_known(make: Any) -> None:
    """It is no cost, and not measured against the truth."""
    one = make.comparison()
    (found,) = moved_series([one], (), windows={}, definitions={})
    assert (found.resource, found.truth, found.fewer) == (False, False, False)


def a_shift(one: Any, *, sigma: float = 4.0, kind: ShiftKind = ShiftKind.STEP, found: int = 2) -> Shift:
    """Find a change in the history of a series."""
    night = BEGIN + timedelta(days=found)
    return Shift(one.metric, one.scope, kind, BEGIN, night, 5.0, 6.0, sigma, 0.01)


def test_what_the_history_shows_moved_too(make: Any) -> None:
    """Where it got worse: the last of several; a gap did not move, nor does what the night did not judge."""
    one, other = make.comparison(sigma=50.0), make.steady("PA2")
    unjudged = make.steady("PA3")
    late, early = a_shift(other, sigma=0.5), a_shift(other, sigma=9.0, found=1)
    better, gap = a_shift(one, sigma=-4.0), a_shift(one, kind=ShiftKind.GAP)
    same = a_shift(one, sigma=0.0)
    window = make.window()
    found = moved_series(
        [other, one, make.steady("PA4")],
        [late, early, better, gap, same, a_shift(unjudged)],
        windows={("PA2", other.scope): window},
        definitions={},
    )
    assert [(each.key[0], each.shift, each.window) for each in found] == [("PA1", None, None), ("PA2", late, window)]


def test_the_size_is_that_of_the_night_and_else_that_of_the_history(make: Any) -> None:
    """A metric without a baseline has only the latter, one that is gone has none."""
    judged, new = make.comparison(sigma=50.0), make.comparison("PA2", baseline=None, status=Status.PASS)
    gone = make.comparison("PA3", change=Change.MISSING)
    shifts = [a_shift(judged), a_shift(new, sigma=4.0)]
    found = moved_series([judged, new, gone], shifts, windows={}, definitions={})
    assert {each.key[0]: each.sigma for each in found} == {"PA1": 50.0, "PA2": 4.0, "PA3": None}


def test_series_that_moved_come_by_metric_and_scope(make: Any) -> None:
    """Whatever the order of the night's results."""
    many = [make.comparison(metric, camera) for metric in ("PA2", "PA1") for camera in ("lsstcam", "decam", "hsc")]
    found = [(each.key[0], each.camera) for each in moved_series(many, (), windows={}, definitions={})]
    assert found == [(metric, camera) for metric in ("PA1", "PA2") for camera in ("decam", "hsc", "lsstcam")]
