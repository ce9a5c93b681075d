"""How a run stands to others, in a report."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console

from qa.model import Lane, Scope
from reports.lineage import lineage, reproduce_command
from reports.site import write_site
from reports.testing import HOSTILE, a_comparison, a_night
from reports.text import markdown, terminal
from reports.view import build

if TYPE_CHECKING:
    from pathlib import Path

    from reports.night import Night


def a_child() -> Night:
    """Build a night that is a child, as of a day."""
    night = a_night(comparisons=(a_comparison(),))
    return replace(night, plan=replace(night.plan, parent="20260228T0050", calibrations_as_of=date(2018, 1, 18)))


def test_a_night_like_others_says_nothing() -> None:
    """There is no parent and no day."""
    assert lineage(a_night()) == ()


def test_parent_and_day_are_told_wherever_a_night_is(tmp_path: Path) -> None:
    """On the first page, in the terminal and in Markdown."""
    night = a_child()
    assert len(lineage(night)) == 2
    stream = io.StringIO()
    Console(file=stream, width=1000).print(terminal(build(night)))
    page = write_site(night, tmp_path / "report").read_text()
    for said in (stream.getvalue(), markdown(build(night)).replace("\\", ""), page):
        assert "A child of 20260228T0050" in said
        assert "would have been used on 2018-01-18" in said


def test_a_value_tells_how_it_is_rerun(tmp_path: Path) -> None:
    """With everything that chooses it; a hostile name is one word to a shell, and inert on the page."""
    night = a_child()
    (row,) = (row for metric in build(night).metrics for row in metric.rows)
    words = shlex.split(reproduce_command(row, night))
    scope = row.comparison.scope
    run = f"as-of/2018-01-18/{night.plan.run_id}"  # by its id alone it is not found among the nights
    assert words[:5] == ["obsqa", "reproduce", run, scope.camera, row.comparison.metric]
    assert words[5:] == ["--band", scope.band, "--dataset", scope.dataset]
    hostile = replace(row, comparison=a_comparison(scope=Scope(HOSTILE, "a b;c", "r", 0)))
    words = shlex.split(reproduce_command(hostile, night))
    assert words[3] == HOSTILE
    assert words[-1] == "a b;c"
    (page,) = (write_site(night, tmp_path / "report").parent / "metrics").glob("*.html")
    assert f'title="obsqa reproduce {run} ' in page.read_text()


def test_what_others_measured_is_not_rerun() -> None:
    """What rests on raws of one's own is."""
    night = a_child()
    (row,) = (row for metric in build(night).metrics for row in metric.rows)
    of_lane = {lane: replace(night, plan=replace(night.plan, lane=lane)) for lane in (Lane.IMPORTED, Lane.RAWS)}
    assert reproduce_command(row, of_lane[Lane.IMPORTED]) == ""
    assert reproduce_command(row, of_lane[Lane.RAWS]).startswith("obsqa reproduce ")
