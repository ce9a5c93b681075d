from datetime import UTC, date, datetime

from qa.baselines.ledger import Absent, Decision, Entry, Move, Place, Value, make_entry
from qa.judging.judged import Finding, FindingState
from reports import ledger
from reports.judged_example import the_judged_example
from reports.ledger import Baselines, baselines_of, share_of
from reports.testing import a_finding, a_night
from reports.wording import NBSP, THIN

WHEN = datetime(2026, 1, 20, 14, 40, tzinfo=UTC)


def page(*entries: Entry, findings: tuple[Finding, ...] = ()) -> Baselines:
    """Return the page of a ledger."""
    found = baselines_of(a_night(ledger=entries, findings=findings))
    assert found is not None
    return found


def an_entry(*moves: Move, action: str = "accept", expires: date | None = None) -> Entry:
    """Build an entry of some moves."""
    decision = Decision(who="Ada Example <ada@example.org>", when=WHEN, why="because", expires=expires)
    return make_entry(action, "testcam", "twin", decision=decision, moves=moves, after="")  # type: ignore[arg-type]


def a_value(value: float, *, tolerance: float = 0.1, learned: bool = False) -> Value:
    """Build an accepted value."""
    return Value(value=value, unit="mmag", stderr=0.2, tolerance=tolerance, run="20260120T0100", learned=learned)


def a_move(old: Value | None, new: Value | Absent | None, **more: float) -> Move:
    """Build a move of PA1 in r."""
    return Move(place=Place(metric="PA1", band="r", tract=0), old=old, new=new, **more)


def test_a_night_without_ledger_has_no_page() -> None:
    """Where nothing was ever accepted, nothing is said."""
    assert baselines_of(a_night()) is None


def test_the_newest_decision_comes_first() -> None:
    """Who, when, why and what: the address stays out, the expired one says so."""
    found = baselines_of(the_judged_example())
    assert found is not None
    assert [one.entry.decision.when.year for one in found.entries] == [2026, 2025, 2025, 2025]
    assert found.entries[0].who == "Ada Example"
    assert [one.entry.decision.ticket for one in found.expired] == ["DM-90017"]
    assert found.entries[-1].first == ("PA1 r", "AM1 r, i")
    assert found.entries[-1].moves == ()


def test_margin_is_spent_by_quarter_and_camera() -> None:
    """The mean of all series with a requirement, and the one that spent most; None where nothing moved."""
    found = baselines_of(the_judged_example())
    assert found is not None
    assert found.quarters == ("2025-Q4", "2026-Q1")
    decam, hsc = found.spent
    assert (decam.title, decam.cells[1]) == ("DECam", None)
    assert hsc.cells[1] is not None
    assert hsc.cells[1].worst.metric == "AM1"


def test_many_small_steps_are_a_ratchet() -> None:
    """Two accepted steps down are shown against the first accepted level."""
    found = baselines_of(the_judged_example())
    assert found is not None
    (one,) = found.ratchets
    assert (one.metric, one.where, one.steps, one.first) == ("AM1", "r", 2, f"9.100{NBSP}mas")


def test_a_move_says_how_much_margin_it_took() -> None:
    """Of a margin of 3, 1 is a third; what gained is negative; without a margin nothing is said."""
    assert share_of(a_move(a_value(5), a_value(6), margin_left=2, margin_spent=1)) == 1 / 3
    assert share_of(a_move(a_value(6), a_value(5), margin_left=3, margin_spent=-1)) == -0.5
    assert share_of(a_move(a_value(9), a_value(8.5), margin_left=-0.5, margin_spent=-0.5)) is None
    assert share_of(a_move(a_value(9), a_value(8.5))) is None


def test_each_kind_of_move_is_told_in_its_way() -> None:
    """A learned spread shows the spread, a dropped baseline is only named, an absence is a word."""
    learned = an_entry(a_move(a_value(5), a_value(5, tolerance=0.02, learned=True)), action="noise")
    dropped = an_entry(a_move(a_value(5), None), action="drop")
    absent = an_entry(a_move(a_value(5), Absent(absent="too few pairs"), sigma=-2.0))
    three, two, one = page(learned, dropped, absent).entries
    assert (one.moves[0].old, one.moves[0].new) == (f"spread 0.1000{NBSP}mmag", f"spread 0.02000{NBSP}mmag")
    assert (two.moves, two.dropped) == ((), ("PA1 r",))
    assert (three.moves[0].new, three.moves[0].sigma) == ("absent", f"\u22122.0{THIN}\u03c3")


def test_an_old_ledger_is_cut_and_counted() -> None:
    """The page stays readable after years; the ledger itself holds the rest."""
    entries = [an_entry(a_move(None, a_value(5))) for _ in range(ledger.SHOWN + 2)]
    found = page(*entries)
    assert (len(found.entries), found.more) == (ledger.SHOWN, 2)


def test_waivers_that_are_over_are_on_the_page() -> None:
    """They are findings of the night, until they are renewed or not needed any more."""
    waiver = a_finding(kind="waiver", reason="its waiver expired")
    fixed = a_finding(kind="waiver", state=FindingState.FIXED)
    found = page(an_entry(a_move(None, a_value(5))), findings=(waiver, fixed, a_finding()))
    assert found.waivers == (("testcam", waiver),)
