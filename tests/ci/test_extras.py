"""What judging takes from beside the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ci import extras
from ci.comparing import on_the_same
from ci.console import LineConsole
from ci.lanes import Context
from ci.settings import Settings
from qa.engines.recorded import RecordedEngine
from qa.journal import FILE_NAME, Journal
from qa.judging.judged import Shift, ShiftKind
from qa.model import (
    Change,
    Comparison,
    Ladder,
    Lane,
    Level,
    Measurement,
    Plan,
    Scope,
    Stage,
    Status,
    Step,
    Trigger,
)
from qa.record import Measured, RunRecord, RunStarted
from qa.testing import Clock, MemoryStore, a_camera, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

FIRST = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
LADDER = Ladder("PA1", "r", "mmag", "<=", 8.0, 5.0, 3.0, "LPM-17, Table 14")


def a_context(folder: Path, *, store: MemoryStore | None = None) -> Context:
    """Build a context."""
    return Context(
        settings=Settings(runs=folder / "runs", cache=folder, regression_data=folder),
        cameras=[a_camera()],
        engine=RecordedEngine({}),
        store=store,
        clock=Clock(),
        console=LineConsole(),
        provenance={},
    )


def a_record(day: int = 0, *results: Measurement, facts: dict[str, str] | None = None) -> RunRecord:
    """Make the record of a night."""
    when = FIRST + timedelta(days=day)
    plan = Plan(f"r{day:02d}", Lane.NIGHTLY, Trigger(), when, (Step("testcam", "twin", Stage.MEASURE),))
    measured = {("testcam", "twin"): Measured("testcam", "twin", results)}
    return RunRecord(plan, facts or {}, when, measured=measured if results else {})


def judged(result: Measurement, change: Change = Change.DRIFT) -> Comparison:
    """Judge a value."""
    return Comparison(result, None, LADDER, change, Level.DESIGN, Status.WARN, None, "It drifts.")


def a_drift() -> Shift:
    """Make the drift of PA1."""
    scope = a_measurement().scope
    return Shift("PA1", scope, ShiftKind.DRIFT, FIRST, FIRST + timedelta(days=9), 4.0, 4.5, 5.0, 0.001, 0.05)


def test_a_drift_has_a_forecast_from_its_history_and_tonight(tmp_path: Path) -> None:
    """A twentieth of a mmag a day from 4 mmag is at 5 mmag after twenty days; tonight counts once."""
    store = MemoryStore()
    for day in range(9):
        store.save(a_record(day, replace(a_measurement(4.0 + 0.05 * day), stderr=0.1)))
    tonight = replace(a_measurement(4.45), stderr=0.1)
    record = a_record(9, tonight)
    context = a_context(tmp_path, store=store)
    found = extras.forecasts(context, record, [judged(tonight)], [a_drift()])
    ahead = found["PA1", tonight.scope]
    assert ahead.level is Level.DESIGN
    assert abs((ahead.when - (FIRST + timedelta(days=20)).date()).days) <= 1
    store.save(record)
    assert extras.forecasts(context, record, [judged(tonight)], [a_drift()]) == found


def test_only_a_drift_with_a_requirement_has_a_forecast(tmp_path: Path) -> None:
    """And a history; without one there is nothing to draw a line through."""
    tonight = a_measurement(4.45)
    context, record = a_context(tmp_path), a_record(9, tonight)
    step = replace(a_drift(), kind=ShiftKind.STEP)
    assert extras.forecasts(context, record, [judged(tonight)], [a_drift()]) == {}
    assert extras.forecasts(context, record, [judged(tonight)], [step]) == {}
    assert extras.forecasts(context, record, [judged(tonight, Change.STEP)], [a_drift()]) == {}
    assert extras.forecasts(context, record, [replace(judged(tonight), ladder=None)], [a_drift()]) == {}


LEDGER = """\
document: ledger
schema: 1
entries:
- id: 1234abcd
  action: accept
  camera: testcam
  dataset: twin
  who: A Person
  when: '2026-01-01T00:00:00Z'
  why: new optics.
  expires: '2026-02-01'
  moves:
  - {metric: PA1, band: r, tract: 0, new: {value: 5.0, unit: mmag, tolerance: 0.1, run: r}}
"""


def test_an_acceptance_that_is_over_is_told(tmp_path: Path) -> None:
    """With who accepted it until when and why, for the data sets that were judged."""
    (tmp_path / "ledger.yaml").write_text(LEDGER)
    one = judged(a_measurement())
    (seen,) = extras.decided(a_context(tmp_path), a_record(), [one])
    assert (seen.metric, seen.scope, seen.topic, seen.status) == ("PA1", one.scope, "acceptance", Status.WARN)
    assert seen.reason == (
        "Its baseline was accepted until 2026-02-01 by A Person (new optics), ledger entry 1234abcd; "
        "accept it anew or let it go with obsqa baseline expire."
    )
    assert extras.decided(a_context(tmp_path), a_record(), []) == ()


def test_acceptances_of_a_whole_run_are_one_line(tmp_path: Path) -> None:
    """Not one for each of its metrics, also where several of them are over."""
    move = LEDGER[LEDGER.index("  - {metric") :]
    other = LEDGER[LEDGER.index("- id") :].replace("1234abcd", "5678abcd").replace("metric: PA1", "metric: PA2")
    (tmp_path / "ledger.yaml").write_text(LEDGER + move.replace("metric: PA1", "metric: AA1") + other)
    (seen,) = extras.decided(a_context(tmp_path), a_record(), [judged(a_measurement())])
    assert (seen.metric, seen.scope) == ("baselines", Scope("testcam", "twin"))
    assert seen.reason.startswith("3 of its baselines were accepted until 2026-02-01 by A Person (new optics), ledger ")
    assert "ledger entry 1234abcd; until 2026-02-01 by A Person (new optics), ledger entry 5678abcd; " in seen.reason


def test_a_run_on_another_processor_is_told_apart(tmp_path: Path) -> None:
    """A run that is not known, or says nothing of its processor, is not taken for one of the same."""
    facts = {"machine": "x86_64", "cpu": "a model"}
    tonight = a_record(facts=facts)
    for name, said in {"same": facts, "other": {**facts, "cpu": "b"}, "mute": {"machine": "x86_64"}}.items():
        with Journal(tmp_path / name / FILE_NAME, Clock()) as journal:
            journal.append(RunStarted(tonight.plan, said))
    assert [on_the_same(tmp_path / name, tonight) for name in ("same", "other", "mute", "gone")] == [
        True,
        False,
        False,
        False,
    ]
    assert not on_the_same(tmp_path / "mute", a_record(facts={"machine": "x86_64"}))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / FILE_NAME).write_text("nonsense\n{}\n")
    assert not on_the_same(tmp_path / "damaged", tonight)
