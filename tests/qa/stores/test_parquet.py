from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from qa.errors import MissingExtraError
from qa.model import Lane, Measurement, NotRun, Plan, Scope, Stage, Step, StepOutcome, StepStatus, Trigger, Unmeasured
from qa.record import Measured, RunRecord
from qa.store import SqlStore
from qa.stores.parquet import FORMAT, SCHEMAS, export

if TYPE_CHECKING:
    from pathlib import Path

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402 - only where it is

WHEN = datetime(2026, 3, 1, 2, 3, 4, 567890, tzinfo=UTC)


def a_record() -> RunRecord:
    """Build a run with a value, a count of many, a cost and an absence, and a camera that was left out."""
    step = Step("testcam", "twin", Stage.MEASURE)
    results = (
        Measurement("PA1", Scope("testcam", "twin", "r", 0), 5.000000000000001, "mmag", 2**40, 0.5),
        Measurement("cpu_per_megapixel", Scope("testcam", "twin", task="isr"), 20.0, "ms", 1),
        Unmeasured("AM3", Scope("testcam", "twin", "r", 0), "the field is too small"),
    )
    return RunRecord(
        plan=Plan("a", Lane.NIGHTLY, Trigger(), WHEN, (step,), (NotRun("other", "retired"),)),
        provenance={"host": "anode", "data testcam/twin": "1234"},
        started=WHEN,
        finished=WHEN,
        exit_code=0,
        outcomes={step.key: StepOutcome(step, StepStatus.DONE, 1.0, 1.0, 1.0)},
        measured={("testcam", "twin"): Measured("testcam", "twin", results)},
        measured_at={("testcam", "twin"): WHEN},
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder of files written from a store of each kind."""
    sqlite = request.param == "sqlite"
    store = SqlStore.beside(tmp_path) if sqlite else SqlStore.open(request.getfixturevalue("postgres"))
    store.save(a_record())
    assert export(store, tmp_path / "out") == {
        tmp_path / "out" / "runs.parquet": 1,
        tmp_path / "out" / "cameras.parquet": 2,
        tmp_path / "out" / "results.parquet": 3,
    }
    return tmp_path / "out"


def test_pandas_reads_every_value_as_it_was(files: Path) -> None:
    """Values to the last bit, counts beyond 32 bits, times with their zone, and absence as absence."""
    import pandas as pd

    frame = pd.read_parquet(files / "results.parquet").set_index("metric")
    assert frame.loc["PA1", "value"] == 5.000000000000001
    assert frame.loc["PA1", "n"] == 2**40
    assert frame.loc["PA1", "started"] == pd.Timestamp(WHEN)
    assert frame.loc["PA1", "band"] == "r"
    assert pd.isna(frame.loc["PA1", "task"])
    assert pd.isna(frame.loc["cpu_per_megapixel", "tract"])
    assert pd.isna(frame.loc["AM3", "value"])
    assert frame.loc["AM3", "reason"] == "the field is too small"


def test_duckdb_asks_them_questions(files: Path) -> None:
    """The files are tables that can be joined."""
    duckdb = pytest.importorskip("duckdb")
    query = f"""
        SELECT r.metric, r.value, u.host, c.completed
        FROM '{files}/results.parquet' r JOIN '{files}/runs.parquet' u USING (run_id)
        JOIN '{files}/cameras.parquet' c USING (run_id, camera) WHERE r.band = 'r' ORDER BY r.metric
    """  # noqa: S608 - of a test
    assert duckdb.sql(query).fetchall() == [("AM3", None, "anode", True), ("PA1", 5.000000000000001, "anode", True)]


def test_the_schema_is_stated_in_the_files(files: Path) -> None:
    """Each column says what it is and in which unit, and the whole has a version."""
    for name, columns in SCHEMAS.items():
        schema = parquet.read_schema(files / f"{name}.parquet")
        assert schema.metadata[b"obsqa.schema"] == str(FORMAT).encode()
        assert [field.name for field in schema] == [one.name for one in columns]
        assert all(field.metadata[b"says"] for field in schema)
        assert [field.nullable for field in schema] == [one.nullable for one in columns]


def test_costs_have_the_epoch_of_their_machine(files: Path) -> None:
    """Quality depends on the data, costs on the host as well: their epochs differ."""
    rows = parquet.read_table(files / "results.parquet").to_pylist()
    epochs = {row["metric"]: row["epoch"] for row in rows}
    assert epochs["PA1"] == epochs["AM3"] != epochs["cpu_per_megapixel"]
    assert all(epochs.values())


def test_an_empty_history_has_files_without_rows(tmp_path: Path) -> None:
    """Who reads them finds the columns."""
    export(SqlStore.beside(tmp_path), tmp_path)
    assert parquet.read_table(tmp_path / "results.parquet").num_rows == 0
    assert parquet.read_schema(tmp_path / "results.parquet").names == [one.name for one in SCHEMAS["results"]]


def test_parquet_is_an_optional_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be installed is said in one line, and no file is begun."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"needs the module pyarrow, .* pip install 'obsqa\[stores\]'"):
        export(SqlStore.beside(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()
