from dataclasses import replace
from datetime import date, timedelta

import pytest

from qa.judging.judged import Acknowledgement, Finding, FindingState, Forecast, Incident, Shift, ShiftKind
from qa.judging.judged import Cause as Blamed
from qa.model import Level, Scope, Status
from reports.states import began, forecast_sentence, is_quiet, standings, tags
from reports.testing import NOW, a_finding, a_night
from reports.wording import NBSP

SCOPE = Scope("testcam", "twin", "r", 0)
TODAY = date(2026, 11, 23)


def said(finding: Finding | None, *, known: bool = False) -> list[str]:
    """Return the texts of a finding's tags."""
    return [tag.text.replace(NBSP, " ") for tag in tags(finding, known=known, now=NOW)]


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (a_finding(), ["new tonight"]),
        (a_finding(nights=3), ["open for 3 nights"]),
        (a_finding(nights=2, since=NOW), ["confirmed tonight"]),
        (a_finding(state=FindingState.UNCONFIRMED), ["unconfirmed"]),
        (a_finding(state=FindingState.REOPENED, nights=4, since=NOW), ["reopened tonight"]),
        (a_finding(state=FindingState.REOPENED, nights=4), ["reopened on 26 Feb 2026"]),
        (a_finding(state=FindingState.FIXED, nights=4, since=NOW), ["fixed tonight"]),
        (a_finding(kind="below-gate", known=True, nights=9), ["open for 9 nights", "known deficit"]),
        (a_finding(known=True, nights=2), ["open for 2 nights"]),
        (None, []),
    ],
)
def test_a_finding_says_where_it_stands(finding: Finding | None, words: list[str]) -> None:
    """One tag for the state, one more for a known deficit; a finding of which nothing is known has none."""
    assert said(finding) == words


def test_a_deficit_without_a_finding_is_tagged_as_before() -> None:
    """What tonight's value alone shows to be a known deficit needs no history."""
    assert said(None, known=True) == ["known deficit"]


def test_an_acknowledged_finding_says_until_when_and_by_whom() -> None:
    """The address of whoever acknowledged it stays out of the page; the reason is at hand."""
    leave = Acknowledgement("id", "Ada Example <ada@example.org>", NOW, date(2026, 12, 12), "being mended")
    finding = a_finding(state=FindingState.ACKNOWLEDGED, acknowledgement=leave)
    (tag,) = tags(finding, known=False, now=NOW)
    assert tag.text.replace(NBSP, " ") == "acknowledged until 12 Dec 2026 by Ada Example"
    assert tag.title == "being mended"


@pytest.mark.parametrize(
    ("finding", "quiet"),
    [
        (a_finding(state=FindingState.ACKNOWLEDGED), True),
        (a_finding(kind="below-gate", known=True), True),
        (a_finding(kind="below-gate", known=True, status=Status.FAIL), False),
        (a_finding(kind="below-gate"), False),
        (a_finding(known=True, nights=3), False),
        (a_finding(state=FindingState.REOPENED), False),
    ],
)
def test_what_is_quiet(finding: Finding, quiet: bool) -> None:  # noqa: FBT001 - a table
    """An accepted deficit and what is acknowledged ask nothing of anybody; an open step does, however old."""
    assert is_quiet(finding) is quiet


@pytest.mark.parametrize(
    ("forecast", "words"),
    [
        (
            Forecast(Level.DESIGN, date(2026, 12, 12), date(2026, 12, 3), date(2027, 1, 8)),
            "will cross design about 12 Dec, between 3 Dec and 8 Jan",
        ),
        (
            Forecast(Level.MINIMUM, date(2027, 8, 1), date(2026, 12, 3), None),
            "will cross minimum about 1 Aug 2027, not before 3 Dec and perhaps never",
        ),
    ],
)
def test_a_forecast_is_a_sentence_with_its_interval(forecast: Forecast, words: str) -> None:
    """Near days go without their year; where the drift may never cross, that is said."""
    assert forecast_sentence(forecast, TODAY).replace(NBSP, " ") == words


def a_shift(kind: ShiftKind = ShiftKind.STEP) -> Shift:
    """Build a shift of tonight."""
    return Shift("PA1", SCOPE, kind, NOW, NOW, 5.0, 6.0, 10.0, 1e-6)


def test_a_series_has_its_finding_its_incident_and_its_shifts() -> None:
    """Shifts of tonight and of the finding count once each; an incident of tonight outdoes an earlier one."""
    night = a_night(
        shifts=(a_shift(), a_shift(ShiftKind.SPIKE)),
        findings=(a_finding(incident="old", shift=a_shift()),),
        earlier=(an_incident("old"),),
    )
    (standing,) = standings(night).values()
    assert standing.incident == an_incident("old")
    assert standing.shifts == (a_shift(), a_shift(ShiftKind.SPIKE))
    (standing,) = standings(replace(night, incidents=(an_incident("new"),))).values()
    assert standing.incident == an_incident("new")
    assert standing.finding is not None


def an_incident(name: str) -> Incident:
    """Build an incident of one series."""
    return Incident(name, Blamed.NOISE, (("PA1", SCOPE),), (), (), {}, name)


def test_what_was_fixed_long_ago_is_remembered_and_not_shown() -> None:
    """A fixed finding is shown on the night that found it fixed, and never instead of one that stands."""
    night = a_night()
    old = a_finding(state=FindingState.FIXED, since=began(night) - timedelta(days=1))
    new = a_finding(state=FindingState.FIXED, since=began(night))
    stands = a_finding(state=FindingState.REOPENED)
    assert standings(replace(night, findings=(old,))) == {}
    assert [one.finding for one in standings(replace(night, findings=(new,))).values()] == [new]
    assert [one.finding for one in standings(replace(night, findings=(stands, new))).values()] == [stands]
