"""Between which runs a series moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from qa.blame import Run, Window, windows
from qa.judging.judged import Shift, ShiftKind
from qa.model import Change, Status

KEY_OF = ("PA1",)


def window_of(make: Any, tonight: Any, *earlier: Any, shifts: Any = ()) -> Any:
    """Return the one window of a night; earlier comparisons are newest first."""
    record = make.record(10, tonight)
    past = [make.record(9 - at, *([one] if one is not None else [])) for at, one in enumerate(earlier)]
    (found,) = windows(record, record.comparisons, earlier=past, shifts=shifts).values()
    return found


def nights(window: Window) -> tuple[str | None, str, tuple[str, ...]]:
    """Return the ids of the good, the bad and the leading runs."""
    return window.good and window.good.id, window.bad.id, tuple(run.id for run in window.lead)


def test_the_good_run_is_the_last_in_which_the_series_was_well(make: Any) -> None:
    """And the bad one the next that has it; what came before leads."""
    bad, well = make.comparison(), make.steady()
    assert nights(window_of(make, bad, well, well, well, well)) == ("night-9", "night-10", ("night-8", "night-7"))
    found = window_of(make, bad, bad, None, bad, None, well)
    assert nights(found) == ("night-5", "night-7", ())
    assert found.stood == 3


def test_a_series_that_was_never_well_has_no_good_run(make: Any) -> None:
    """Nor has one that is seen for the first time."""
    found = window_of(make, make.comparison(), make.comparison())
    assert (nights(found), found.stood, found.same, found.n) == ((None, "night-9", ()), 2, 0, None)
    assert nights(window_of(make, make.comparison())) == (None, "night-10", ())


def test_runs_that_are_not_before_are_left_out(make: Any) -> None:
    """A run that is judged again is not explained by itself or by what came later; the order does not matter."""
    bad, well = make.comparison(), make.steady()
    record = make.record(5, bad)
    earlier = [make.record(3, bad), make.record(6, well), make.record(5, well), make.record(4, well)]
    (found,) = windows(record, record.comparisons, earlier=earlier).values()
    assert nights(found) == ("night-4", "night-5", ("night-3",))


def test_what_went_off_and_came_back_is_counted(make: Any) -> None:
    """Where the value came back, and not the baseline after it."""
    bad, well = make.comparison(), make.steady()
    assert window_of(make, bad, well, bad, well, bad, bad, well).flips == 2
    assert window_of(make, bad, bad, well, well).flips == 0
    accepted = make.steady(baseline=5.5)
    assert window_of(make, bad, accepted, bad, well).flips == 0


def test_equal_values_before_are_counted(make: Any) -> None:
    """To the last digit, up to the good run; what was missing then has none."""
    bad, well, other = make.comparison(), make.steady(), make.steady(sigma=0.5)
    assert window_of(make, bad, well, well, other, well).same == 2
    assert window_of(make, bad, well, well).same == 2
    gone = make.comparison(change=Change.MISSING, status=Status.PASS)
    found = window_of(make, bad, gone, well)
    assert (found.same, found.n) == (0, None)
    assert window_of(make, bad, make.steady(n=70)).n == 70


@pytest.mark.parametrize(
    ("began", "kind", "expected", "stood"),
    [
        (7, ShiftKind.STEP, ("night-6", "night-8"), 4),
        (9, ShiftKind.DRIFT, ("night-8", "night-10"), 2),
        (10, ShiftKind.STEP, ("night-9", "night-10"), 1),
        (7, ShiftKind.SPIKE, ("night-9", "night-10"), 1),
    ],
)
def test_a_lasting_shift_began_before_it_was_found(make: Any, began: Any, kind: Any, expected: Any, stood: Any) -> None:
    """When is known to a night or so: the night after its begin is in the window."""
    well = make.steady()
    when = make.run(began).when
    shift = Shift("PA1", make.comparison().scope, kind, when, when, 5.0, 5.5, 5.0, 0.01)
    found = window_of(make, make.comparison(), *[well] * 6, shifts=(shift,))
    assert nights(found)[:2] == expected
    assert found.stood == stood


def test_a_window_keeps_facts_and_time_of_its_runs(make: Any) -> None:
    """As the records have them."""
    record = make.record(2, make.comparison(), package_afw="2")
    (found,) = windows(record, record.comparisons, earlier=[make.record(1, make.steady())]).values()
    assert found.bad == make.run(2, package_afw="2")
    assert found.good == Run("night-1", found.bad.when - timedelta(days=1), make.facts)
