"""`obsqa blame` and `obsqa diff`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from qa.journal import FILE_NAME, Journal
from qa.model import Baseline, Change, Comparison, Lane, Level, Plan, Stage, Status, Step, Trigger
from qa.record import Judged, Measured, RunStarted
from qa.testing import NOW, Clock, a_measurement

if TYPE_CHECKING:
    from pathlib import Path


def a_night(runs: Path, name: str, value: float, *, day: int = 0, judged: bool = True, **facts: str) -> None:
    """Write the journal of a night of one metric."""
    result = a_measurement(value, camera="hsc")
    baseline = Baseline("PA1", result.scope, 5.0, "mmag", 0.5, 0.01, "b")
    moved = value != 5.0
    change, status = (Change.STEP, Status.WARN) if moved else (Change.STEADY, Status.PASS)
    sigma = (value - 5.0) / 0.01
    one = Comparison(result, baseline, None, change, Level.NOT_APPLICABLE, status, sigma, "")
    steps = (Step("hsc", "twin", Stage.MEASURE),)
    plan = Plan(name, Lane.NIGHTLY, Trigger(), NOW + timedelta(days=day), steps)
    known = {"package afw": "1", "data hsc/twin": "1", "host": "a"} | {f"package {k}": v for k, v in facts.items()}
    with Journal(runs / name / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(plan, known))
        journal.append(Measured("hsc", "twin", (result,)))
        if judged:
            journal.append(Judged((one,)))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Write two nights: a change of the stack moved a metric."""
    a_night(tmp_path, "1", 5.0)
    a_night(tmp_path, "2", 6.0, day=1, afw="2")
    return tmp_path


def test_the_cause_is_told_with_its_evidence(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the journals alone."""
    assert run(["blame", "latest", "--runs", str(runs)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("ALGORITHM, over 99 %  1 metric of hsc moved after a change of package afw: the algorithms")
    assert "+3.0 algorithm   The stack changed since the last good run (1): package afw from 1 to 2." in out
    assert "PA1 (hsc/twin/r/t0)" in out
    assert not list(runs.glob("*.sqlite"))
    assert run(["blame", "2", "--all", "--json", "--runs", str(runs)]) == 0
    (one,) = json.loads(capsys.readouterr().out)["incidents"]
    assert (one["cause"], one["last_good"]) == ("algorithm", "1")
    assert one["probability"] > 0.99


def test_a_quiet_night_and_one_that_was_not_judged(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The one has nothing to blame, of the other nothing can be said."""
    assert run(["blame", "1", "--runs", str(runs)]) == 0
    assert capsys.readouterr().out == "1: nothing moved, there is nothing to blame\n"
    a_night(runs, "3", 5.0, judged=False)
    assert run(["blame", "3", "--runs", str(runs)]) == 2
    assert "must have been judged" in capsys.readouterr().err


def test_a_damaged_night_costs_a_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And is not taken for the last good one."""
    (runs / "1" / FILE_NAME).write_text("nonsense\n{}\n")
    assert run(["blame", "2", "--runs", str(runs)]) == 0
    found = capsys.readouterr()
    assert "no good run is known" in found.out
    assert "warning: 1 is not looked at" in found.err


def test_what_differs_between_two_runs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Facts first, then metrics by their size."""
    assert run(["diff", "1", "2", "--runs", str(runs)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "1 -> 2"
    assert out[1].split() == ["package", "afw", "1", "->", "2"]
    assert out[3].split() == ["+100.0", "PA1", "(hsc/twin/r/t0)", "5", "->", "6", "mmag"]
    assert run(["diff", "1", "1", "--all", "--runs", str(runs)]) == 0
    assert "all facts are the same" in capsys.readouterr().out
    assert run(["diff", "1", "2", "--json", "--runs", str(runs)]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["facts"] == [{"fact": "package afw", "before": "1", "after": "2"}]
    assert round(body["moves"][0]["sigma"]) == 100
