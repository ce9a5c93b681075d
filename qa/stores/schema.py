"""Of which revision the tables of a database are, and how they become those of this obsqa.

A file beside the runs is one user's own and is brought up to date when it is opened. A server's tables are shared with
other versions of obsqa: they are made where there are none, and moved only by `obsqa store migrate`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, inspect, select, text

from qa.errors import InfrastructureError
from qa.stores.tables import HEAD, RUNS, TABLES, VERSION_TABLE

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from qa.stores.connect import Database

MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))
_LOCK = 0x6F627371
"""Key of the advisory lock under which tables are made: "obsq"."""


class OldTablesError(InfrastructureError):
    """The tables of a shared database are of an older obsqa."""

    def __init__(self, name: str, found: str | None) -> None:
        self.found = found
        what = f"revision {found}" if found else "tables without a revision"
        super().__init__(
            f"history {name}: must be of revision {HEAD}, found {what}; "
            "bring it up to date for all who use it with: obsqa store migrate"
        )


class NewTablesError(InfrastructureError):
    """The tables were made by a later obsqa."""

    def __init__(self, name: str, found: str) -> None:
        self.found = found
        super().__init__(
            f"history {name}: must be of revision {HEAD}, found {found}, which a later obsqa made; "
            "bring obsqa up to date"
        )


class ForeignTablesError(InfrastructureError):
    """The database holds tables of our names that are not ours."""

    def __init__(self, name: str, table: str, missing: str) -> None:
        self.table = table
        super().__init__(
            f"history {name}: must be a database of obsqa's own, found a table {table!r} without {missing!r}; "
            "name another database or schema"
        )


def ensure(database: Database) -> None:
    """Make the tables where there are none, and those of a file up to date.

    Raises
    ------
    OldTablesError, NewTablesError, ForeignTablesError, StoreError
        If the tables are not usable.
    """
    # Both at once: between two questions another process may make the tables.
    found, has_runs = database.read(lambda connection: (revision(connection), _has_runs(connection)))
    if found == HEAD:
        return
    if not database.private and (found or has_runs):
        _known(database, found)
        raise OldTablesError(database.name, found)
    upgrade(database)


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the tables up to date, and return the revisions before and after.

    Of several at once one does it and the others wait; it is done whole or not at all.
    """

    def work(connection: Connection) -> str | None:
        if not database.private:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = revision(connection)
        _known(database, before)
        if before is None and not _has_runs(connection):
            TABLES.create_all(connection)
            _VERSION.create(connection, checkfirst=True)
            connection.execute(_VERSION.insert().values(version_num=HEAD))
        elif before != HEAD:
            _check_ours(database.name, connection)
            _migrate(connection)
        return before

    # Tables of a hundred million rows take their time.
    return database.write(work, patience=None), HEAD


def revision(connection: Connection) -> str | None:
    """Return the revision that the tables say they are of."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()


def _known(database: Database, found: str | None) -> None:
    names = {path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*.py")}
    if found is not None and found not in names:
        raise NewTablesError(database.name, found)


def _has_runs(connection: Connection) -> bool:
    return inspect(connection).has_table(RUNS.name)


def _check_ours(name: str, connection: Connection) -> None:
    """Refuse tables that only share a name with ours."""
    seen = inspect(connection)
    for table in TABLES.tables.values():
        if seen.has_table(table.name):
            there = {column["name"] for column in seen.get_columns(table.name)}
            for column in table.primary_key:
                if column.name not in there:
                    raise ForeignTablesError(name, table.name, column.name)


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - half a second that a history which is up to date does not need
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
