"""Connections to the databases of a history: addresses without secrets, transactions that outlive a dropped connection.

Work is given as a function of a connection and may be carried out more than once, so it must be such that a second
time changes nothing: when a connection drops while a transaction is being committed, nobody knows whether it was.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from qa.errors import MissingExtraError, RequestError
from qa.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy.engine import Connection

    T = TypeVar("T")

PAUSES = (0.2, 1.0, 3.0)
"""Seconds to wait before each further attempt at a server that dropped the connection or has none to give."""

PATIENCE = 120.0
"""Seconds after which a transaction that a server does not answer is given up, to be tried again."""

POSTGRESQL = {
    "connect_timeout": 10,
    # A peer that is gone without a word is noticed in half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
    # Statements kept on the server would be another connection's behind a pooler.
    "prepare_threshold": None,
    "application_name": "obsqa",
}

_SILENT = logging.NullHandler()
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite"}
_PASSING = frozenset({"40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03"})
"""SQLSTATEs that pass: serialization failure, deadlock, too many connections, lock, shutdowns, starting up."""


class StoreUrlError(RequestError):
    """What should name a database does not."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"OBSQA_STORE: must be postgresql://[user[:password]@]host[:port]/database or sqlite:///file, found {found}"
        )


@dataclass(frozen=True, slots=True)
class Database:
    """A database, and how to talk to it."""

    engine: Engine
    name: str
    pauses: tuple[float, ...]
    patience: float

    @property
    def private(self) -> bool:
        """Whether it is a file, which is this user's own."""
        return self.engine.dialect.name == "sqlite"

    def read(self, work: Callable[[Connection], T], *, patience: float | None = PATIENCE) -> T:
        """Carry out work that only reads, all of it on one state of the database; without `patience` for ever.

        Raises
        ------
        StoreError
            If the database cannot be read.
        """
        options = {} if self.private else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return self._tried(lambda: self._in_transaction(work, patience and min(patience, self.patience), options))

    def write(self, work: Callable[[Connection], T], *, patience: float | None = PATIENCE) -> T:
        """Carry out work in one transaction, again where the connection drops; without `patience` it may take for ever.

        Raises
        ------
        StoreError
            If the database cannot be written, or not be reached again.
        """
        limit = patience and min(patience, self.patience)
        return self._tried(lambda: self._in_transaction(work, limit, {"writing": True}))

    def _in_transaction(self, work: Callable[[Connection], T], patience: float | None, options: Mapping[str, Any]) -> T:
        with (
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
            _deadline(connection, patience),
        ):
            return work(connection)

    def _tried(self, work: Callable[[], T]) -> T:
        for pause in self.pauses:
            try:
                return work()
            except DBAPIError as error:
                if not passes(error):
                    raise StoreError(self.name, worded(error)) from error
                time.sleep(pause)
            except SQLAlchemyError as error:
                raise StoreError(self.name, worded(error)) from error
        try:
            return work()
        except SQLAlchemyError as error:
            raise StoreError(self.name, worded(error)) from error


def file_url(path: Path) -> URL:
    """Return the address of a database in a file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path))


def connect(url: str | URL) -> Database:
    """Return the database of a URL; nothing is asked of it yet.

    Raises
    ------
    StoreUrlError
        If it names no database of a kind that is known.
    MissingExtraError
        If the driver is not installed.
    """
    parsed = _parsed(url) if isinstance(url, str) else url
    # What the driver has to say of a connection that dropped is told by the error, once.
    logging.getLogger("psycopg").addHandler(_SILENT)
    try:
        # A night talks to its history a few times: no connection is worth keeping in between.
        options = POSTGRESQL if parsed.get_backend_name() == "postgresql" else {"timeout": 30.0}
        engine = create_engine(parsed, poolclass=NullPool, connect_args=options)
    except ModuleNotFoundError as error:
        extra = "stores"
        raise MissingExtraError(extra, str(error.name)) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _no_hidden_transactions)
        event.listen(engine, "begin", _begin)
    return Database(engine, shown(parsed), PAUSES, PATIENCE)


def shown(url: URL) -> str:
    """Name a database without what may be secret: no user, no password, no options."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database or ''}"
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return f"{url.get_backend_name()}://{place}/{url.database or ''}"


def passes(error: DBAPIError) -> bool:
    """Tell whether what went wrong may go right a moment later: a dropped connection, a server that is starting."""
    if error.connection_invalidated:
        return True
    kind = type(error.orig).__name__
    state = getattr(error.orig, "sqlstate", None)
    # The driver gives no state of what happened before there was a connection, or to it.
    unsaid = kind in {"OperationalError", "ConnectionTimeout"} and state is None and hasattr(error.orig, "sqlstate")
    return state in _PASSING or (state or "").startswith("08") or (unsaid and "authentication" not in str(error.orig))


def worded(error: SQLAlchemyError) -> str:
    """Say in one line what a driver said, without the statement and its values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[0] if lines else type(cause).__name__


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        driver = _DRIVERS.get(parsed.get_backend_name())
    except (SQLAlchemyError, ValueError):
        parsed, driver = None, None
    # It may hold a password, and what is wrong with it may be just that: it is not shown.
    if parsed is None or not url.isprintable():
        found = "text that is no such address"
        raise StoreUrlError(found)
    if driver is None:
        found = f"a database of kind {parsed.get_backend_name()!r}"
        raise StoreUrlError(found)
    if driver == "sqlite" and (parsed.host or parsed.query or parsed.database in {None, "", ":memory:"}):
        found = "an address of SQLite that is not just a file"
        raise StoreUrlError(found)
    return parsed.set(drivername=driver)


def _no_hidden_transactions(connection: object, _record: object) -> None:
    """Make what SQLite does a transaction, tables included, and let two writers of a file queue instead of failing."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    connection.execute("PRAGMA busy_timeout = 30000")  # type: ignore[attr-defined]
    connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[attr-defined]


def _begin(connection: Connection) -> None:
    """Begin as a writer where something is to be written: a reader that turns writer is refused, not queued."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _deadline(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Cut the connection when the time is up: drivers wait for ever for a server that is mute."""
    driver = connection.connection.driver_connection
    if seconds is None or driver is None or not hasattr(driver, "fileno"):
        yield
        return
    timer = threading.Timer(seconds, _cut, (driver.fileno(),))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(handle: int) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(handle)) as end:
        end.shutdown(socket.SHUT_RDWR)
