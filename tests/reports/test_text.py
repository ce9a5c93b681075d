import io

from rich.console import Console

from qa.judging.judged import Cause, Incident
from qa.model import Scope
from reports import text
from reports.example import the_example
from reports.judged_example import the_judged_example
from reports.night import RunStatus
from reports.testing import HOSTILE, a_camera_night, a_comparison, a_finding, a_night
from reports.view import build


def printed(night: object) -> str:
    """Return what a night looks like where there is no terminal."""
    stream = io.StringIO()
    Console(file=stream, width=100).print(text.terminal(build(night)))  # type: ignore[arg-type]
    return stream.getvalue()


def test_the_terminal_says_what_the_report_says() -> None:
    """Verdict, headline, cameras, findings and coverage, without escape codes where there is no terminal."""
    said = printed(the_example())
    assert said.startswith("✖ FAIL  2 of 5 cameras pass; DECam fails")
    assert "LATISS     ■ did not finish" in said
    assert "COVERAGE SHRANK: VIRCAM" in said
    assert "\x1b" not in said


def test_markup_in_names_is_text() -> None:
    """Square brackets are shown, not obeyed."""
    assert "[red]cam[/red]" in printed(a_night(a_camera_night("x", title="[red]cam[/red]")))


def test_long_lists_are_cut_and_counted() -> None:
    """A night of many findings stays one screen."""
    found = tuple(a_comparison(factor=1.6, scope=row.comparison.scope) for row in build(the_example()).metrics[-1].rows)
    said = printed(a_night(a_camera_night(), comparisons=found))
    assert f"and {len(found) - text.SHOWN} more" in said
    assert f"- and {len(found) - text.SHOWN} more" in text.markdown(build(a_night(a_camera_night(), comparisons=found)))


def test_markdown_is_inert() -> None:
    """Names cannot open tags, tables, links or emphasis in a chat or a mail."""
    night = a_night(a_camera_night("x", title=HOSTILE, status=RunStatus.FAILED, reason=HOSTILE))
    said = text.markdown(build(night))
    assert "<script" not in said
    assert "\\| \\`tick\\` " in said
    assert "| camera | tonight |" in said


def test_an_empty_night_can_be_told() -> None:
    """Nothing ran: three forms, no table of nothing."""
    assert "Nothing ran tonight" in printed(a_night())
    assert "| camera" not in text.markdown(build(a_night()))


def test_incidents_come_first_with_cause_and_what_changed() -> None:
    """Terminal and Markdown say the cause, the state and the forecast, and count what is known or fixed."""
    view = build(the_judged_example())
    said = " ".join(printed(the_judged_example()).split())
    mailed = text.markdown(view).replace("\u00a0", " ")
    assert "ALGORITHM 97 %: 23 metrics of 3 cameras moved after a change" in said
    assert "; changed: package meas_astrom, package numpy" in said
    assert "[open for 10 nights]" in said
    assert "2 metrics known or acknowledged; 1 metric fixed tonight" in said
    assert "## Incidents" in mailed
    assert "  - against camera: No camera's own package changed" in mailed
    assert "It will cross design about 19 Mar, between 11 Mar and 6 Apr." in mailed


def test_an_outage_is_told_in_both() -> None:
    """What has no value tonight has its line as well, with as many facts as fit."""
    outage = a_finding("outage", kind="outage", reason="disk full")
    facts = ("a", "b", "c", "d", "e")
    incident = Incident("x", Cause.NOISE, (("PA1", Scope("x", "twin")),), facts, (), {}, "it moved")
    night = a_night(a_camera_night(), findings=(outage,), incidents=(incident,))
    assert "outage \u00b7 r: disk full [new tonight]" in printed(night)
    assert "changed: a, b, c and 2 more" in printed(night)
    assert "disk full" in text.markdown(build(night))
