"""The history of all runs over SQLAlchemy: SQLite beside the runs by default.

Everything in it can be rebuilt from the run folders; losing it loses no night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Engine, bindparam, create_engine, delete, event, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from qa.epochs import epoch_of, is_resource
from qa.errors import InfrastructureError
from qa.model import HistoryPoint, Measurement, Result, Scope
from qa.store_tables import CAMERAS, EPOCHS, RESULTS, RUNS, STATES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sqlalchemy.engine import Connection, Row

    from qa.record import RunRecord

Series = tuple[str, Scope]
"""A metric's name and what it is measured on: the identity of a history."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The state of the change detector before and after a run, as `qa.changes.dump` wrote it.

    With the state before, a run can be judged again; there is none before a series' first.
    """

    run_id: str
    started: datetime
    before: str | None
    after: str


_POINT = (RESULTS.c.run_id, RESULTS.c.value, RESULTS.c.stderr, RESULTS.c.unit)
_SERIES = tuple(RESULTS.c[name] for name in ("metric", "camera", "dataset", "band", "tract", "task"))


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

    def history(
        self, *, camera: str | None = None, metric: str | None = None, after: datetime | None = None
    ) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first, of runs started after a time."""
        ...

    def states(self) -> Mapping[Series, Remembered]:
        """Return what the change detector remembers of each series."""
        ...

    def save_states(self, states: Mapping[Series, Remembered]) -> None:
        """Replace what the change detector remembers of some series."""
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
            TABLES.create_all(engine)
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
                for table in (EPOCHS, RESULTS, CAMERAS, RUNS):
                    connection.execute(delete(table).where(table.c.run_id == record.run_id))
                _insert(connection, record)
        except SQLAlchemyError as error:
            raise StoreError(str(self.engine.url), error) from error

    def history(
        self, *, camera: str | None = None, metric: str | None = None, after: datetime | None = None
    ) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first, of runs started after a time; unmeasured nights have no value."""
        query = select(*_POINT, *_SERIES).join(RUNS).order_by(RUNS.c.started, RUNS.c.run_id)
        epochs = select(EPOCHS).join(RUNS)
        if after:
            query, epochs = (one.where(RUNS.c.started > _naive(after)) for one in (query, epochs))
        if camera:
            query, epochs = query.where(RESULTS.c.camera == camera), epochs.where(EPOCHS.c.camera == camera)
        if metric:
            query = query.where(RESULTS.c.metric == metric)
        known = {(row.run_id, row.camera, row.dataset, bool(row.resources)): row.epoch for row in self._rows(epochs)}
        started = {row.run_id: _aware(row.started) for row in self._rows(select(RUNS.c.run_id, RUNS.c.started))}
        # A hundred thousand rows are usual: a series is named once, not for each of its rows.
        found: dict[Any, list[HistoryPoint]] = {}
        rows: Iterable[Any] = self._rows(query)
        for run_id, value, stderr, unit, *place in rows:
            # A value in another unit is another series' value.
            epoch = f"{known.get((run_id, place[1], place[2], is_resource(place[0])), '')} {unit}"
            found.setdefault(tuple(place), []).append(HistoryPoint(run_id, started[run_id], value, stderr, epoch))
        return {_series(place): points for place, points in found.items()}

    def states(self) -> Mapping[Series, Remembered]:
        """Return what the change detector remembers of each series."""
        return {
            (row.metric, _scope(row)): Remembered(row.run_id, _aware(row.started), row.before, row.after)
            for row in self._rows(select(STATES))
        }

    def save_states(self, states: Mapping[Series, Remembered]) -> None:
        """Replace what the change detector remembers of some series, in one transaction."""
        rows = [
            {
                **_series_row(metric, scope),
                "run_id": one.run_id,
                "started": _naive(one.started),
                "before": one.before,
                "after": one.after,
            }
            for (metric, scope), one in states.items()
        ]
        if not rows:
            return
        old = delete(STATES).where(*(column == bindparam(f"the_{column.name}") for column in STATES.primary_key))
        keys = [{f"the_{column.name}": row[column.name] for column in STATES.primary_key} for row in rows]
        try:
            with self.engine.begin() as connection:
                connection.execute(old, keys)
                connection.execute(insert(STATES), rows)
        except SQLAlchemyError as error:
            raise StoreError(str(self.engine.url), error) from error

    def last_coadds(self) -> Mapping[str, datetime]:
        """Return when each camera was last measured on coadds, in any lane."""
        query = select(CAMERAS.c.camera, func.max(CAMERAS.c.coadds_measured).label("latest")).group_by(CAMERAS.c.camera)
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
        insert(RUNS).values(
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
        connection.execute(insert(CAMERAS), cameras)
    epochs = [_epoch_row(record, camera, dataset, kind) for camera, dataset in record.measured for kind in (0, 1)]
    if epochs:
        connection.execute(insert(EPOCHS), epochs)
    if record.results:
        connection.execute(insert(RESULTS), [_result_row(run.run_id, result) for result in record.results])


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


def _epoch_row(record: RunRecord, camera: str, dataset: str, resources: int) -> dict[str, object]:
    epoch = epoch_of(record.provenance, camera, dataset, resources=bool(resources))
    return {"run_id": record.run_id, "camera": camera, "dataset": dataset, "resources": resources, "epoch": epoch}


def _series_row(metric: str, scope: Scope) -> dict[str, object]:
    return {
        "metric": metric,
        "camera": scope.camera,
        "dataset": scope.dataset,
        "band": scope.band or "",
        "tract": -1 if scope.tract is None else scope.tract,
        "task": scope.task or "",
    }


def _result_row(run_id: str, result: Result) -> dict[str, object]:
    row = {"run_id": run_id, **_series_row(result.metric, result.scope)}
    # All rows of one statement have the same columns.
    empty = dict.fromkeys(("value", "unit", "n", "stderr", "reason"))
    if isinstance(result, Measurement):
        measured = {"value": result.value, "unit": result.unit, "n": result.n, "stderr": result.stderr}
        return row | empty | measured
    return row | empty | {"reason": result.reason}


def _series(place: Any) -> Series:  # noqa: ANN401 - a row of `_SERIES`
    metric, camera, dataset, band, tract, task = place
    return metric, Scope(camera, dataset, band or None, None if tract < 0 else tract, task or None)


def _scope(row: Row[tuple[object, ...]]) -> Scope:
    tract = None if row.tract < 0 else row.tract
    return Scope(row.camera, row.dataset, row.band or None, tract, row.task or None)


def _naive(when: datetime | None) -> datetime | None:
    """Databases differ in time zones; all times in the store are UTC without one."""
    return when.astimezone(UTC).replace(tzinfo=None) if when else None


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC)
