"""Requirement margin spent by accepted changes, and many small ones that add up."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.baselines.acceptance import Rules, propose
from qa.baselines.acceptance import Selection as Chosen
from qa.baselines.ledger import Absent, Decision, Entry, Move, Place, Value, make_entry
from qa.baselines.margins import Ratchet, by_camera, quarter_of, ratchets, spent
from qa.baselines.standing import moves_back, replay
from qa.metrics import catalogue
from qa.model import Measurement, Scope, Unmeasured
from qa.requirements import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.baselines.ledger import State
    from qa.judging.compare import Accepted, Key

RULES = Rules(definitions=catalogue(), requirements={"hsc": load(), "decam": load()})
SPRING, SUMMER, WINTER = (datetime(2026, month, 15, tzinfo=UTC) for month in (5, 7, 12))


class Book:
    """A ledger in the making: measured values are accepted as `obsqa baseline accept` does it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def accepted(self) -> dict[Key, Accepted]:
        """What it says of all cameras."""
        return {key: one for of in replay(self.entries).values() for key, one in of.items()}

    def accept(
        self,
        values: Mapping[str, float | None],
        when: datetime = SPRING,
        *,
        camera: str = "hsc",
        stderr: float | None = 0.25,
        reference: bool = False,
    ) -> Entry:
        """Accept values by metric in the r band; None for what was not measured."""
        scope = Scope(camera, "twin", "r", 0)
        results = [
            Unmeasured(metric, scope, "too few")
            if value is None
            else Measurement(metric, scope, value, catalogue()[metric].unit, 1, stderr)
            for metric, value in values.items()
        ]
        old = replay(self.entries).get((camera, "twin"), {})
        found = propose(results, old, Chosen(tuple(values)), rules=RULES, run=f"run{len(self.entries)}", today=date.min)
        return self.make("accept", *(one.move for one in found), when=when, camera=camera, reference=reference or None)

    def undo(self, entry: Entry, when: datetime = SPRING) -> Entry:
        """Take an entry back."""
        back = moves_back(entry, entry.moves, replay(self.entries)[entry.camera, entry.dataset])
        return self.make("undo", *back, when=when, camera=entry.camera, undoes=entry.id)

    def make(
        self,
        action: Any,
        *moves: Move,
        when: datetime = SPRING,
        camera: str = "hsc",
        undoes: str | None = None,
        **said: Any,
    ) -> Entry:
        """Add an entry."""
        decision = Decision(who="A. Person <a@example.org>", when=when, why="x", **said)
        after = self.entries[-1].id if self.entries else ""
        made = make_entry(action, camera, "twin", decision=decision, moves=moves, undoes=undoes, after=after)
        self.entries.append(made)
        return made

    def crept(self, **options: float) -> tuple[Ratchet, ...]:
        """Return the ratchets."""
        return ratchets(self.entries, self.accepted, definitions=catalogue(), **options)


def a_book(*values: float, metric: str = "PA1", **options: Any) -> Book:
    """Accept one value after another; the minimum of PA1 in r is 8 mmag."""
    book = Book()
    for value in values:
        book.accept({metric: value}, **options)
    return book


@pytest.mark.parametrize(
    ("month", "quarter"), [(1, "Q1"), (3, "Q1"), (4, "Q2"), (6, "Q2"), (7, "Q3"), (9, "Q3"), (10, "Q4"), (12, "Q4")]
)
def test_the_quarters_of_a_year(month: int, quarter: str) -> None:
    """Three months each."""
    assert quarter_of(datetime(2026, month, 1, tzinfo=UTC)) == f"2026-{quarter}"


def test_margin_spent_in_a_quarter() -> None:
    """The sum of its changes, with what there was before and what is left."""
    book = a_book(4.0, 4.5, 5.0)
    book.accept({"PA1": 6.0}, SUMMER)
    first, second = spent(book.entries)
    assert (first.metric, str(first.scope), first.quarter, first.unit) == ("PA1", "hsc/twin/r/t0", "2026-Q2", "mmag")
    assert (first.spent, first.start, first.left, first.share, first.moves) == (1.0, 4.0, 3.0, 0.25, 2)
    assert (second.quarter, second.spent, second.start, second.left, second.moves) == ("2026-Q3", 1.0, 3.0, 2.0, 1)


