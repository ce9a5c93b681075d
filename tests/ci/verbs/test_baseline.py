"""The verb `baseline`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from qa.documents import write_document
from qa.journal import FILE_NAME
from qa.metrics import catalogue
from qa.model import Measurement, Result, Scope, Unmeasured

if TYPE_CHECKING:
    from pathlib import Path

NIGHTS = ("20260301T000000Z", "20260302T000000Z")


def write_run(runs: Path, name: str, values: dict[str, dict[str, float | None]]) -> None:
    """Write the measurements of a run: by camera and metric, None for what was not measured."""
    for camera, metrics in values.items():
        scope = Scope(camera, "twin", "r", 0)
        results: tuple[Result, ...] = tuple(
            Unmeasured(metric, scope, "too few pairs")
            if value is None
            else Measurement(metric, scope, value, catalogue()[metric].unit, 100, 0.1)
            for metric, value in metrics.items()
        )
        write_document(runs / name / camera / "twin" / "measurements.json", "measurements", results, tuple[Result, ...])
    (runs / name / FILE_NAME).touch()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two nights of two cameras, a folder of regression data, and an identity."""
    monkeypatch.setenv("OBSQA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", str(tmp_path / "regression_data"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "A. Person")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "a@example.org")
    write_run(tmp_path / "runs", NIGHTS[0], {"hsc": {"PA1": 4.0, "AM3": None}, "decam": {"PA1": 4.5}})
    write_run(tmp_path / "runs", NIGHTS[1], {"hsc": {"PA1": 4.8, "AM3": None}, "decam": {"PA1": 30.0}})
    return tmp_path


def accepted(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, object]]:
    """Return what `baseline show --json` says."""
    assert run(["baseline", "show", "--json", *options]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_first_accept_makes_the_baselines(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every camera of the run, values and absences, under git's identity."""
    assert run(["baseline", "accept", NIGHTS[0], "--why", "the first night"]) == 0
    out = capsys.readouterr().out
    assert "accept  hsc/twin  A. Person <a@example.org>: the first night" in out
    assert "PA1 r t0                         nothing -> 4 mmag" in out
    assert "AM3 r t0                         nothing -> absent" in out
    assert len(accepted(capsys)) == 3
    assert (place / "regression_data" / "ledger.yaml").is_file()


@pytest.mark.usefixtures("place")
def test_latest_camera_and_metric_narrow_it_down(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is named moves."""
    assert run(["baseline", "accept", "latest", "--camera", "hsc", "--metric", "PA1", "--why", "x"]) == 0
    capsys.readouterr()
    (one,) = accepted(capsys)
    assert (one["metric"], one["value"], one["run"]) == ("PA1", 4.8, NIGHTS[1])


def test_a_run_may_be_given_as_a_path(place: Path) -> None:
    """A run directory from elsewhere is as good."""
    assert run(["baseline", "accept", str(place / "runs" / NIGHTS[0]), "--why", "x"]) == 0


def test_below_the_minimum_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what, how far and what to do; nothing is written; a waiver lets it pass."""
    assert run(["baseline", "accept", NIGHTS[1], "--why", "x"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "PA1 of decam/twin/r/t0: PA1 is 30 mmag" in err
    assert "--waiver" in err
    assert not (place / "regression_data").exists()
    assert run(["baseline", "accept", NIGHTS[1], "--why", "x", "--waiver", "bad flats"]) == 0


@pytest.mark.usefixtures("place")
def test_undo_is_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    """And the ledger shows both."""
    run(
        [
            "baseline",
            "accept",
            NIGHTS[0],
            "--camera",
            "hsc",
            "--why",
            "x",
            "--ticket",
            "DM-1",
            "--expires",
            "2026-06-01",
        ]
    )
    assert run(["baseline", "undo", "--why", "by mistake"]) == 0
    capsys.readouterr()
    assert accepted(capsys) == []
    assert run(["baseline", "show", "--ledger"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert ["accept" in lines[0], "undo of" in lines[1], "by mistake" in lines[1]] == [True, True, True]


@pytest.mark.usefixtures("place")
def test_the_ledger_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """With ticket, expiry and moves."""
    run(
        [
            "baseline",
            "accept",
            NIGHTS[0],
            "--camera",
            "hsc",
            "--why",
            "x",
            "--ticket",
            "DM-1",
            "--expires",
            "2026-06-01",
        ]
    )
    capsys.readouterr()
    assert run(["baseline", "show", "--ledger", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["decision"]["ticket"], entry["decision"]["expires"]) == ("DM-1", "2026-06-01")


@pytest.mark.usefixtures("place")
def test_show_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Value, error, spread and run, or why it is absent; a hint when there is nothing."""
    assert run(["baseline", "show"]) == 0
    assert "no baselines; accept" in capsys.readouterr().out
    run(["baseline", "accept", NIGHTS[0], "--camera", "hsc", "--why", "x"])
    capsys.readouterr()
    assert run(["baseline", "show", "--metric", "PA1"]) == 0
    assert f"4 +- 0.1 mmag  (spread 0.01 mmag, run {NIGHTS[0]})" in capsys.readouterr().out
    assert run(["baseline", "show", "--camera", "hsc"]) == 0
    assert "accepted as not measurable: too few pairs" in capsys.readouterr().out


@pytest.mark.usefixtures("place")
def test_accepting_the_same_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """And says so."""
    run(["baseline", "accept", NIGHTS[0], "--why", "x"])
    capsys.readouterr()
    assert run(["baseline", "accept", NIGHTS[0], "--why", "x"]) == 0
    assert capsys.readouterr().out == "nothing to change\n"


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["latest", "--why", " "], "--why must give a reason"),
        (["nosuch", "--why", "x"], "nosuch"),
        (["latest", "--why", "x", "--camera", "lsst"], "'lsst'; known: decam, hsc"),
        (["latest", "--why", "x", "--metric", "PX9"], "'PX9'; known: AM3, PA1"),
        (["latest"], "Missing option '--why'"),
    ],
)
def test_wrong_requests(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a line that says what is wrong."""
    assert run(["baseline", "accept", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_run_without_measurements(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to accept."""
    (place / "runs" / "20260303T000000Z").mkdir()
    (place / "runs" / "20260303T000000Z" / FILE_NAME).touch()
    assert run(["baseline", "accept", "latest", "--why", "x"]) == 2
    assert "found no measurements.json" in capsys.readouterr().err


def test_without_an_identity_the_option_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A ledger without a name is none; --who gives it."""
    monkeypatch.setenv("PATH", str(place))
    assert run(["baseline", "accept", NIGHTS[0], "--why", "x"]) == 2
    assert "give --who" in capsys.readouterr().err
    assert run(["baseline", "accept", NIGHTS[0], "--why", "x", "--who", "B. Person <b@example.org>"]) == 0
    assert "B. Person <b@example.org>: x" in capsys.readouterr().out
