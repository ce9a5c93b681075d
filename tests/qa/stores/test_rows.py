from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.model import Lane, Measurement, Plan, Scope, Stage, Step, Trigger, Unmeasured
from qa.record import Measured, RunRecord
from qa.stores.rows import rows_of, series_of
from qa.stores.sql import SqlStore

if TYPE_CHECKING:
    from pathlib import Path

    from qa.model import Result

NAMES = st.text(min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCOPES = st.builds(
    Scope,
    st.just("testcam"),
    st.just("twin"),
    st.none() | st.sampled_from("ugrizy"),
    st.none() | st.integers(0, 20_000),
    st.none() | NAMES,
)
RESULTS = st.lists(
    st.builds(Measurement, NAMES, SCOPES, NUMBERS, NAMES, st.integers(0, 2**60), st.none() | NUMBERS.map(abs))
    | st.builds(Unmeasured, NAMES, SCOPES, st.text(max_size=20)),
    max_size=5,
    unique_by=lambda one: (one.metric.encode(errors="replace").replace(b"\0", b"\xef\xbf\xbd"), one.scope.task),
)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def a_record(results: tuple[Result, ...], when: datetime) -> RunRecord:
    """Build a run with given results."""
    step = Step("testcam", "twin", Stage.MEASURE)
    return RunRecord(
        plan=Plan("a", Lane.NIGHTLY, Trigger(), when, (step,)),
        provenance={"host": "anode"},
        started=when,
        measured={("testcam", "twin"): Measured("testcam", "twin", results)},
        measured_at={("testcam", "twin"): when},
    )


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqlStore:
    """Return a store in a file."""
    return SqlStore.beside(tmp_path_factory.mktemp("rows"))


@given(results=RESULTS, when=TIMES)
def test_what_a_database_gives_back_has_the_digest_of_what_it_got(
    sqlite: SqlStore, results: list[Result], when: datetime
) -> None:
    """Every value comes back bit by bit, so that a digest tells damage and nothing else."""
    with sqlite.engine.begin() as connection:
        for table in ("results", "epochs", "camera_runs", "runs"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    rows = rows_of(a_record(tuple(results), when))
    sqlite.put(rows)
    stored = sqlite.rows("a")
    assert stored is not None
    assert stored.digest == rows.digest == sqlite.digests()["a"]


@given(results=RESULTS, when=TIMES)
def test_a_digest_does_not_depend_on_the_order_of_rows(results: list[Result], when: datetime) -> None:
    """Databases give rows in the order they like."""
    rows = rows_of(a_record(tuple(results), when))
    assert replace(rows, results=tuple(reversed(rows.results))).digest == rows.digest


@given(SCOPES, st.text())
def test_a_series_is_named_by_its_columns(scope: Scope, metric: str) -> None:
    """Absent parts of a scope stay absent."""
    scope = replace(scope, task=scope.task and scope.task.encode(errors="replace").decode().replace("\0", "\ufffd"))
    named = metric.encode(errors="replace").decode().replace("\0", "\ufffd")
    (row,) = rows_of(a_record((Unmeasured(metric, scope, ""),), datetime(2026, 1, 1, tzinfo=UTC))).results
    place = (row[name] for name in ("metric", "camera", "dataset", "band", "tract", "task"))
    assert series_of(place) == (named, scope)


@pytest.mark.parametrize("change", ["value", "start", "host"])
def test_a_digest_tells_any_difference(change: str) -> None:
    """The last bit of a value, a microsecond and another machine all count."""
    when = datetime(2026, 1, 1, tzinfo=UTC)
    one = Measurement("PA1", Scope("testcam", "twin", "r"), 5.0, "mmag", 10)
    record = a_record((one,), when)
    other = {
        "value": a_record((replace(one, value=5.000000000000001),), when),
        "start": a_record((one,), when + timedelta(microseconds=1)),
        "host": replace(record, provenance={"host": "another"}),
    }[change]
    assert rows_of(record).digest != rows_of(other).digest


def test_a_database_gives_back_a_run_or_nothing(tmp_path: Path) -> None:
    """A run that is not there is None, not a run without rows."""
    assert SqlStore.beside(tmp_path).rows("a") is None
