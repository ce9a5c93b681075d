from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from qa.model import Lane, Measurement, Plan, Scope, Stage, Step, StepOutcome, StepStatus, Trigger, Unmeasured
from qa.record import Measured, RunRecord
from qa.store import SqlStore, StoreError
from qa.testing import NOW, MemoryStore, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

    from qa.store import Store

STEPS = tuple(Step("testcam", "twin", stage) for stage in Stage)
SERIES = ("PA1", Scope("testcam", "twin", "r", 0))


def a_record(run_id: str = "a", *, value: float = 5.0, day: int = 0) -> RunRecord:
    """Build the record of a finished run with a value, a bare value and an absence."""
    when = NOW + timedelta(days=day)
    bare = Measurement("cpu_per_megapixel", Scope("testcam", "twin", task="isr"), 20.0, "ms", 1)
    absent = Unmeasured("AM3", Scope("testcam", "twin", "r", 0), "the field is too small")
    return RunRecord(
        plan=Plan(run_id, Lane.NIGHTLY, Trigger(), when, STEPS),
        provenance={},
        started=when,
        finished=when,
        exit_code=0,
        outcomes={step.key: StepOutcome(step, StepStatus.DONE, 1.0, 1.0, 1.0) for step in STEPS},
        measured={("testcam", "twin"): Measured("testcam", "twin", (a_measurement(value), bare, absent))},
        measured_at={("testcam", "twin"): when},
    )


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return each kind of store in turn: all keep the same contract."""
    return MemoryStore() if request.param == "memory" else SqlStore.beside(tmp_path)


def test_a_series_is_told_oldest_first(store: Store) -> None:
    """History is in the order of the nights, whatever the order of saving."""
    store.save(a_record("b", value=6.0, day=1))
    store.save(a_record("a", value=5.0))
    points = store.history()[SERIES]
    assert [(point.run_id, point.value, point.stderr) for point in points] == [("a", 5.0, 0.5), ("b", 6.0, 0.6)]
    assert points[0].when == NOW


def test_saving_a_run_again_replaces_it(store: Store) -> None:
    """A run is in the history once."""
    store.save(a_record(value=5.0))
    store.save(a_record(value=7.0))
    assert [point.value for point in store.history()[SERIES]] == [7.0]


def test_an_unmeasured_night_has_no_value(store: Store) -> None:
    """Absence is a result and stays in the series."""
    store.save(a_record())
    assert store.history(metric="AM3")["AM3", SERIES[1]][0].value is None


def test_series_are_chosen_by_camera_and_metric(store: Store) -> None:
    """Only what was asked for is returned, with the scope it was saved under."""
    store.save(a_record())
    assert set(store.history(metric="cpu_per_megapixel")) == {
        ("cpu_per_megapixel", Scope("testcam", "twin", task="isr"))
    }
    assert store.history(camera="other") == {}


def test_the_last_measurement_on_coadds_is_known(store: Store) -> None:
    """The latest night in which a camera came through counts."""
    store.save(a_record("a"))
    store.save(a_record("b", day=3))
    failed = replace(a_record("c", day=5), outcomes={})
    store.save(failed)
    assert store.last_coadds() == {"testcam": NOW + timedelta(days=3)}


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    """A broken history is told plainly, and the run folders stand without it."""
    (tmp_path / "history.sqlite").write_text("this is not a database, and it is long enough to be seen as none")
    with pytest.raises(StoreError, match=r"history sqlite.*file is not a database.*complete without it"):
        SqlStore.beside(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """Where no folder can be made there is no history, which is told like any other trouble with it."""
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"history sqlite.*complete without it"):
        SqlStore.beside(tmp_path / "runs")
