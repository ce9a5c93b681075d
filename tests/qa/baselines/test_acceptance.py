"""What would become a baseline, before anything is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.baselines.acceptance import EVERYTHING, Proposal, Rules, Selection, check_names, matches, propose
from qa.baselines.ledger import Absent, Value
from qa.errors import UnknownNameError
from qa.judging.compare import DuplicateResultError
from qa.metrics import catalogue
from qa.model import Baseline, Measurement, Scope, Unmeasured
from qa.requirements import load
from qa.requirements.waivers import Waiver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.judging.compare import Accepted
    from qa.model import Result

SCOPE = Scope("hsc", "twin", "r", 0)
TODAY = date(2026, 3, 1)
RULES = Rules(definitions=catalogue(), requirements={"hsc": load()})


def a_result(value: float | None, metric: str = "PA1", *, unit: str = "mmag") -> Result:
    """Measure a value, or say why there is none."""
    if value is None:
        return Unmeasured(metric, SCOPE, "too few\n  stars")
    return Measurement(metric, SCOPE, value, unit, 4, 0.5)


def a_baseline(value: float, metric: str = "PA1", *, tolerance: float = 0.25, learned: bool = False) -> Baseline:
    """Build an accepted value."""
    return Baseline(metric, SCOPE, value, "mmag", 0.5, tolerance, "before", learned)


def proposed(
    results: Sequence[Result],
    old: Sequence[Accepted] = (),
    selection: Selection = EVERYTHING,
    rules: Rules = RULES,
    today: date = TODAY,
) -> list[Proposal]:
    """Propose results of one data set."""
    known = {(one.metric, one.scope): one for one in old}
    return propose(results, known, selection, rules=rules, run="tonight", today=today)


def test_a_new_value_is_proposed_with_an_assumed_spread() -> None:
    """The standard error over the root of the number of things."""
    (one,) = proposed([a_result(4.0)])
    assert one.move.new == Value(value=4.0, unit="mmag", stderr=0.5, tolerance=0.25, run="tonight")
    assert (one.move.old, one.move.sigma, one.move.level) == (None, None, "design")
    assert (one.move.margin_left, one.move.margin_spent) == (4.0, None)
    assert (one.below, one.refused, one.move.waived) == (False, False, None)


def test_a_value_is_accepted_in_the_unit_of_its_definition() -> None:
    """With its errors."""
    (one,) = proposed([Measurement("PA1", SCOPE, 0.004, "mag", 4, 0.0005)])
    assert isinstance(one.move.new, Value)
    assert (one.move.new.value, one.move.new.unit) == (pytest.approx(4.0), "mmag")
    assert (one.move.new.stderr, one.move.new.tolerance) == (pytest.approx(0.5), pytest.approx(0.25))


def test_a_learned_spread_is_kept() -> None:
    """Also one of zero, and unless told otherwise."""
    old = [a_baseline(4.0, tolerance=0.0, learned=True)]
    (one,) = proposed([a_result(5.0)], old)
    assert isinstance(one.move.new, Value)
    assert (one.move.new.tolerance, one.move.new.learned) == (0.0, True)
    (one,) = proposed([a_result(5.0)], old, rules=replace(RULES, keep_spreads=False))
    assert isinstance(one.move.new, Value)
    assert (one.move.new.tolerance, one.move.new.learned) == (0.25, False)


def test_a_learned_zero_is_held_against_the_bits_on_the_same_processor() -> None:
    """What the night calls a change can be accepted as one."""
    old, now = [a_baseline(4.0, tolerance=0.0, learned=True)], [a_result(4.0 + 1e-9)]
    assert proposed(now, old) == []
    assert len(proposed(now, old, rules=replace(RULES, same_processor=("before",)))) == 1


def test_the_reason_of_an_absence_is_one_line() -> None:
    """As the ledger wants it."""
    (one,) = proposed([a_result(None, "AM3")])
    assert one.move.new == Absent(absent="too few stars")
    assert (one.move.level, one.move.margin_left, one.move.sigma) == (None, None, None)


def test_the_order_is_that_of_metric_and_scope() -> None:
    """Whatever the order of the results."""
    found = proposed([a_result(1.0, "PF1", unit="%"), a_result(4.0), a_result(None, "AM3")])
    assert [one.move.place.metric for one in found] == ["AM3", "PA1", "PF1"]


def test_what_is_steady_or_lost_is_left_out_unless_named_in_full() -> None:
    """A pattern only picks among what moved."""
    old = [a_baseline(4.0), a_baseline(4.0, "PA2"), a_baseline(4.0, "PA3")]
    results = [a_result(4.5), a_result(None, "PA2")]
    assert proposed(results, old) == []
    assert proposed(results, old, Selection(("PA*",))) == []
    named = proposed(results, old, Selection(("PA1", "PA2", "PA3")))
    assert [type(one.move.new) for one in named] == [Value, Absent, Absent]
    assert named[2].move.new == Absent(absent="nothing was reported")


def test_what_moved_is_picked_by_name_or_pattern() -> None:
    """Of several, any."""
    results = [a_result(4.0), a_result(1.0, "PF1", unit="%"), a_result(5.0, "AM1", unit="mas")]
    for metrics, names in ((("P*",), ["PA1", "PF1"]), (("A?1", "PF1"), ["AM1", "PF1"]), (("P[!A]1",), ["PF1"])):
        assert [one.move.place.metric for one in proposed(results, (), Selection(metrics))] == names


def test_upper_case_matters_in_patterns() -> None:
    """As it does in names."""
    assert matches("PA1", "PA*")
    assert not matches("PA1", "pa*")
    assert matches("a[1]", "a[1]")


def test_the_members_of_an_incident_move_when_they_were_measured() -> None:
    """Also those that a comparison calls steady; nothing else, and no absence in passing."""
    old = [a_baseline(4.0), a_baseline(4.0, "PA2"), a_baseline(4.0, "PF1")]
    results = [a_result(4.5), a_result(None, "PA2"), a_result(9.0, "PF1", unit="%"), a_result(None, "AM3")]
    members = {("PA1", SCOPE), ("PA2", SCOPE)}
    assert [one.move.place.metric for one in proposed(results, old, Selection(members=members))] == ["PA1"]
    both = proposed(results, old, Selection(("PA1", "PA2", "PF1"), members))
    assert [one.move.place.metric for one in both] == ["PA1", "PA2"]
    assert proposed(results, old, Selection(members=frozenset())) == []


def test_below_the_minimum_is_refused_unless_it_was_there_and_got_no_worse() -> None:
    """8 mmag are the minimum of PA1 in r, and reach it."""
    assert not proposed([a_result(8.0)])[0].below
    assert proposed([a_result(8.5)])[0].refused
    assert proposed([a_result(8.5)], [a_baseline(4.0)])[0].refused
    assert proposed([a_result(10.0)], [a_baseline(9.0)])[0].refused
    assert not proposed([a_result(9.0)], [a_baseline(10.0)])[0].below
    assert not proposed([a_result(9.0)], [a_baseline(9.0)], Selection(("PA1",)))[0].below
    assert proposed([a_result(8.5)], [Unmeasured("PA1", SCOPE, "too few")])[0].refused


@pytest.mark.parametrize(
    ("waiver", "refused"),
    [
        (Waiver("PA1", "bad sky", TODAY), False),
        (Waiver("PA1", "bad sky", TODAY, bands=("r",)), False),
        (Waiver("PA1", "bad sky", TODAY - timedelta(days=1)), True),
        (Waiver("PA1", "bad sky", TODAY, bands=("i",)), True),
        (Waiver("PA2", "bad sky", TODAY), True),
    ],
)
def test_a_waiver_of_the_registry_lets_a_value_pass(waiver: Waiver, *, refused: bool) -> None:
    """Where it holds, on its last day too; the line says so."""
    (one,) = proposed([a_result(8.5)], rules=replace(RULES, waivers={"hsc": (waiver,)}))
    assert (one.below, one.refused) == (True, refused)
    assert one.move.waived == (None if refused else "in the registry until 2026-03-01: bad sky")


def test_a_waiver_that_is_not_needed_is_not_mentioned() -> None:
    """The value passes by itself."""
    (one,) = proposed([a_result(4.0)], rules=replace(RULES, waivers={"hsc": (Waiver("PA1", "bad sky", TODAY),)}))
    assert (one.waiver, one.move.waived) == (None, None)


def test_two_results_of_one_scope_are_refused() -> None:
    """Nobody could say which of them counts."""
    with pytest.raises(DuplicateResultError, match="PA1 of hsc/twin/r/t0"):
        proposed([a_result(4.0), a_result(5.0)])


def test_a_metric_that_nobody_defined_is_refused() -> None:
    """Nobody could say which way it gets worse."""
    with pytest.raises(UnknownNameError, match="no metric is called 'PX9'"):
        proposed([a_result(4.0, "PX9")])


def test_names_and_patterns_that_nothing_fits_are_refused() -> None:
    """A slip of the pen must not look like nothing to do."""
    check_names(Selection(("PA*", "PF1")), ["PA1", "PF1"])
    for wrong in ("PB*", "PA"):
        with pytest.raises(UnknownNameError, match=r"known: PA1, PF1"):
            check_names(Selection(("PA1", wrong)), ["PF1", "PA1"])


VALUES = st.integers(1, 40).map(lambda one: one / 4)


@given(before=VALUES, now=VALUES)
def test_what_is_accepted_is_steady_afterwards(before: float, now: float) -> None:
    """Accepting the same results again has nothing to do."""
    for one in proposed([a_result(now)], [a_baseline(before)]):
        assert isinstance(one.move.new, Value)
        accepted = Baseline("PA1", SCOPE, now, "mmag", 0.5, one.move.new.tolerance, "tonight")
        assert proposed([a_result(now)], [accepted]) == []


@given(before=VALUES, now=VALUES)
def test_the_margin_spent_is_the_margin_before_less_the_margin_left(before: float, now: float) -> None:
    """And negative when it was won."""
    (one,) = proposed([a_result(now)], [a_baseline(before)], Selection(("PA1",)))
    assert (one.move.margin_left, one.move.margin_spent) == (8.0 - now, now - before)


@given(values=st.lists(VALUES, min_size=2, max_size=2))
def test_a_worse_value_is_never_refused_less(values: list[float]) -> None:
    """Judging is monotone."""
    better, worse = sorted(values)
    assert proposed([a_result(better)])[0].refused <= proposed([a_result(worse)])[0].refused
