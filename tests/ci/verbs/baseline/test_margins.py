"""The verb `baseline margins`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable


def accept(journaled: Callable[..., None], *values: float) -> None:
    """Accept one night after another."""
    for number, value in enumerate(values):
        name = f"2026040{number}T000000Z"
        journaled(name, {"hsc": {"PA1": value}, "decam": {"PA1": 4.0}})
        assert run(["baseline", "accept", name, "--why", "x"]) == 0


@pytest.mark.usefixtures("place")
def test_nothing_was_spent(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing crept."""
    assert run(["baseline", "margins"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "no requirement margin was spent or won by accepted changes",
        "",
        "no series is worse than its first accepted level",
    ]


def test_margins_for_people(journaled: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """By quarter and camera, and what passed its limit in small steps."""
    accept(journaled, 4.0, 4.6, 5.2)
    capsys.readouterr()
    assert run(["baseline", "margins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == "quarter camera series moved mean share largest share of a series"
    assert " ".join(lines[1].split()[1:]) == "hsc 1 1 30% PA1 of hsc/twin/r/t0: 30% (2.8 mmag left)"
    assert lines[-1].startswith("  PA1 ")
    assert "4 -> 5.2 mmag, 2 changes since " in lines[-1]
    assert lines[-1].endswith("limit 1 mmag  PAST THE LIMIT IN SMALL STEPS")
    assert run(["baseline", "margins", "--camera", "decam"]) == 0
    assert "no series is worse" in capsys.readouterr().out


def test_margins_for_machines(journaled: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """Everything there is."""
    accept(journaled, 4.0, 5.0)
    capsys.readouterr()
    assert run(["baseline", "margins", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert [one["share"] for one in plain["series"]] == [0.25]
    assert [(one["camera"], one["mean"]) for one in plain["cameras"]] == [("hsc", 0.25)]
    assert [(one["worse"], one["exceeded"]) for one in plain["ratchets"]] == [(1.0, False)]
