"""The verb `requirements`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ci.cli import run

if TYPE_CHECKING:
    import pytest


def test_all_requirements_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each metric has a line with bands, targets, unit and the place it is written."""
    assert run(["requirements", "show"]) == 0
    out = capsys.readouterr().out
    assert "LPM-17 v5.2.3" in out.splitlines()[0]
    assert "PA1    u z y        <=       12      7.5      4.5 mmag  LPM-17 v5.2.3, Table 14" in out.splitlines()


def test_one_metric_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """With its definition, and without the others."""
    assert run(["requirements", "show", "AM1"]) == 0
    out = capsys.readouterr().out
    assert "AM1: rms of the astrometric distance of stellar pairs" in out
    assert "PA1" not in out


def test_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """The same as data."""
    assert run(["requirements", "show", "PA2", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["metric"], one["unit"], one["citation"]) == ("PA2", "mmag", "LPM-17 v5.2.3, Table 14")
    assert one["targets"][0] == {"bands": ["g", "r", "i"], "minimum": 15, "design": 15, "stretch": 10}


def test_an_unknown_metric_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with the exit code of a wrong request."""
    assert run(["requirements", "show", "XX9"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no requirement of LPM-17 is called 'XX9'; known: PA1, PF1" in err


def test_an_unknown_profile_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the profiles there are."""
    assert run(["requirements", "show", "--profile", "nosuch"]) == 2
    assert "'nosuch'; known: lpm-17" in capsys.readouterr().err
