"""The history of all runs over SQLAlchemy: SQLite beside the runs by default.

Everything in it can be rebuilt from the run folders; losing it loses no night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from qa.errors import InfrastructureError
from qa.model import HistoryPoint, Measurement, Result, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sqlalchemy.engine import Connection, Row

    from qa.record import RunRecord

Series = tuple[str, Scope]
"""A metric's name and what it is measured on: the identity of a history."""

_tables = MetaData()
_runs = Table(
    "runs",
    _tables,
    Column("run_id", String, primary_key=True),
    Column("lane", String, nullable=False),
    Column("started", DateTime, nullable=False),
    Column("finished", DateTime),
    Column("exit_code", Integer),
)
_cameras = Table(
    "camera_runs",
    _tables,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("camera", String, primary_key=True),
    Column("completed", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("coadds_measured", DateTime),
)
_results = Table(
    "results",
    _tables,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("metric", String, primary_key=True),
    Column("camera", String, primary_key=True),
    Column("dataset", String, primary_key=True),
    # Absent parts of a scope are '' and -1: NULL is equal to nothing and would let doubles in.
    Column("band", String, primary_key=True),
    Column("tract", Integer, primary_key=True),
    Column("task", String, primary_key=True),
    Column("value", Float),
    Column("unit", String),
    Column("n", Integer),
    Column("stderr", Float),
    Column("reason", String),
)


class StoreError(InfrastructureError):
    """The history could not be read or written; the run folders are untouched."""

    def __init__(self, url: str, error: Exception) -> None:
        self.url = url
        reason = str(error).splitlines()[0]
        super().__init__(f"history {url}: {reason}; the run folders are complete without it")


class Store(Protocol):
    """Results of all runs, by series."""

    def save(self, record: RunRecord) -> None:
        """Add a run, or replace what is known of it."""
        ...

    def history(self, *, camera: str | None = None, metric: str | None = None) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first."""
        ...

    def last_coadds(self) -> Mapping[str, datetime]:
        """Return when each camera was last measured on coadds."""
        ...


@dataclass(frozen=True, slots=True)
class SqlStore:
    """A store in any database that SQLAlchemy knows."""

    engine: Engine

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """Connect and make the tables where they are missing.

        Raises
        ------
        StoreError
            If there is no such database, or it is not one.
        """
        try:
            # A night talks to its history three times: no connection is worth keeping in between.
            engine = create_engine(url, poolclass=NullPool)
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _wait_for_writers)
            _tables.create_all(engine)
        except SQLAlchemyError as error:
            raise StoreError(url, error) from error
        return cls(engine)

    @classmethod
    def beside(cls, runs: Path) -> SqlStore:
        """Open the SQLite store of a folder of runs."""
        url = f"sqlite:///{runs / 'history.sqlite'}"
        try:
            runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(url, error) from error
        return cls.open(url)

    def save(self, record: RunRecord) -> None:
        """Add a run, or replace what is known of it, in one transaction."""
        try:
            with self.engine.begin() as connection:
                for table in (_results, _cameras, _runs):
                    connection.execute(delete(table).where(table.c.run_id == record.run_id))
                _insert(connection, record)
        except SQLAlchemyError as error:
            raise StoreError(str(self.engine.url), error) from error

    def history(self, *, camera: str | None = None, metric: str | None = None) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first; unmeasured nights have no value."""
        query = select(_results, _runs.c.started).join(_runs).order_by(_runs.c.started, _runs.c.run_id)
        if camera:
            query = query.where(_results.c.camera == camera)
        if metric:
            query = query.where(_results.c.metric == metric)
        series: dict[Series, list[HistoryPoint]] = {}
        for row in self._rows(query):
            point = HistoryPoint(row.run_id, _aware(row.started), row.value, row.stderr)
            series.setdefault((row.metric, _scope(row)), []).append(point)
        return series

    def last_coadds(self) -> Mapping[str, datetime]:
        """Return when each camera was last measured on coadds, in any lane."""
        query = select(_cameras.c.camera, func.max(_cameras.c.coadds_measured).label("latest")).group_by(
            _cameras.c.camera
        )
        return {row.camera: _aware(row.latest) for row in self._rows(query) if row.latest is not None}

    def _rows(self, query: object) -> Iterable[Row[tuple[object, ...]]]:
        try:
            with self.engine.connect() as connection:
                return connection.execute(query).all()  # type: ignore[call-overload, no-any-return]
        except SQLAlchemyError as error:
            raise StoreError(str(self.engine.url), error) from error


def _wait_for_writers(connection: object, _record: object) -> None:
    """Let two writers of one SQLite file queue instead of failing."""
    connection.execute("PRAGMA busy_timeout = 30000")  # type: ignore[attr-defined]
    connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[attr-defined]


def _insert(connection: Connection, record: RunRecord) -> None:
    run = record.plan
    connection.execute(
        insert(_runs).values(
            run_id=run.run_id,
            lane=run.lane.value,
            started=_naive(record.started),
            finished=_naive(record.finished),
            exit_code=record.exit_code,
        )
    )
    cameras = [_camera_row(record, camera) for camera in run.cameras]
    cameras += [_not_run_row(record, one.camera, one.reason) for one in run.not_run]
    if cameras:
        connection.execute(insert(_cameras), cameras)
    if record.results:
        connection.execute(insert(_results), [_result_row(run.run_id, result) for result in record.results])


def _camera_row(record: RunRecord, camera: str) -> dict[str, object]:
    failure = record.failure(camera)
    return {
        "run_id": record.run_id,
        "camera": camera,
        "completed": int(record.completed(camera)),
        "reason": failure.message if failure else "",
        "coadds_measured": _naive(record.coadds_measured(camera)),
    }


def _not_run_row(record: RunRecord, camera: str, reason: str) -> dict[str, object]:
    row = {"completed": 0, "reason": reason, "coadds_measured": None}
    return {"run_id": record.run_id, "camera": camera, **row}


def _result_row(run_id: str, result: Result) -> dict[str, object]:
    scope = result.scope
    row: dict[str, object] = {
        "run_id": run_id,
        "metric": result.metric,
        "camera": scope.camera,
        "dataset": scope.dataset,
        "band": scope.band or "",
        "tract": -1 if scope.tract is None else scope.tract,
        "task": scope.task or "",
    }
    # All rows of one statement have the same columns.
    empty = dict.fromkeys(("value", "unit", "n", "stderr", "reason"))
    if isinstance(result, Measurement):
        measured = {"value": result.value, "unit": result.unit, "n": result.n, "stderr": result.stderr}
        return row | empty | measured
    return row | empty | {"reason": result.reason}


def _scope(row: Row[tuple[object, ...]]) -> Scope:
    tract = None if row.tract < 0 else row.tract
    return Scope(row.camera, row.dataset, row.band or None, tract, row.task or None)


def _naive(when: datetime | None) -> datetime | None:
    """Databases differ in time zones; all times in the store are UTC without one."""
    return when.astimezone(UTC).replace(tzinfo=None) if when else None


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC)
