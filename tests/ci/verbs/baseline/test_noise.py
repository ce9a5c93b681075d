"""The verb `baseline noise`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from ci.console import LineConsole
from ci.lanes import Context
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.model import Stage, Step, StepOutcome, StepStatus
from qa.testing import Clock, MemoryStore, a_camera, a_measurement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ci.settings import Settings

RUNS = [f"2026050{number}T000000Z" for number in range(3)]


@pytest.fixture
def repeats(journaled: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """Write three repeats, accept the first: PA1 is the same each time, PA2 is not, PF1 was measured once."""
    for number, name in enumerate(RUNS):
        pf1 = None if number else 1.0
        journaled(name, {"hsc": {"PA1": 4.0, "PA2": 5.0 + number / 10, "PF1": pf1}})
    assert run(["baseline", "accept", RUNS[0], "--why", "x"]) == 0
    capsys.readouterr()


@pytest.mark.usefixtures("repeats")
def test_spreads_are_learned_from_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """What some runs lack is told, and leaves it incomplete; the ledger says which runs it was learned from."""
    assert run(["baseline", "noise", *RUNS]) == 4
    shown = capsys.readouterr()
    assert "warning: PF1 of hsc/twin/r/t0 was measured in 1 of 3 runs, and is left out" in shown.err
    assert f"noise  hsc/twin  A. Person <a@example.org>: run-to-run spread of 3 runs: {', '.join(RUNS)}" in shown.out
    assert "spread 0.01 -> 0 mmag (learned)" in shown.out
    assert "2 metrics from 3 runs: 1 the same to the last bit, 1 with a spread (each known to 50%)" in shown.out
    assert run(["baseline", "noise", *RUNS]) == 4
    assert "nothing to change" in capsys.readouterr().out


@pytest.mark.usefixtures("repeats")
def test_a_preview_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people and for machines."""
    before = (place / "regression_data" / "ledger.yaml").read_bytes()
    assert run(["baseline", "noise", *RUNS, "--dry-run"]) == 4
    assert "PA1                      hsc/twin/r/t0                    spread 0 mmag" in capsys.readouterr().out
    assert run(["baseline", "noise", *RUNS, "--dry-run", "--json"]) == 4
    plain = json.loads(capsys.readouterr().out)
    assert [(one["metric"], one["n"]) for one in plain["spreads"]] == [("PA1", 3), ("PA2", 3)]
    assert [one["metric"] for one in plain["partial"]] == ["PF1"]
    assert (place / "regression_data" / "ledger.yaml").read_bytes() == before


@pytest.mark.usefixtures("repeats")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either RUNs or --repeat N"),
        ([RUNS[0], "--repeat", "3"], "give either RUNs or --repeat N"),
        (RUNS[:2], "must be learned from 3 runs or more, got 2"),
        ([RUNS[0], RUNS[1], RUNS[0]], "twice: a run always agrees with itself"),
        (["--repeat", "2"], "2 is not in the range x>=3"),
        ([*RUNS, "nosuch"], "no run is called 'nosuch'"),
        ([*RUNS, "--why", " "], "--why must give a reason"),
    ],
)
def test_wrong_requests(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a line that says what is wrong."""
    assert run(["baseline", "noise", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("repeats")
def test_runs_of_other_software_are_refused(journaled: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """And what differs is named."""
    journaled("20260509T000000Z", {"hsc": {"PA1": 4.0}}, revision="def")
    assert run(["baseline", "noise", RUNS[0], RUNS[1], "20260509T000000Z"]) == 2
    assert "differ in revision" in capsys.readouterr().err


def test_a_lane_is_repeated(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As often as asked, with progress; nothing of it stays but what was learned."""
    step = Step("testcam", "twin-quick", Stage.MEASURE)
    engine = RecordedEngine({step.key: StepReport(StepOutcome(step, StepStatus.DONE, 1, 1, 1), (a_measurement(),))})

    def context(settings: Settings, cameras: tuple[str, ...], *, jobs: int | None) -> Context:
        return Context(
            settings=settings,
            cameras=[a_camera()],
            engine=engine,
            store=MemoryStore(),
            clock=Clock(),
            console=LineConsole(),
            provenance={"revision": "abc"},
            jobs=jobs or 1,
        )

    monkeypatch.setattr("ci.wiring.make_context", context)
    assert run(["baseline", "noise", "--repeat", "3", "--quick", "--jobs", "1", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert "1 metric from 3 runs: 1 the same to the last bit" in shown.out
    assert [line for line in shown.err.splitlines() if line.startswith("repeat ")] == [
        f"repeat {number} of 3" for number in (1, 2, 3)
    ]
    assert engine.ran.count(step.key) == 3
    assert list((place / "runs" / "noise").iterdir()) == []
