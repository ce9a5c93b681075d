"""What is said of a rerun."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ci.reproduce.text import lines, plain, readme
from qa.provenance.reproduction import answer

if TYPE_CHECKING:
    from qa.provenance.reproduction import Reproduction


def said(what: Reproduction, value: float | None, **facts: str) -> list[str]:
    """Return the lines of a rerun that gave some value."""
    found = None if value is None else replace(what.expected, value=value)
    return list(lines(answer(what, found, facts=what.facts | facts, reason="too few stars", cpu_seconds=11.2)))


def test_the_same_is_said_to_be_the_same(what: Reproduction) -> None:
    """Also where facts differ, which is worth to know."""
    assert said(what, 1.25) == [
        "PA1 (hsc/twin-quick/r/t0) of 20260301T010000Z: 1.25 mmag",
        "  measured here: the same to the last bit (11 s of CPU time)",
        "  all facts are the same",
    ]
    assert said(what, 1.25, kernel="Linux 7")[2:] == ["  though these facts differ:", "    kernel: - -> Linux 7"]


def test_a_difference_is_said_with_its_facts(what: Reproduction) -> None:
    """In the unit and in standard errors, to the last digit; without a fact that differs, that is said."""
    assert said(what, 1.35, **{"package numpy": "2.1.0"})[1:] == [
        "  measured here: 1.35 mmag",
        "  not the same: it differs by +0.1 mmag, +0.5 standard errors (11 s of CPU time)",
        "  facts that differ:",
        "    package numpy: 2.0.0 -> 2.1.0",
    ]
    assert said(what, 1.35)[3:] == ["  no fact differs that could be the cause"]


def test_what_was_not_measured_has_a_reason(what: Reproduction) -> None:
    """That of the run."""
    assert said(what, None)[1] == "  not measured here: too few stars"


def test_names_from_an_archive_cannot_move_the_cursor(what: Reproduction) -> None:
    """Each line stays one line of letters."""
    hostile = replace(what, facts=what.facts | {"package \x1b[2Jevil\n": "1"})
    found = list(lines(answer(hostile, None, facts={}, reason="a\nb\x07")))
    assert all(line.isprintable() for line in found)


def test_machines_get_every_bit(what: Reproduction) -> None:
    """And no number that JSON does not know."""
    body = json.loads(json.dumps(plain(answer(what, what.expected, facts={})), allow_nan=False))
    assert body["same"] is True
    assert body["found_digits"] == body["expected_digits"] == what.digits
    assert body["difference"] == 0.0


def test_the_page_tells_whose_code_it_is(what: Reproduction) -> None:
    """And what the data gave when the archive was made."""
    known = replace(what, code="0123456789ab", facts=what.facts | {"revision": "ba9876543210"})
    page = readme(replace(known, here=replace(what.expected, value=1.5)), exact=False)
    assert "obsqa's code, revision 0123456789ab (not that of the run, ba9876543210)" in page
    assert "these data gave 1.5 mmag" in page
    assert "processes the 2 exposures it rests on" in " ".join(
        readme(replace(known, exposures=(1, 2)), exact=True).split()
    )
    assert "(not that of the run" not in readme(known, exact=True)
    assert "the same value to the last bit" in readme(replace(known, here=what.expected), exact=True)
