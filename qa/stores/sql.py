"""The history in SQLite, beside the runs by default, or in PostgreSQL, which many may share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from qa.judging.epochs import is_resource
from qa.model import HistoryPoint
from qa.stores.base import Remembered, RunTakenError, StoreError
from qa.stores.connect import Database, connect, file_url, shown
from qa.stores.rows import SERIES, RunRows, aware, naive, rows_of, series_of, state_rows
from qa.stores.schema import ensure
from qa.stores.tables import CAMERAS, EPOCHS, RESULTS, RUNS, STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import URL, Engine, Select, Table
    from sqlalchemy.engine import Connection

    from qa.record import RunRecord
    from qa.stores.base import Series

FILE = "history.sqlite"
"""The history beside the runs."""

_POINT = (RESULTS.c.run_id, RESULTS.c.value, RESULTS.c.stderr, RESULTS.c.unit)
_SERIES = tuple(RESULTS.c[name] for name in SERIES)
_PARTS = {"cameras": CAMERAS, "epochs": EPOCHS, "results": RESULTS}
"""The tables that hold rows of a run besides `runs`, by their names in `RunRows`."""


@dataclass(frozen=True, slots=True)
class SqlStore:
    """A store in SQLite or PostgreSQL."""

    database: Database

    @classmethod
    def open(cls, url: str | URL) -> SqlStore:
        """Connect, and make the tables where there are none.

        Raises
        ------
        StoreUrlError
            If the URL names no database.
        StoreError
            If there is no such database, or it is not one.
        OldTablesError, NewTablesError, ForeignTablesError
            If its tables are not those of this obsqa.
        """
        database = connect(url)
        ensure(database)
        return cls(database)

    @classmethod
    def beside(cls, runs: Path) -> SqlStore:
        """Open the SQLite store of a folder of runs."""
        url = file_url(runs / FILE)
        try:
            runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(shown(url), error) from error
        return cls.open(url)

    @property
    def engine(self) -> Engine:
        """The engine of the database."""
        return self.database.engine

    @property
    def name(self) -> str:
        """The database's address, without secrets."""
        return self.database.name

    def save(self, record: RunRecord) -> None:
        """Add a run, or replace what is known of it, in one transaction."""
        self.put(rows_of(record))

    def put(self, rows: RunRows) -> None:
        """Write all rows of a run in the place of those that are there, in one transaction.

        Raises
        ------
        RunTakenError
            If another run, which began at another time, has the id already.
        """
        self.database.write(lambda connection: _put(self.name, connection, rows))

    def rows(self, run_id: str) -> RunRows | None:
        """Return all rows of a run."""
        return self.database.read(lambda connection: _rows(connection, run_id))

    def digests(self) -> dict[str, str | None]:
        """Return the digest of each run, None of those that an older obsqa wrote."""
        query = select(RUNS.c.run_id, RUNS.c.digest).order_by(RUNS.c.run_id)
        return {row.run_id: row.digest for row in self._all(query)}

    def computed(self) -> dict[str, str]:
        """Return the digest of each run as its rows give it now, which is another one where they were damaged."""

        def work(connection: Connection) -> dict[str, str]:
            names = connection.execute(select(RUNS.c.run_id).order_by(RUNS.c.run_id)).scalars().all()
            return {name: rows.digest for name in names if (rows := _rows(connection, name))}

        return self.database.read(work, patience=None)

    def history(
        self, *, camera: str | None = None, metric: str | None = None, after: datetime | None = None
    ) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first, of runs started after a time; unmeasured nights have no value."""
        runs = select(RUNS.c.run_id, RUNS.c.started)
        query = select(*_POINT, *_SERIES).join(RUNS).order_by(RUNS.c.started, RUNS.c.run_id)
        epochs = select(EPOCHS).join(RUNS)
        if after:
            runs, query, epochs = (one.where(RUNS.c.started > naive(after)) for one in (runs, query, epochs))
        if camera:
            query, epochs = query.where(RESULTS.c.camera == camera), epochs.where(EPOCHS.c.camera == camera)
        if metric:
            query = query.where(RESULTS.c.metric == metric)

        def work(connection: Connection) -> Mapping[Series, list[HistoryPoint]]:
            known = {
                (row.run_id, row.camera, row.dataset, row.resources): row.epoch for row in _all(connection, epochs)
            }
            started = {row.run_id: aware(row.started) for row in _all(connection, runs)}
            return _by_series(_all(connection, query), started, known)

        return self.database.read(work)

    def states(self) -> Mapping[Series, Remembered]:
        """Return what the change detector remembers of each series."""
        return {
            series_of(row[:6]): Remembered(row.run_id, aware(row.started), row.before, row.after)
            for row in self._all(select(*(STATES.c[name] for name in SERIES), *_REMEMBERED))
        }

    def save_states(self, states: Mapping[Series, Remembered]) -> None:
        """Replace what the change detector remembers of some series, but for what a later run left."""
        rows = state_rows(states)
        if rows:
            self.database.write(lambda connection: _put_states(connection, rows))

    def last_coadds(self) -> Mapping[str, datetime]:
        """Return when each camera was last measured on coadds, in any lane."""
        query = select(CAMERAS.c.camera, func.max(CAMERAS.c.coadds_measured).label("latest")).group_by(CAMERAS.c.camera)
        return {row.camera: aware(row.latest) for row in self._all(query) if row.latest is not None}

    def _all(self, query: Select[Any]) -> Iterable[Any]:
        return self.database.read(lambda connection: _all(connection, query))


_REMEMBERED = (STATES.c.run_id, STATES.c.started, STATES.c.before, STATES.c.after)


def _all(connection: Connection, query: Select[Any]) -> Iterable[Any]:
    return connection.execute(query).all()


def _by_series(
    rows: Iterable[Any],
    started: Mapping[str, datetime],
    epochs: Mapping[tuple[str, str, str, int], str],
) -> Mapping[Series, list[HistoryPoint]]:
    # A hundred thousand rows are usual: a series is named once, not for each of its rows.
    found: dict[Any, list[HistoryPoint]] = {}
    for run_id, value, stderr, unit, *place in rows:
        # A value in another unit is another series' value.
        epoch = f"{epochs.get((run_id, place[1], place[2], int(is_resource(place[0]))), '')} {unit}"
        found.setdefault(tuple(place), []).append(HistoryPoint(run_id, started[run_id], value, stderr, epoch))
    return {series_of(place): points for place, points in found.items()}


def _upsert(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - the same statement of two dialects
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _put(name: str, connection: Connection, rows: RunRows) -> None:
    # First of all, because it locks the run: whoever else writes it waits until this is done.
    statement = _upsert(connection, RUNS).values(**rows.run, digest=rows.digest)
    news = {key: statement.excluded[key] for key in (*rows.run, "digest") if key != "run_id"}
    same = RUNS.c.started == statement.excluded.started
    connection.execute(statement.on_conflict_do_update(index_elements=["run_id"], set_=news, where=same))
    if connection.execute(select(RUNS.c.started).where(RUNS.c.run_id == rows.run_id)).scalar() != rows.run["started"]:
        raise RunTakenError(name, rows.run_id, rows.started)
    for part, table in _PARTS.items():
        connection.execute(delete(table).where(table.c.run_id == rows.run_id))
        if new := getattr(rows, part):
            connection.execute(insert(table), new)


def _rows(connection: Connection, run_id: str) -> RunRows | None:
    query = select(*(column for column in RUNS.columns if column.name != "digest"))
    run = connection.execute(query.where(RUNS.c.run_id == run_id)).mappings().first()
    if run is None:
        return None
    parts = {
        part: tuple(
            dict(row) for row in connection.execute(select(table).where(table.c.run_id == run_id)).mappings().all()
        )
        for part, table in _PARTS.items()
    }
    return RunRows(dict(run), **parts)


def _put_states(connection: Connection, rows: list[dict[str, Any]]) -> None:
    statement = _upsert(connection, STATES)
    news = {name: statement.excluded[name] for name in ("run_id", "started", "before", "after")}
    older = STATES.c.started <= statement.excluded.started
    connection.execute(statement.on_conflict_do_update(index_elements=list(SERIES), set_=news, where=older), rows)
