"""What the ledger says all in all: which decisions hold, which have expired, and what taking one back brings."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from qa.baselines.ledger import Absent, Decision, Entry, Move, Place, Value, make_entry, state_of
from qa.baselines.standing import expired, moves_back, replay, standing
from qa.model import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qa.baselines.ledger import Action, State
    from qa.judging.compare import Accepted, Key

SCOPE = Scope("hsc", "twin", "r", 0)
DAY = date(2026, 6, 1)
DECISION = Decision(who="A. Person <a@example.org>", when=datetime(2026, 3, 1, tzinfo=UTC), why="x")
HSC = ("hsc", "twin")


def a_value(value: float, tolerance: float = 0.5, *, learned: bool = False, unit: str = "mmag") -> Value:
    """Build an accepted value."""
    return Value(value=value, unit=unit, stderr=0.25, tolerance=tolerance, run=f"run of {value}", learned=learned)


def a_move(old: State | None, new: State | None, metric: str = "PA1", **more: Any) -> Move:
    """Move one baseline of HSC."""
    return Move(place=Place(metric=metric, band="r", tract=0), old=old, new=new, **more)


class Book:
    """A ledger in the making, without files."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def accepted(self) -> dict[Key, Accepted]:
        """What it says of HSC."""
        return replay(self.entries).get(HSC, {})

    def state(self, metric: str = "PA1") -> State | None:
        """Return what it says of one metric."""
        return state_of(self.accepted.get((metric, SCOPE)))

    def make(
        self, action: Action, *moves: Move, expires: date | None = None, undoes: str | None = None, camera: str = "hsc"
    ) -> Entry:
        """Add an entry."""
        made = make_entry(
            action,
            camera,
            "twin",
            decision=DECISION.model_copy(update={"expires": expires}),
            moves=moves,
            undoes=undoes,
            after=self.entries[-1].id if self.entries else "",
        )
        self.entries.append(made)
        return made

    def accept(self, states: Mapping[str, State | None], **options: Any) -> Entry:
        """Add an entry of the states that some metrics take."""
        return self.make("accept", *(a_move(self.state(one), new, one) for one, new in states.items()), **options)

    def noise(self, tolerance: float, metric: str = "PA1") -> Entry:
        """Learn a spread."""
        old = self.state(metric)
        assert isinstance(old, Value)
        return self.make("noise", a_move(old, old.model_copy(update={"tolerance": tolerance, "learned": True}), metric))

    def take_back(self, entry: Entry, moves: Sequence[Move] | None = None) -> Entry:
        """Add the undoing of an entry."""
        back = moves_back(entry, entry.moves if moves is None else moves, self.accepted)
        return self.make("undo", *back, undoes=entry.id)


def test_the_ledger_is_replayed_from_the_start() -> None:
    """The last state of each baseline counts, in its own camera and data set; what was let go is gone."""
    book = Book()
    book.accept({"PA1": a_value(4), "AM3": Absent(absent="too few"), "PF1": a_value(1)})
    book.make("accept", a_move(None, a_value(9)), camera="decam")
    book.accept({"PA1": a_value(5), "PF1": None})
    assert book.state() == a_value(5)
    assert book.state("AM3") == Absent(absent="too few")
    assert set(replay(book.entries)) == {HSC, ("decam", "twin")}
    assert all(key == (one.metric, one.scope) for key, one in book.accepted.items())
    assert ("PF1", SCOPE) not in book.accepted


def test_the_replay_of_nothing() -> None:
    """Is nothing."""
    assert replay(()) == {}
    assert standing(()) == ()
    assert expired((), DAY) == ()


def test_what_was_moved_on_from_does_not_stand() -> None:
    """A decision stands as far as no later one moved its baselines."""
    book = Book()
    first = book.accept({"PA1": a_value(4), "PF1": a_value(1)})
    second = book.accept({"PA1": a_value(5)})
    found = {one.entry.id: [move.place.metric for move in one.moves] for one in standing(book.entries)}
    assert found == {first.id: ["PF1"], second.id: ["PA1"]}


def test_the_same_metric_of_another_camera_is_another_baseline() -> None:
    """One camera's decision does not end another's."""
    book = Book()
    book.accept({"PA1": a_value(4)})
    book.make("accept", a_move(None, a_value(9)), camera="decam")
    assert [len(one.moves) for one in standing(book.entries)] == [1, 1]


def test_what_was_taken_back_does_not_stand_and_what_was_before_does_again() -> None:
    """Neither the undone decision nor the undoing is listed."""
    book = Book()
    first, second = book.accept({"PA1": a_value(4)}), book.accept({"PA1": a_value(5)})
    book.take_back(second)
    (one,) = standing(book.entries)
    assert (one.entry, one.moves) == (first, first.moves)


def test_a_learned_spread_moves_nothing_on() -> None:
    """Value and spread are decided apart: both entries stand in full."""
    book = Book()
    book.accept({"PA1": a_value(4)})
    book.noise(0.125)
    book.accept({"PA1": a_value(5, 0.125, learned=True)})
    assert [len(one.moves) for one in standing(book.entries)] == [0, 1, 1]
    book.noise(0.0)
    assert [len(one.moves) for one in standing(book.entries)] == [0, 0, 1, 1]


