"""What moved in a night."""

from __future__ import annotations

from typing import Any

import pytest

from qa.blame import Window
from qa.blame.moved import is_moved, moved_series
from qa.model import Change, Status


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
