"""Faults for people."""

from __future__ import annotations

from qa.requirements.doctor import grouped, listing
from qa.requirements.doctor.listing import counted
from qa.requirements.faults import Fault, Severity


def spelled(number: int, *, file: str = "/a/f.yaml", correct: str = "unit: '%'") -> Fault:
    """Make one of many faults that say the same."""
    summary = "the unit '%' is spelled 'percent'"
    return Fault(file, number, "spelling", f"m{number}: {summary}", correct, Severity.WARNING, f"m{number}", summary)


def a_note(number: int) -> Fault:
    """Make one of many notes."""
    return Fault("/a/g.yaml", number, "orphan", f"m{number}: idle", "", Severity.NOTE, f"m{number}", "idle")


ERROR = Fault("/a/b/e.yaml", 7, "order", "x: 5 is laxer than 4", "4")


def test_a_single_fault_is_two_lines() -> None:
    """What is wrong, and where, with the correct value."""
    assert list(listing([ERROR])) == ["error [order] x: 5 is laxer than 4", "    /a/b/e.yaml:7 -> 4", "", "1 error"]


def test_many_of_a_kind_are_one_entry_with_examples() -> None:
    """Three of them; files are seen from the folder they share, and the correct value they share is told once."""
    found = [ERROR, *(spelled(number) for number in range(1, 6))]
    assert list(listing(found)) == [
        "files are in /a",
        "",
        "error [order] x: 5 is laxer than 4",
        "    b/e.yaml:7 -> 4",
        "",
        "warning [spelling] 5 times: the unit '%' is spelled 'percent'",
        "    correct: unit: '%'",
        "    f.yaml:1 m1",
        "    f.yaml:2 m2",
        "    f.yaml:3 m3",
        "    and 2 more (--all lists them)",
        "",
        "1 error, 5 warnings",
    ]


def test_all_are_listed_when_asked_for() -> None:
    """With nothing left over."""
    lines = list(listing([spelled(number) for number in range(5)], examples=None))
    assert sum("f.yaml:" in line for line in lines) == 5
    assert not any("more" in line for line in lines)


def test_different_corrections_are_told_one_by_one() -> None:
    """Behind each example."""
    lines = list(listing([spelled(1, correct="a"), spelled(2, correct="b")]))
    assert lines[1:3] == ["    /a/f.yaml:1 m1 -> a", "    /a/f.yaml:2 m2 -> b"]


def test_details_follow_the_subject() -> None:
    """What one fault says more than its kind."""
    one, two = (Fault("f", n, "r", f"m{n}: same: {n} mas", "", Severity.ERROR, f"m{n}", "same") for n in (1, 2))
    assert list(listing([one, two]))[1:3] == ["    f:1 m1: 1 mas", "    f:2 m2: 2 mas"]


def test_notes_are_named_only() -> None:
    """In one line, unless all are asked for."""
    assert list(listing([a_note(1), a_note(2)]))[1] == "    m1, m2"
    assert list(listing([a_note(n) for n in range(5)]))[1] == "    m0, m1, m2, ..."
    assert sum("g.yaml:" in line for line in listing([a_note(n) for n in range(5)], examples=None)) == 5


def test_no_fault_is_said_so() -> None:
    """One line."""
    assert list(listing([])) == ["no fault"]
    assert counted([a_note(1), a_note(2), ERROR]) == "1 error, 2 notes"


def test_paths_of_two_kinds_share_no_folder() -> None:
    """They are written as they are."""
    lines = list(listing([ERROR, spelled(1, file="f.yaml")]))
    assert "    f.yaml:1 -> unit: '%'" in lines


def test_groups_keep_the_order_of_their_first() -> None:
    """And hold all of their kind."""
    groups = grouped([spelled(1), ERROR, spelled(2)])
    assert [(one.rule, len(one.faults)) for one in groups] == [("spelling", 2), ("order", 1)]


def test_a_fault_is_one_line_of_text() -> None:
    """With file, line, severity, message, correct value and rule."""
    assert str(ERROR) == "/a/b/e.yaml:7: error: x: 5 is laxer than 4; correct: 4 [order]"
    assert str(a_note(1)) == "/a/g.yaml:1: note: m1: idle [orphan]"