def test_margin_that_was_won_has_a_minus() -> None:
    """An improvement gives margin back."""
    (one,) = spent(a_book(4.0, 3.0).entries)
    assert (one.spent, one.share, one.left) == (-1.0, -0.25, 5.0)


def test_margin_of_an_undone_decision_is_given_back_when_it_is_undone() -> None:
    """In that quarter, not in the past."""
    book = a_book(4.0)
    book.undo(book.accept({"PA1": 5.0}), SUMMER)
    assert [(one.quarter, one.spent, one.left) for one in spent(book.entries)] == [
        ("2026-Q2", 1.0, 3.0),
        ("2026-Q3", -1.0, 4.0),
    ]


def test_an_undone_first_acceptance_gives_nothing_back() -> None:
    """It had spent nothing."""
    book = a_book()
    book.undo(book.accept({"PA1": 4.0, "psf_fwhm": 1.0}))
    assert spent(book.entries) == ()


def test_what_nothing_is_required_of_and_what_stayed_spends_nothing() -> None:
    """There is no margin, or no change."""
    assert spent(a_book(1.0, 2.0, metric="psf_fwhm").entries) == ()
    assert spent(a_book(4.0, 4.0).entries) == ()
    assert spent(()) == ()


def test_a_deficit_that_grows_has_no_share() -> None:
    """There was nothing left to spend."""
    (one,) = spent(a_book(9.0, 10.0).entries)
    assert (one.spent, one.start, one.left, one.share) == (1.0, -1.0, -2.0, None)
    (none,) = spent(a_book(8.0, 9.0).entries)
    assert none.share is None


def test_series_are_in_the_order_of_quarter_metric_and_scope() -> None:
    """Oldest first."""
    book = Book()
    book.accept({"PF1": 1.0, "PA1": 4.0})
    book.accept({"PF1": 2.0, "PA1": 4.5}, SUMMER)
    book.accept({"PA1": 5.0}, SPRING)
    assert [(one.quarter, one.metric) for one in spent(book.entries)] == [
        ("2026-Q2", "PA1"),
        ("2026-Q3", "PA1"),
        ("2026-Q3", "PF1"),
    ]


def test_the_share_of_a_camera_is_the_mean_over_its_required_series() -> None:
    """Those that did not move count with zero, those of other cameras and without requirement not at all."""
    book = Book()
    book.accept({"PA1": 4.0, "AM1": 5.0, "psf_fwhm": 1.0})
    book.accept({"PA1": 4.0}, camera="decam")
    book.accept({"PA1": 5.0, "psf_fwhm": 2.0})
    (one,) = by_camera(book.entries)
    assert (one.camera, one.quarter, one.series, one.moved, one.mean) == ("hsc", "2026-Q2", 2, 1, 0.125)
    assert (one.worst.metric, one.worst.share) == ("PA1", 0.25)


def test_series_that_came_later_do_not_count_in_an_earlier_quarter() -> None:
    """A camera's share of last spring does not shrink with every metric that is added."""
    book = a_book(4.0, 5.0)
    book.accept({"AM1": 5.0}, SUMMER)
    book.accept({"PA1": 5.75}, WINTER)
    assert [(one.quarter, one.series, one.mean) for one in by_camera(book.entries)] == [
        ("2026-Q2", 1, 0.25),
        ("2026-Q4", 2, 0.125),
    ]


def test_the_worst_series_of_a_camera_spent_the_largest_share() -> None:
    """Not the largest amount; cameras are in the order of their names."""
    book = Book()
    for camera in ("hsc", "decam"):
        book.accept({"PA1": 4.0, "PF1": 0.0}, camera=camera)
        book.accept({"PA1": 5.0, "PF1": 2.0}, camera=camera)
    assert [(one.camera, one.worst.metric) for one in by_camera(book.entries)] == [("decam", "PA1"), ("hsc", "PA1")]


def test_a_deficit_is_no_camera_share() -> None:
    """It has none."""
    assert by_camera(a_book(9.0, 10.0).entries) == ()


def test_small_worsenings_add_up_against_the_first_level() -> None:
    """A quarter of the first margin may be spent; reaching it is not passing it."""
    (one,) = a_book(4.0, 4.5, 5.0).crept()
    assert (one.metric, one.unit, one.first, one.now, one.worse) == ("PA1", "mmag", 4.0, 5.0, 1.0)
    assert (one.allowed, one.share, one.moves, one.since, one.exceeded) == (1.0, 0.25, 2, SPRING, False)
    assert len(one.entries) == 3
    (one,) = a_book(4.0, 4.5, 5.0, 5.0625).crept()
    assert (one.moves, one.exceeded) == (3, True)


