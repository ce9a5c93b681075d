import io

from rich.console import Console

from qa.documents import to_plain
from reports import text
from reports.example import the_example
from reports.night import RunStatus
from reports.testing import HOSTILE, a_camera_night, a_comparison, a_night
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


def test_the_summary_is_complete_and_plain() -> None:
    """Machines get every camera and finding, in values JSON can hold."""
    view = build(the_example())
    summary = text.summary(view)
    assert (summary.verdict, summary.exit_code) == ("fail", 1)
    assert len(summary.cameras) == 7
    assert len(summary.findings) == len(view.findings)
    assert to_plain(summary, text.Summary)["findings"][0]["scope"] == "decam/twin/r/t0"


def test_an_empty_night_can_be_told() -> None:
    """Nothing ran: three forms, no table of nothing."""
    assert "Nothing ran tonight" in printed(a_night())
    assert "| camera" not in text.markdown(build(a_night()))