def test_a_decision_holds_on_its_day_and_expires_after_it() -> None:
    """The day is included, as a waiver's is."""
    book = Book()
    book.accept({"PA1": a_value(4)})
    entry = book.accept({"PA1": a_value(5), "PF1": a_value(1)}, expires=DAY)
    assert expired(book.entries, DAY) == ()
    (one,) = expired(book.entries, date(2026, 6, 2))
    assert (one.entry, one.moves) == (entry, entry.moves)


def test_what_was_moved_on_from_does_not_expire() -> None:
    """Only what still holds of a decision is past its day."""
    book = Book()
    entry = book.accept({"PA1": a_value(5), "PF1": a_value(1)}, expires=DAY)
    book.accept({"PA1": a_value(6)})
    assert [one.moves for one in expired(book.entries, date(2027, 1, 1))] == [entry.moves[1:]]
    book.accept({"PF1": a_value(2)})
    assert expired(book.entries, date(2027, 1, 1)) == ()


def test_what_holds_again_can_expire_after_all() -> None:
    """A decision whose rest was taken back is past its day again when what had moved on from it is undone."""
    book = Book()
    entry = book.accept({"PA1": a_value(5), "PF1": a_value(1)}, expires=DAY)
    later = book.accept({"PA1": a_value(6)})
    (one,) = expired(book.entries, date(2027, 1, 1))
    book.take_back(one.entry, one.moves)
    assert expired(book.entries, date(2027, 1, 1)) == ()
    book.take_back(later)
    (one,) = expired(book.entries, date(2027, 1, 1))
    assert (one.entry, one.moves, one.left) == (entry, entry.moves[:1], entry.moves[:1])
    book.take_back(one.entry, one.moves)
    assert book.accepted == {}
    assert standing(book.entries) == ()


def test_a_learned_spread_does_not_prolong_a_decision() -> None:
    """The value still expires, and what it falls back to keeps the spread that was learned."""
    book = Book()
    book.accept({"PA1": a_value(4)})
    entry = book.accept({"PA1": a_value(5)}, expires=DAY)
    book.noise(0.125)
    (one,) = expired(book.entries, date(2026, 6, 2))
    book.take_back(one.entry, one.moves)
    assert book.state() == a_value(4, 0.125, learned=True)
    assert one.entry == entry


def test_taking_back_says_what_margin_comes_back() -> None:
    """What was spent is won, and left is what there was before."""
    book = Book()
    entry = book.make("accept", a_move(None, a_value(5), margin_left=3.0, margin_spent=1.0))
    (back,) = moves_back(entry, entry.moves, book.accepted)
    assert (back.margin_left, back.margin_spent) == (4.0, -1.0)
    assert (back.old, back.new) == (a_value(5), None)
    first = book.make("accept", a_move(a_value(5), a_value(6), margin_left=2.0))
    (back,) = moves_back(first, first.moves, book.accepted)
    assert (back.margin_left, back.margin_spent) == (None, None)


def test_undoing_a_learned_spread_leaves_a_value_that_moved_since() -> None:
    """The spread goes back to what it was, the value stays."""
    book = Book()
    book.accept({"PA1": a_value(4)})
    learned = book.noise(0.125)
    book.accept({"PA1": a_value(5, 0.125, learned=True)})
    book.take_back(learned)
    assert book.state() == a_value(5, 0.5)


def test_undoing_a_learned_spread_that_is_no_more_changes_nothing() -> None:
    """A spread assumed anew, an absence and a baseline let go stay as they are."""
    for later in (a_value(5, 0.0625), Absent(absent="gone"), None, a_value(5, 0.125, learned=True, unit="mag")):
        book = Book()
        book.accept({"PA1": a_value(4)})
        learned = book.noise(0.125)
        book.accept({"PA1": later})
        book.take_back(learned)
        assert book.state() == later


def test_a_learned_spread_is_not_carried_into_another_unit_or_an_absence() -> None:
    """Undoing a decision after something was learned gives its old state as it was."""
    for old in (Absent(absent="too few"), None, a_value(4, unit="mag")):
        book = Book()
        book.accept({"PA1": old})
        entry = book.accept({"PA1": a_value(5)})
        book.noise(0.125)
        book.take_back(entry)
        assert book.state() == old


def test_a_spread_that_was_learned_before_comes_back_with_its_value() -> None:
    """Undoing a decision that assumed a spread anew gives the learned one back."""
    book = Book()
    book.accept({"PA1": a_value(4)})
    book.noise(0.125)
    entry = book.accept({"PA1": a_value(5, 0.0625)})
    book.take_back(entry)
    assert book.state() == a_value(4, 0.125, learned=True)


STATES = st.one_of(
    st.none(),
    st.builds(Absent, absent=st.sampled_from(["a", "b"])),
    st.builds(a_value, st.integers(0, 3).map(float), st.sampled_from([0.0, 0.5]), learned=st.booleans()),
)
METRICS = st.sampled_from(["PA1", "PF1"])


@given(before=st.lists(st.dictionaries(METRICS, STATES, min_size=1), max_size=3), last=st.dictionaries(METRICS, STATES))
def test_undoing_the_last_decision_is_as_if_it_had_not_been_made(
    before: list[dict[str, State | None]], last: dict[str, State | None]
) -> None:
    """Whatever the decisions: what is accepted, and what stands, is what it was."""
    book = Book()
    for one in before:
        book.accept(one)
    accepted, stands = book.accepted, standing(book.entries)
    book.take_back(book.accept(last))
    assert book.accepted == accepted
    assert standing(book.entries) == stands