def test_one_large_change_is_no_ratchet() -> None:
    """It was one decision that everybody could see."""
    (one,) = a_book(4.0, 7.0).crept()
    assert (one.share, one.moves, one.exceeded) == (0.75, 1, False)


def test_the_way_back_counts() -> None:
    """What got better in between is not held against it, and a series no worse than at first is not listed."""
    (one,) = a_book(4.0, 4.5, 4.25, 4.75).crept()
    assert (one.worse, one.moves) == (0.75, 2)
    assert a_book(4.0, 5.0, 4.0).crept() == ()
    assert a_book(4.0, 3.0).crept() == ()


def test_a_new_reference_is_a_decision() -> None:
    """From there on the count starts anew."""
    book = a_book(4.0, 5.0, 5.5)
    assert book.crept()[0].exceeded
    book.accept({"PA1": 5.5}, reference=True)
    assert book.crept() == ()
    book.accept({"PA1": 5.75})
    (one,) = book.crept()
    assert (one.first, one.allowed) == (5.5, 0.625)


def test_an_undone_decision_is_not_the_reference() -> None:
    """The first accepted level is the first that stands."""
    book = Book()
    book.undo(book.accept({"PA1": 2.0}))
    for value in (4.0, 4.5):
        book.accept({"PA1": value})
    assert book.crept()[0].first == 4.0


def test_an_absence_in_between_does_not_clear_the_record_and_letting_go_does() -> None:
    """A metric that could not be measured for a while comes back to its old reference."""
    book = a_book(4.0)
    book.accept({"PA1": None})
    assert book.crept() == ()
    book.accept({"PA1": 4.5})
    assert book.crept()[0].first == 4.0
    old = book.entries[-1].moves[0].new
    book.make("drop", Move(place=Place(metric="PA1", band="r", tract=0), old=old, new=None))
    book.accept({"PA1": 5.0})
    assert book.crept() == ()


def test_a_learned_spread_is_no_level() -> None:
    """It moves no value and is no reference."""
    book = a_book(4.0)
    old = book.entries[0].moves[0].new
    assert isinstance(old, Value)
    new = old.model_copy(update={"tolerance": 0.0, "learned": True})
    book.make("noise", Move(place=book.entries[0].moves[0].place, old=old, new=new))
    book.accept({"PA1": 4.5})
    (one,) = book.crept()
    assert (len(one.entries), one.moves) == (2, 1)


def test_without_a_requirement_the_errors_are_the_measure() -> None:
    """Three times the independent errors of both levels and the spread: 3 hypot(0.25, 0.25, 0.25)."""
    (one,) = a_book(1.0, 1.5, 2.0, metric="psf_fwhm").crept()
    assert one.allowed == pytest.approx(3 * 3**0.5 * 0.25)
    assert (one.share, one.exceeded) == (None, False)
    assert a_book(1.0, 1.5, 2.5, metric="psf_fwhm").crept()[0].exceeded
    assert a_book(1.0, 1.5, 2.0, metric="psf_fwhm").crept(errors=2.0)[0].exceeded


def test_without_requirement_and_error_there_is_no_limit() -> None:
    """A change is listed, and nobody can say how much would be too much."""
    (one,) = a_book(1.0, 1.5, 2.0, metric="psf_fwhm", stderr=None).crept()
    assert (one.allowed, one.exceeded) == (None, False)


def test_the_costs_of_processing_creep_by_three_run_to_run_spreads() -> None:
    """CPU time and memory answer to no requirement and have no sampling: of memory the spread is a tenth."""
    (one,) = a_book(100.0, 110.0, 120.0, metric="peak_memory", stderr=None).crept()
    assert (one.first, one.now, one.moves) == (100.0, 120.0, 2)
    assert (one.allowed, one.share, one.exceeded) == (pytest.approx(30.0), None, False)
    assert a_book(100.0, 120.0, 140.0, metric="peak_memory", stderr=None).crept()[0].exceeded


def test_a_deficit_may_not_creep_at_all() -> None:
    """A reference below the minimum has no margin to spend."""
    (one,) = a_book(9.0, 9.5, 10.0).crept()
    assert (one.allowed, one.share, one.exceeded) == (0.0, None, True)
    (one,) = a_book(8.0, 8.5, 9.0).crept()
    assert (one.allowed, one.share, one.exceeded) == (0.0, None, True)


