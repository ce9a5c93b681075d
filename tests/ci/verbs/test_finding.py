"""`obsqa finding`."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from qa.journal import FILE_NAME, Journal
from qa.judging.acknowledged import load
from qa.judging.judged import Acknowledgement, Finding, FindingState, Forecast
from qa.model import Lane, Level, Plan, Scope, Trigger
from qa.record import Judged, RunStarted
from qa.testing import NOW, Clock

if TYPE_CHECKING:
    from pathlib import Path

ID, OTHER = "3f2a1c09", "00000000"
SOON = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


def a_finding(id_: str = ID, *, state: FindingState = FindingState.OPEN, camera: str = "hsc") -> Finding:
    """Make a finding."""
    scope = Scope(camera, "twin", "r", 0)
    return Finding(id_, "PA1", scope, "drift", state, NOW, NOW, 3, "It drifts.", since=NOW)


@pytest.fixture(autouse=True)
def _run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a judged run with three findings."""
    known = Acknowledgement(OTHER, "A Person", NOW, date(2026, 4, 1), "being mended")
    ahead = Forecast(Level.DESIGN, date(2026, 5, 1), date(2026, 4, 1), None)
    second = a_finding(OTHER, state=FindingState.ACKNOWLEDGED, camera="decam")
    told = Finding(
        **{
            **{name: getattr(second, name) for name in Finding.__slots__},
            "acknowledgement": known,
            "forecast": ahead,
            "incident": "i1",
            "known": True,
        }
    )
    findings = (a_finding(), told, a_finding("11111111", state=FindingState.FIXED))
    monkeypatch.setenv("OBSQA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", str(tmp_path))
    plan = Plan("20260301T010000Z", Lane.NIGHTLY, Trigger(), NOW, ())
    with Journal(tmp_path / "runs" / plan.run_id / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(plan, {}))
        journal.append(Judged((), findings=findings))


def test_the_list_has_what_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """Fixed ones are left out unless asked for, and so are other cameras."""
    assert run(["finding", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{ID}  open               since 2026-03-01  PA1 of hsc/twin/r/t0 (drift)",
        f"{OTHER}  acknowledged known since 2026-03-01  PA1 of decam/twin/r/t0 (drift)",
    ]
    run(["finding", "list", "--all", "--camera", "hsc", "--json"])
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == [ID, "11111111"]


def test_no_findings_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In words."""
    run(["finding", "list", "--camera", "latiss"])
    assert capsys.readouterr().out == "no findings\n"


def test_one_finding_is_told_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """State, nights, reason, incident, who knows of it and what is ahead."""
    run(["finding", "show", OTHER])
    assert capsys.readouterr().out.splitlines() == [
        f"{OTHER}  PA1 of decam/twin/r/t0 (drift)",
        "state         acknowledged, known, since 2026-03-01",
        "seen          first 2026-03-01, last 2026-03-01, on 3 nights",
        "reason        It drifts.",
        "incident      i1",
        "acknowledged  until 2026-04-01 by A Person: being mended",
        "forecast      crosses design on 2026-05-01 (68 %: 2026-04-01 to perhaps never)",
    ]
    run(["finding", "show", ID, "--json"])
    assert json.loads(capsys.readouterr().out)[0]["kind"] == "drift"
    run(["finding", "show", ID])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_finding_is_acknowledged_and_withdrawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a file to be committed."""
    assert run(["finding", "acknowledge", ID, "--until", SOON, "--why", "soon mended", "--who", "A Person"]) == 0
    (line,) = load(tmp_path)
    assert (line.finding, line.of, line.who, line.why) == (
        ID,
        "PA1 of hsc/twin/r/t0 (drift)",
        "A Person",
        "soon mended",
    )
    assert capsys.readouterr().out == (
        f"{ID} PA1 of hsc/twin/r/t0 (drift) may stand until {SOON}; commit {tmp_path / 'acknowledged.yaml'}\n"
    )
    assert run(["finding", "withdraw", ID]) == 0
    assert load(tmp_path) == ()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "ffffffff"], "no finding of this run is called 'ffffffff'"),
        (
            ["acknowledge", ID, "--until", SOON, "--why", " ", "--who", "A"],
            "--why must give a reason, got an empty text",
        ),
        (["acknowledge", ID, "--until", "2020-01-01", "--why", "x", "--who", "A"], "--until must be a day from today"),
        (["withdraw", ID], f"no acknowledged finding is called '{ID}'"),
    ],
)
def test_a_wrong_request_is_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert run(["finding", *arguments]) == 2
    assert told in capsys.readouterr().err
