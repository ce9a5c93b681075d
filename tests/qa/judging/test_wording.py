"""The sentences of verdicts."""

from __future__ import annotations

from dataclasses import replace

from qa.judging import wording
from qa.model import Ladder, Level, Scope, Unmeasured

LADDER = Ladder("PA1", "r", "mmag", "<=", 8.0, 5.0, 3.0, "LPM-17, Table 14")
ABSENT = Unmeasured("PA1", Scope("hsc", "twin"), "no stars.")


def test_values_are_written_to_be_told_apart() -> None:
    """With four digits at least, and more where it takes more."""
    assert wording.pair(1.0, 2.0, "mmag") == ("1 mmag", "2 mmag")
    assert wording.pair(1.000001, 1.000002, "") == ("1.000001", "1.000002")
    assert wording.pair(1.5, 1.5, "mas") == ("1.5 mas", "1.5 mas")


def test_an_absence_that_nobody_accepted_says_so() -> None:
    """With its reason."""
    expected = "PA1 was not measured: no stars; its absence has not been accepted."
    assert wording.absence(ABSENT, None) == expected


def test_a_requirement_of_one_level_is_missed_at_that_level() -> None:
    """There is no other to name."""
    only = replace(LADDER, only=Level.DESIGN)
    assert wording.level(Level.MINIMUM, only, Level.MINIMUM) == "it misses design (at most 5 mmag, LPM-17, Table 14)"
    assert wording.level(Level.DESIGN, only, Level.MINIMUM).startswith("it reaches design")
