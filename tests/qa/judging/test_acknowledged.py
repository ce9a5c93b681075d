"""The file of acknowledgements."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from qa.errors import DocumentError, RequestError, UnknownNameError
from qa.judging.acknowledged import FILE_NAME, Line, acknowledge, load, moment, withdraw
from qa.judging.judged import Acknowledgement

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def a_line(finding: str = "3f2a1c09", *, until: date = date(2026, 4, 1), why: str = "being mended: soon") -> Line:
    """Make an acknowledgement."""
    return Line(finding=finding, of="PA1 of hsc/twin", who="A Person", when=NOW, until=until, why=why)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """One line for each, under a heading that says what the file is."""
    assert load(tmp_path) == ()
    first, second = a_line(), a_line("00000000", why="# 'quotes' \"and\" {braces}: ü")
    acknowledge(tmp_path, first)
    acknowledge(tmp_path, second)
    assert load(tmp_path) == (first, second)
    lines = (tmp_path / FILE_NAME).read_text().splitlines()
    assert len([line for line in lines if line.startswith("- ")]) == 2
    assert lines[0].startswith("# Findings that may stand for a while")
    assert first.value == Acknowledgement("3f2a1c09", "A Person", NOW, date(2026, 4, 1), "being mended: soon")


def test_a_finding_has_one_acknowledgement(tmp_path: Path) -> None:
    """The new one replaces the old one."""
    acknowledge(tmp_path, a_line())
    acknowledge(tmp_path, a_line(until=date(2026, 5, 1)))
    assert [one.until for one in load(tmp_path)] == [date(2026, 5, 1)]


def test_an_acknowledgement_can_be_withdrawn(tmp_path: Path) -> None:
    """Once; what there is to withdraw is told."""
    acknowledge(tmp_path, a_line())
    acknowledge(tmp_path, a_line("00000000"))
    assert withdraw(tmp_path, "3f2a1c09") == a_line()
    with pytest.raises(UnknownNameError, match="no acknowledged finding is called '3f2a1c09'; known: 00000000"):
        withdraw(tmp_path, "3f2a1c09")


@pytest.mark.parametrize("until", [date(2026, 2, 28), date(2027, 3, 3)])
def test_an_acknowledgement_is_for_a_while(tmp_path: Path, until: date) -> None:
    """Neither for yesterday nor for good."""
    with pytest.raises(RequestError, match=f"--until must be a day from today to 366 days ahead, got {until}"):
        acknowledge(tmp_path, a_line(until=until))
    assert load(tmp_path) == ()


@pytest.mark.parametrize("until", [date(2026, 3, 1), date(2027, 3, 2)])
def test_its_day_may_be_today_or_a_year_ahead(tmp_path: Path, until: date) -> None:
    """Both included."""
    acknowledge(tmp_path, a_line(until=until))
    assert len(load(tmp_path)) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "a: b\n<<<<<<< HEAD\n",
            ":2: must be acknowledgements of schema 1, one a line, found a merge conflict; resolve it",
        ),
        ("a: [b\n", r":\d+: must be acknowledgements"),
        ("document: acknowledged\nschema: 2\nacknowledged:\n", "found Input should be 1 at schema"),
        ("[]\n", "at the top"),
        (
            (
                "document: acknowledged\nschema: 1\nacknowledged:\n- {finding: 3f2a1c09, of: a, who: b, why: c, "
                "until: soon, when: 2026-03-01T00:00:00Z}\n"
            ),
            "at acknowledged.0.until",
        ),
        (
            (
                "document: acknowledged\nschema: 1\nacknowledged:\n- {finding: 3f2a1c09, of: a, who: b, why: c, "
                "until: 2026-03-01, when: 2026-03-01T00:00:00}\n"
            ),
            "timezone",
        ),
    ],
)
def test_nonsense_is_told_in_one_line(tmp_path: Path, text: str, found: str) -> None:
    """With the file, and the place where that is known."""
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(DocumentError, match=found) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / FILE_NAME) in str(caught.value)


def test_a_moment_is_written_to_the_second() -> None:
    """Fractions tell nobody anything."""
    assert moment(NOW.replace(microsecond=5)) == NOW
