"""The verbs `baseline show` and `restore`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from ci.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NIGHT = "20260301T000000Z"


@pytest.fixture
def hsc(place: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return the file of accepted baselines of HSC."""
    run(["baseline", "accept", NIGHT, "--why", "x"])
    capsys.readouterr()
    return place / "regression_data" / "baselines" / "hsc" / "twin.json"


def edit(path: Path, old: str, new: str) -> None:
    """Change a text by hand."""
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_agrees_is_shown_without_a_warning(hsc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on stderr."""
    assert run(["baseline", "show"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["baseline", "restore"]) == 0
    assert capsys.readouterr().out == "nothing to change\n"


def test_a_change_by_hand_is_told_and_put_right(hsc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with file and line; `restore` is one command."""
    edit(hsc, '"value": 4.0', '"value": 4.2')
    assert run(["baseline", "show", "--metric", "P*"]) == 0
    err = capsys.readouterr().err
    assert f"obsqa: warning: {hsc}:3: PA1 of hsc/twin/r/t0 must be 4.0 +- 0.1 mmag" in err
    assert "put it right with `obsqa baseline restore`, or `drop`" in err
    assert run(["baseline", "restore"]) == 0
    assert capsys.readouterr().out == f"written anew: {hsc}\n"
    run(["baseline", "show"])
    assert capsys.readouterr().err == ""


def test_what_was_cut_off_is_told(hsc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And mended by the next accept, which says so."""
    before = hsc.read_bytes()
    run(["baseline", "accept", "latest", "--camera", "hsc", "--why", "y"])
    hsc.write_bytes(before)
    capsys.readouterr()
    assert run(["baseline", "show", "--ledger"]) == 0
    assert "the next accept completes that" in capsys.readouterr().err
    assert run(["baseline", "accept", "latest", "--camera", "hsc", "--why", "y"]) == 0
    shown = capsys.readouterr()
    assert shown.err == f"obsqa: {hsc}: completed the last entry of the ledger, whose writing was cut off\n"
    assert shown.out == "nothing to change\n"


def test_many_disagreements_are_counted(
    hsc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first ones are listed."""
    monkeypatch.setattr(import_module("ci.verbs.baseline.show"), "SHOWN", 1)
    edit(hsc, '"too few pairs"', '"no pairs"')
    edit(hsc, '"value": 4.0', '"value": 4.2')
    run(["baseline", "show"])
    err = capsys.readouterr().err
    assert err.count("must be") == 1
    assert "1 more like this" in err


@pytest.mark.usefixtures("hsc")
def test_what_outlived_its_day_is_told(
    capsys: pytest.CaptureFixture[str], expired_acceptance: Callable[[], str]
) -> None:
    """With what to do."""
    entry = expired_acceptance()
    run(["baseline", "show"])
    err = capsys.readouterr().err
    assert f"warning: entry {entry} of decam/twin was to hold until 2020-01-01; take it back with" in err


def test_a_learned_spread_is_marked(hsc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A zero that was learned is not one that was assumed."""
    edit(hsc, '"metric": "PA1"', '"learned": true, "metric": "PA1"')
    run(["baseline", "show", "--metric", "PA1", "--camera", "hsc"])
    assert "(spread 0.01 mmag learned, run" in capsys.readouterr().out


def test_nonsense_is_one_line(hsc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With file and line, and exit code 2."""
    edit(hsc, '"value": 4.0', '"value": "four"')
    assert run(["baseline", "show"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"{hsc}:3: must be baselines of hsc/twin" in err
