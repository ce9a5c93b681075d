"""The ledger's text: readable, one line for each baseline, and refused with its line where it makes no sense."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.baselines.ledger import (
    HEADER,
    Absent,
    Decision,
    Entry,
    LedgerError,
    Move,
    Place,
    State,
    Value,
    accepted_of,
    make_entry,
    parse,
    state_of,
    to_text,
    worded,
)

DECISION = Decision(who="A. Person <a@example.org>", when=datetime(2026, 3, 1, tzinfo=UTC), why="first: 50% better")
PLACE = Place(metric="PA1", band="r", tract=0)
VALUE = Value(value=4.0, unit="mmag", stderr=0.1, tolerance=0.01, run="20260301T000000Z")


def an_entry(
    old: State | None = None, new: State | None = VALUE, *, after: str = "", place: Place = PLACE, **changes: object
) -> Entry:
    """Make an accepted entry of one move."""
    return make_entry(
        "accept",
        "hsc",
        "twin",
        decision=DECISION.model_copy(update=changes),
        moves=(Move(place=place, old=old, new=new),),
        after=after,
    )


FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=0, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20)
STATES = st.one_of(
    st.none(),
    st.builds(Absent, absent=TEXTS),
    st.builds(
        Value,
        value=FINITE,
        unit=st.sampled_from(["", "%", "mmag"]),
        stderr=st.none() | POSITIVE,
        tolerance=POSITIVE,
        run=TEXTS,
        learned=st.booleans(),
    ),
)
PLACES = st.builds(
    Place, metric=TEXTS, band=st.none() | TEXTS, tract=st.none() | st.integers(0, 9), task=st.none() | TEXTS
)


@given(
    moves=st.lists(
        st.builds(Move, place=PLACES, old=STATES, new=STATES, sigma=st.none() | FINITE), min_size=1, max_size=3
    ),
    why=TEXTS,
    expires=st.none() | st.dates(),
)
def test_what_is_written_is_read_again(moves: list[Move], why: str, expires: date | None) -> None:
    """Every bit of every number and every character of every text comes back; a move is one line."""
    decision = DECISION.model_copy(update={"why": why, "expires": expires})
    entry = make_entry("accept", "hsc", "twin", decision=decision, moves=tuple(moves), after="")
    text = to_text(entry)
    assert parse(HEADER + text) == (entry,)
    assert sum(line.startswith("  - {") for line in text.splitlines()) == len(moves)


def test_an_entry_for_people() -> None:
    """The decision is spread out, and what does not apply is left out."""
    new = VALUE.model_copy(update={"run": "a"})
    text = to_text(an_entry(new=new, ticket="DM-1", expires=date(2026, 6, 1)))
    assert text.splitlines()[1:] == [
        "  action: accept",
        "  camera: hsc",
        "  dataset: twin",
        "  who: A. Person <a@example.org>",
        "  when: '2026-03-01T00:00:00Z'",
        "  why: 'first: 50% better'",
        "  ticket: DM-1",
        "  expires: '2026-06-01'",
        "  moves:",
        "  - {metric: PA1, band: r, tract: 0, new: {value: 4.0, unit: mmag, stderr: 0.1, tolerance: 0.01, run: a}}",
    ]


def test_a_spread_says_that_it_was_learned_and_nothing_when_it_was_not() -> None:
    """So lines from before there were learned spreads stay as they are."""
    assert "learned" not in to_text(an_entry())
    assert "tolerance: 0.0, run: x, learned: true}" in to_text(
        an_entry(new=VALUE.model_copy(update={"tolerance": 0.0, "run": "x", "learned": True}))
    )


def test_names_depend_on_what_is_said_and_on_what_was_before() -> None:
    """So two decisions never share one."""
    one, again = an_entry(), an_entry(after=an_entry().id)
    assert len({one.id, again.id, an_entry(why="other").id, an_entry(new=None).id}) == 4
    assert len(one.id) == 8
    assert one.id == an_entry().id


@given(state=STATES)
def test_a_state_becomes_an_accepted_value_and_back(state: State | None) -> None:
    """Nothing is lost between ledger and comparison."""
    if state is not None:
        assert state_of(accepted_of(PLACE, state, "hsc", "twin")) == state
    else:
        assert state_of(None) is None


def test_a_state_in_words() -> None:
    """To the last bit."""
    assert worded(VALUE) == "4.0 +- 0.1 mmag (spread 0.01)"
    bare = VALUE.model_copy(update={"unit": "", "stderr": None, "learned": True, "tolerance": 0.0})
    assert worded(bare) == "4.0 (spread 0.0, learned)"
    assert worded(Absent(absent="too few")) == "absent (too few)"
    assert worded(None) == "nothing"


def test_a_place_in_words() -> None:
    """Absent parts are left out."""
    assert str(PLACE) == "PA1 r t0"
    assert str(Place(metric="cpu", task="isr")) == "cpu isr"


GOOD = HEADER + to_text(an_entry())
ID = an_entry().id


@pytest.mark.parametrize(
    ("old", "new", "line", "found"),
    [
        ("entries:\n", "entries: [", 4, "did not find expected node content"),
        ("schema: 1", "schema: 2", 3, "Input should be 1 at schema, got 2"),
        ("document: ledger", "document: budget", 2, "Input should be 'ledger' at document, got 'budget'"),
        ("  camera: hsc", "  camera: hsc\n  camera: decam", 8, "the key 'camera' twice"),
        ("action: accept", "action: wish", 6, "got 'wish'"),
        ("action: accept", "action: undo", 5, f"undo {ID}, which takes back nothing"),
        ("  camera: hsc", "  undoes: feedbeef\n  camera: hsc", 5, f"accept {ID}, which takes back feedbeef"),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00", 10, "a time must have a zone at entries.0.when"),
        ("2026-03-01T00:00:00Z", "soon", 10, "at entries.0.when, got 'soon'"),
        ("who: A. Person <a@example.org>", "who: ''", 9, "at entries.0.who"),
        ("who: A. Person", "whom: A. Person", 9, "entries.0"),
        ("value: 4.0", "value: '4.0'", 13, "Input should be a valid number at entries.0.moves.0.new.value, got '4.0'"),
        ("value: 4.0", "value: .nan", 13, "Input should be a finite number at entries.0.moves.0.new.value, got nan"),
        ("value: 4.0", "value: yes", 13, "Input should be a valid number at entries.0.moves.0.new.value, got True"),
        ("stderr: 0.1", "stderr: -0.1", 13, "greater than or equal to 0 at entries.0.moves.0.new.stderr, got -0.1"),
        ("tolerance: 0.01", "tolerance: -0.01", 13, "greater than or equal to 0 at entries.0.moves.0.new.tolerance"),
        ("tolerance: 0.01", "tolerance: .inf", 13, "finite number at entries.0.moves.0.new.tolerance, got inf"),
        ("unit: mmag", "units: mmag", 13, "entries.0.moves.0.new"),
    ],
)
def test_nonsense_is_refused_with_its_line(old: str, new: str, line: int, found: str) -> None:
    """One line: where, and what stands there."""
    assert old in GOOD
    with pytest.raises(LedgerError) as refused:
        parse(GOOD.replace(old, new, 1))
    assert found in str(refused.value)
    if "whom" not in new:  # the key that lacks has no line: that of its entry is named
        assert refused.value.line == line


def test_an_entry_that_stands_twice_is_refused() -> None:
    """A merge that kept both sides did that."""
    twice = GOOD + to_text(an_entry())
    with pytest.raises(LedgerError, match=rf"line 14: entry {ID} a second time"):
        parse(twice)


def test_an_undo_before_what_it_undoes_is_refused() -> None:
    """Entries are in the order in which they were made."""
    first = an_entry()
    back = (Move(place=PLACE, old=VALUE, new=None),)
    undo = make_entry("undo", "hsc", "twin", decision=DECISION, moves=back, undoes=first.id, after=first.id)
    assert parse(HEADER + to_text(first) + to_text(undo)) == (first, undo)
    with pytest.raises(LedgerError, match=f"undo {undo.id}, which takes back {first.id}"):
        parse(HEADER + to_text(undo) + to_text(first))


@pytest.mark.parametrize(
    "text",
    [
        "- PA1",
        GOOD.replace("- {metric: PA1", "- PA1\n  - {metric: PA1"),
        "document: ledger\nschema: 1\nentries:\n- PA1\n",
        "",
        "a: !!python/name:os",
    ],
)
def test_what_is_no_ledger_at_all(text: str) -> None:
    """Is refused, and nothing in it is called."""
    with pytest.raises(LedgerError):
        parse(text)


def test_an_empty_ledger() -> None:
    """Has no entries."""
    assert parse(HEADER) == ()
