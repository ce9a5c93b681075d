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

    from qa.model import Result

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


def test_a_metric_is_drawn_into_a_file(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The picture is in the format of its ending; without a metric there would be too much in it."""
    path = tmp_path / "PA1.png"
    assert cli.run(["history", "PA1", "--runs", str(runs), "--rebuild", "--plot", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert cli.run(["history", "--runs", str(runs), "--plot", str(path)]) == 2
    assert "--plot must be given with a METRIC" in capsys.readouterr().err


def test_an_empty_history_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was measured yet, nothing is shown but that."""
    assert cli.run(["history", "PA1", "--runs", str(tmp_path)]) == 0
    assert "no run has measured that yet" in capsys.readouterr().err


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Return a folder with six nights, the last of which has other bits, and then none."""
    missing = Unmeasured("PA1", Scope("testcam", "twin", "r", 0), "too few stars")
    return nights(tmp_path, *[a_measurement(5.0)] * 4, a_measurement(6.0), missing)


def nights(folder: Path, *results: Result) -> Path:
    """Write a night a day into a folder."""
    plan = Plan("a", Lane.NIGHTLY, Trigger(), NOW, STEPS)
    for day, result in enumerate(results):
        with Journal(folder / f"run{day}" / FILE_NAME, Clock(NOW + timedelta(days=day))) as journal:
            journal.append(RunStarted(replace(plan, run_id=f"run{day}"), {}))
            journal.append(Measured("testcam", "twin", (result,)))
    return folder


def test_the_changes_of_a_history_are_shown(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What left its level, the last found first; as a table, CSV or JSON."""
    asked = ["history", "--runs", str(changed), "--changes"]
    assert cli.run([*asked, "--rebuild"]) == 0
    header, gap, step = capsys.readouterr().out.splitlines()
    assert header.split() == ["found", "metric", "scope", "kind", "began", "before", "after", "sigma", "chance"]
    assert "gap" in gap
    assert "step" in step
    cli.run([*asked, "--json"])
    gap, step = json.loads(capsys.readouterr().out)
    assert (step["kind"], step["before"], step["after"], step["chance"]) == ("step", 5.0, 6.0, 0.0)
    cli.run([*asked, "--csv"])
    assert capsys.readouterr().out.startswith("found,metric,scope,kind,began,before,after,sigma,chance\n")


def test_the_levels_of_a_history_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Since when each held, and by how much the next differs; in the picture, too."""
    missing = Unmeasured("PA1", Scope("testcam", "twin", "r", 0), "too few stars")
    runs = nights(tmp_path, *[a_measurement(5.0)] * 4, missing, *[a_measurement(6.0)] * 3)
    asked = ["history", "PA1", "--runs", str(runs), "--levels"]
    assert cli.run([*asked, "--rebuild", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["change"] is None
    assert (first["level"], second["level"], second["change"], second["nights"]) == (5.0, 6.0, 1.0, 3)
    assert first["until"] < second["since"]
    assert cli.run(asked) == 0
    assert capsys.readouterr().out.split()[:4] == ["metric", "scope", "since", "until"]
    assert cli.run([*asked, "--plot", str(tmp_path / "a.svg")]) == 0
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert cli.run([*asked, "--changes"]) == 2


def test_a_history_without_changes_says_so(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is shown but that; a camera that was never measured is another case."""
    asked = ["history", "--runs", str(runs), "--changes"]
    assert cli.run([*asked, "--rebuild", "--camera", "none"]) == 0
    assert "no run has measured that yet" in capsys.readouterr().err
    with Journal(runs / "b" / FILE_NAME, Clock(NOW + timedelta(days=2))) as journal:
        journal.append(Measured("testcam", "twin", (a_measurement(),)))
    assert cli.run([*asked, "--rebuild"]) == 0
    assert "nothing changed" in capsys.readouterr().err


def test_a_budget_must_be_one(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what was given, with the exit code of a wrong request."""
    assert cli.run(["history", "--runs", str(runs), "--rebuild", "--changes", "--false-reports", "-1"]) == 2
    assert "false_reports of a false-alarm budget must be positive and finite, got -1.0" in capsys.readouterr().err
