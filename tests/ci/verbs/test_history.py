from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ci import cli
from qa.journal import FILE_NAME, Journal
from qa.model import Lane, Plan, Scope, Stage, Step, Trigger, Unmeasured
from qa.record import Measured, RunStarted
from qa.testing import NOW, Clock, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

STEPS = tuple(Step("testcam", "twin", stage) for stage in Stage)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a folder with two nights: one with a value of PA1, one without."""
    plan = Plan("a", Lane.NIGHTLY, Trigger(), NOW, STEPS)
    missing = Unmeasured("PA1", Scope("testcam", "twin", "r", 0), "too few stars")
    for run, result, day in (("a", a_measurement(), 0), ("b", missing, 1)):
        with Journal(tmp_path / run / FILE_NAME, Clock(NOW + timedelta(days=day))) as journal:
            journal.append(RunStarted(replace(plan, run_id=run), {}))
            journal.append(Measured("testcam", "twin", (result,)))
    return tmp_path


def test_the_history_is_rebuilt_from_the_run_folders(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Losing the database loses nothing: a night with a value and one without are both told."""
    assert cli.run(["history", "PA1", "--runs", str(runs), "--rebuild"]) == 0
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last == ["PA1", "testcam/twin/r/t0", "5", "-"]


def test_machines_get_every_night(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has a line per night, JSON an object; a night without a value has none."""
    cli.run(["history", "--runs", str(runs), "--rebuild", "--csv"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "metric,scope,run,when,value,stderr"
    assert len(lines) == 3
    cli.run(["history", "--runs", str(runs), "--json"])
    assert [point["value"] for point in json.loads(capsys.readouterr().out)] == [5.0, None]


def test_an_empty_history_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was measured yet, nothing is shown but that."""
    assert cli.run(["history", "PA1", "--runs", str(tmp_path)]) == 0
    assert "no run has measured that yet" in capsys.readouterr().err