def test_the_share_may_be_chosen() -> None:
    """Of the margin at the reference."""
    assert a_book(4.0, 4.5, 5.0).crept(margin_share=0.125)[0].exceeded


def test_metrics_better_when_higher_creep_downwards() -> None:
    """Worse is worse, in whichever direction."""
    (one,) = a_book(25.0, 24.5, 24.0, metric="coadd_depth").crept()
    assert (one.worse, one.moves) == (1.0, 2)
    assert a_book(24.0, 25.0, metric="coadd_depth").crept() == ()


def test_metrics_best_at_zero_creep_away_from_it() -> None:
    """On either side."""
    (one,) = a_book(1.0, -2.0, 3.0, metric="photometric_bias").crept()
    assert (one.worse, one.moves) == (2.0, 2)


def test_the_fullest_come_first() -> None:
    """By how much of what is allowed was taken: all of nothing, then more, then less, then what has no limit."""
    book = Book()
    for factor in (1.0, 1.125, 1.25):
        book.accept({"PA1": 4 * factor, "PF1": 8 * factor, "AM1": 32 * factor})
        book.accept({"psf_fwhm": factor}, stderr=None)
    assert [one.metric for one in book.crept()] == ["AM1", "PA1", "PF1", "psf_fwhm"]


def test_a_requirement_that_came_later_is_held_against_the_first_level() -> None:
    """What the first level's margin would have been."""
    book = Book()
    place = Place(metric="PA1", band="r", tract=0)
    states = [Value(value=value, unit="mmag", stderr=0.25, tolerance=0.25, run="x") for value in (4.0, 4.5, 5.0)]
    for old, new, left in zip([None, *states], states, (None, 3.5, None), strict=False):
        book.make("accept", Move(place=place, old=old, new=new, margin_left=left))
    (one,) = book.crept()
    assert (one.allowed, one.share) == (1.0, 0.25)


def in_units(*units: str) -> Book:
    """Accept 4, 5, 6 ... in one unit after another."""
    book = Book()
    old: State | None = None
    for value, unit in enumerate(units, start=4):
        new = Value(value=float(value), unit=unit, stderr=0.25, tolerance=0.25, run="x")
        book.make("accept", Move(place=Place(metric="psf_fwhm", band="r", tract=0), old=old, new=new))
        old = new
    return book


def test_levels_in_several_units_are_compared() -> None:
    """In the present unit."""
    (one,) = in_units("mas", "arcsec").crept()
    assert (one.first, one.now, one.unit) == (0.004, 5.0, "arcsec")
    assert one.allowed == pytest.approx(3 * (0.25**2 + 2 * 0.00025**2) ** 0.5)


def test_a_metric_that_became_another_quantity_is_not_compared() -> None:
    """No quiet wrong number."""
    assert in_units("mmag", "arcsec").crept() == ()


def test_what_is_not_accepted_now_or_not_defined_is_left_out() -> None:
    """There is nothing to hold against the reference, or no way to say what is worse."""
    book = a_book(4.0, 5.0)
    assert ratchets(book.entries, {}, definitions=catalogue()) == ()
    assert ratchets(book.entries, book.accepted, definitions={}) == ()
    book.make("accept", Move(place=Place(metric="PX9"), old=None, new=Absent(absent="x")))
    assert len(book.crept()) == 1


@given(values=st.lists(st.integers(0, 31).map(lambda one: one / 4), min_size=2, max_size=8))
def test_what_was_spent_is_what_is_lacking(values: list[float]) -> None:
    """Over all quarters, the margins spent add up to how much worse the last level is than the first."""
    book = a_book(*values)
    assert sum(one.spent for one in spent(book.entries)) == pytest.approx(values[-1] - values[0], abs=1e-4)


@given(
    values=st.lists(st.integers(0, 31).map(lambda one: one / 4), min_size=2, max_size=6),
)
def test_splitting_a_change_never_hides_it(values: list[float]) -> None:
    """How much worse a series is does not depend on how many decisions it took."""
    direct, split = a_book(values[0], values[-1]).crept(), a_book(*values).crept()
    assert [(one.worse, one.allowed) for one in direct] == [(one.worse, one.allowed) for one in split]
    assert all(not one.exceeded for one in direct)
