"""`obsqa diff` on journals."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from qa.journal import FILE_NAME, Journal
from qa.model import Change, Comparison, Lane, Level, Plan, Stage, Status, Step, Trigger, Unmeasured
from qa.record import Judged, Measured, RunStarted
from qa.testing import NOW, Clock, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

    from qa.model import Result


def a_night(
    runs: Path, name: str, *results: Result, parent: str = "", status: Status = Status.PASS, **facts: str
) -> None:
    """Write the journal of a night of HSC's twin."""
    steps = (Step("hsc", "twin", Stage.MEASURE),)
    plan = Plan(name, Lane.NIGHTLY, Trigger(), NOW + timedelta(days=int(name)), steps, parent=parent)
    judged = tuple(Comparison(one, None, None, Change.NEW, Level.NOT_APPLICABLE, status, None, "") for one in results)
    known = {f"package {key}": value for key, value in facts.items()} | {"config decam/twin": name}
    with Journal(runs / name / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(plan, known))
        journal.append(Measured("hsc", "twin", results))
        journal.append(Judged(judged))


PA1, PA2 = (a_measurement(5.0, metric=metric, camera="hsc") for metric in ("PA1", "PA2"))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Write a night, and its child in which one metric moved in the last digit and another is missing."""
    a_night(tmp_path, "1", PA1, PA2, afw="1")
    nearly = a_measurement(5.000000000000001, metric="PA1", camera="hsc")
    gone = Unmeasured("PA2", PA2.scope, "too few stars")
    a_night(tmp_path, "2", nearly, gone, parent="1", status=Status.WARN, afw="2")
    return tmp_path


def test_everything_that_changed_is_told(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Facts, kinship, metrics to the digit in which they differ or with the reason why not, verdicts."""
    assert run(["diff", "1", "2", "--runs", str(runs)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "1 -> 2",
        "  package afw  1 -> 2",
        "  and 1 facts of other cameras",
        "2 is a child of 1: the configuration changed",
        "2 of 2 metrics differ; sigma is in run-to-run spreads, positive when worse",
        "    missing  PA2 (hsc/twin/r/t0)  5 -> - mmag  (too few stars)",
        "       +0.0  PA1 (hsc/twin/r/t0)  5.0 -> 5.000000000000001 mmag",
        "2 metrics are judged otherwise",
        "  PA1 (hsc/twin/r/t0)  pass, not-applicable -> warn, not-applicable",
        "  PA2 (hsc/twin/r/t0)  pass, not-applicable -> warn, not-applicable",
    ]


def test_one_camera_or_metric_can_be_asked_for(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The facts are told all the same; of a camera that was not measured there is no metric."""
    assert run(["diff", "1", "2", "--metric", "PA1", "--runs", str(runs)]) == 0
    out = capsys.readouterr().out
    assert "1 of 1 metrics differ" in out
    assert "PA2" not in out
    assert run(["diff", "1", "2", "--camera", "decam", "--runs", str(runs)]) == 0
    out = capsys.readouterr().out
    assert "package afw  1 -> 2" in out
    assert "0 of 0 metrics differ" in out


def test_machines_get_all_of_it(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every digit."""
    assert run(["diff", "1", "2", "--json", "--runs", str(runs)]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["before"], body["after"], body["child"], body["facts_of_other_cameras"]) == ("1", "2", True, 1)
    assert [one["after"] for one in body["moves"]] == [None, 5.000000000000001]
    assert {one["after"] for one in body["verdicts"]} == {"warn, not-applicable"}
    assert (body["gone"], body["come"], body["incomparable"]) == ([], [], [])
