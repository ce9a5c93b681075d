"""Two nights of two cameras, as files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from qa.documents import write_document
from qa.journal import FILE_NAME, Journal
from qa.judging.judged import Cause, Incident
from qa.metrics import catalogue
from qa.model import Lane, Measurement, Plan, Result, Scope, Stage, Step, Trigger, Unmeasured
from qa.record import Judged, Measured, RunStarted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NIGHTS = ("20260301T000000Z", "20260302T000000Z")
Values = dict[str, dict[str, float | None]]


def results_of(camera: str, metrics: dict[str, float | None]) -> tuple[Result, ...]:
    """Measure metrics in the r band; None for what was not measured."""
    scope = Scope(camera, "twin", "r", 0)
    return tuple(
        Unmeasured(metric, scope, "too few pairs")
        if value is None
        else Measurement(metric, scope, value, catalogue()[metric].unit, 100, 0.1)
        for metric, value in metrics.items()
    )


def write_run(runs: Path, name: str, values: Values) -> None:
    """Write the measurements of a run: by camera and metric, None for what was not measured."""
    for camera, metrics in values.items():
        path = runs / name / camera / "twin" / "measurements.json"
        write_document(path, "measurements", results_of(camera, metrics), tuple[Result, ...])
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


@pytest.fixture
def journaled(place: Path) -> Callable[..., None]:
    """Return a function that writes a run with a journal, and incidents by name with what they moved."""

    def write(
        name: str, values: Values, *, incidents: dict[str, tuple[str, ...]] | None = None, revision: str = "abc"
    ) -> None:
        when = datetime(2026, 3, 4, tzinfo=UTC)
        steps = tuple(Step(camera, "twin", Stage.MEASURE) for camera in values)
        made = tuple(
            Incident(
                id=one,
                cause=Cause.ALGORITHM,
                members=tuple((metric, Scope(camera, "twin", "r", 0)) for camera in values for metric in metrics),
                changed=(),
                evidence=(),
                odds={},
                headline="x",
            )
            for one, metrics in (incidents or {}).items()
        )
        with Journal(place / "runs" / name / FILE_NAME, lambda: when) as journal:
            plan = Plan(name, Lane.NIGHTLY, Trigger(), when, steps)
            journal.append(RunStarted(plan, {"revision": revision, "host": name}))
            for camera, metrics in values.items():
                journal.append(Measured(camera, "twin", results_of(camera, metrics)))
            journal.append(replace(Judged(()), incidents=made))

    return write


@pytest.fixture
def expired_acceptance(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Return a function that accepts DECam's second night until a day long past, and gives the entry's name."""

    def accept() -> str:
        night = [NIGHTS[1], "--camera", "decam", "--waiver", "bad flats", "--why", "for a while"]
        assert run(["baseline", "accept", *night, "--expires", "2099-01-01"]) == 0
        path = place / "regression_data" / "ledger.yaml"
        path.write_text(path.read_text().replace("2099-01-01", "2020-01-01"))
        return capsys.readouterr().out[:8]

    return accept
