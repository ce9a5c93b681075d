"""The verbs `baseline undo`, `expire` and `drop`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable

NIGHT = "20260301T000000Z"


@pytest.fixture(autouse=True)
def _accepted(place: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Accept the first night."""
    run(["baseline", "accept", NIGHT, "--why", "x"])
    capsys.readouterr()


def test_nothing_has_expired(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing changes."""
    assert run(["baseline", "expire", "--dry-run"]) == 0
    assert run(["baseline", "expire"]) == 0
    assert capsys.readouterr().out == "nothing has expired\nnothing to change\n"


def test_what_has_expired_is_listed_and_taken_back(
    expired_acceptance: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its baselines become what they were, and the ledger says why."""
    entry = expired_acceptance()
    assert run(["baseline", "expire", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{entry}  until 2020-01-01  decam/twin  for a while\n  PA1 r t0 ")
    assert run(["baseline", "expire", "--dry-run", "--json"]) == 0
    (plain,) = json.loads(capsys.readouterr().out)
    assert (plain["id"], len(plain["moves"])) == (entry, 1)
    assert run(["baseline", "expire", "--dry-run", "--on", "2019-12-31"]) == 0
    assert "nothing has expired" in capsys.readouterr().out
    assert run(["baseline", "expire"]) == 0
    out = capsys.readouterr().out
    assert f"expire of {entry}  decam/twin  A. Person <a@example.org>: the day until which it was meant to hold" in out
    assert "30 mmag -> 4.5 mmag" in out
    assert run(["baseline", "expire"]) == 0
    assert capsys.readouterr().out == "nothing to change\n"


def test_baselines_are_let_go(capsys: pytest.CaptureFixture[str]) -> None:
    """After a preview, by name or pattern."""
    assert run(["baseline", "drop", "--metric", "A*", "--camera", "hsc", "--dry-run"]) == 0
    assert capsys.readouterr().out == "would let go  AM3 of hsc/twin/r/t0\n1 baseline\n"
    assert run(["baseline", "drop", "--metric", "P*", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ["PA1 of decam/twin/r/t0", "PA1 of hsc/twin/r/t0"]
    assert run(["baseline", "drop", "--metric", "AM3", "--why", "no such metric any more"]) == 0
    assert "drop  hsc/twin  A. Person <a@example.org>: no such metric any more" in capsys.readouterr().out
    assert run(["baseline", "show", "--metric", "AM3"]) == 0
    assert "no baselines" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drop", "--why", "x"], "say which baselines to let go"),
        (["drop", "--metric", "AM3"], "Missing option '--why'"),
        (["drop", "--task", "warp", "--why", "x"], "no baseline is called 'warp'; known: AM3, PA1"),
        (["undo", "feedbeef", "--why", "x"], "no accepted entry of the ledger is called 'feedbeef'"),
        (["expire", "--why", " "], "--why must give a reason"),
    ],
)
def test_wrong_requests(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a line that says what is wrong."""
    assert run(["baseline", *arguments]) == 2
    assert message in capsys.readouterr().err
