from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from qa.model import Scope
from qa.stores.connect import Database, connect
from qa.stores.schema import (
    MIGRATIONS,
    ForeignTablesError,
    NewTablesError,
    OldTablesError,
    _migrate,
    ensure,
    revision,
    upgrade,
)
from qa.stores.sql import SqlStore
from qa.stores.tables import HEAD, TABLES, VERSION_TABLE

if TYPE_CHECKING:
    from pathlib import Path

_OLD = """
CREATE TABLE runs (run_id VARCHAR NOT NULL, lane VARCHAR NOT NULL, started {time} NOT NULL, finished {time},
    exit_code INTEGER, PRIMARY KEY (run_id));
CREATE TABLE camera_runs (run_id VARCHAR NOT NULL, camera VARCHAR NOT NULL, completed INTEGER NOT NULL,
    reason VARCHAR NOT NULL, coadds_measured {time}, PRIMARY KEY (run_id, camera),
    FOREIGN KEY(run_id) REFERENCES runs (run_id));
CREATE TABLE results (run_id VARCHAR NOT NULL, metric VARCHAR NOT NULL, camera VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL, band VARCHAR NOT NULL, tract INTEGER NOT NULL, task VARCHAR NOT NULL, value FLOAT,
    unit VARCHAR, n INTEGER, stderr FLOAT, reason VARCHAR,
    PRIMARY KEY (run_id, metric, camera, dataset, band, tract, task), FOREIGN KEY(run_id) REFERENCES runs (run_id));
CREATE TABLE epochs (run_id VARCHAR NOT NULL, camera VARCHAR NOT NULL, dataset VARCHAR NOT NULL,
    resources INTEGER NOT NULL, epoch VARCHAR NOT NULL, PRIMARY KEY (run_id, camera, dataset, resources),
    FOREIGN KEY(run_id) REFERENCES runs (run_id))
"""
OLD_TABLES = _OLD.split(";")
"""What the first versions made: written out, because these are in users' files and never change."""

OLD_ROWS = (
    "INSERT INTO runs VALUES ('old', 'nightly', '2026-01-02 03:04:05.678901', '2026-01-02 04:00:00.000000', 0)",
    "INSERT INTO camera_runs VALUES ('old', 'testcam', 1, '', '2026-01-02 03:59:00.000000')",
    "INSERT INTO results VALUES ('old', 'PA1', 'testcam', 'twin', 'r', 0, '', 5.25, 'mmag', 100, 0.5, NULL)",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Return an empty database of each kind."""
    if request.param == "sqlite":
        return connect(f"sqlite:///{tmp_path / 'history.sqlite'}")
    return connect(request.getfixturevalue("postgres"))


def fill(database: Database, *statements: str) -> None:
    """Carry out statements."""
    time = "DATETIME" if database.private else "TIMESTAMP WITHOUT TIME ZONE"
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.format(time=time))


def differences(database: Database) -> list[object]:
    """Return how the tables of a database differ from those that obsqa knows."""

    def work(connection: object) -> list[object]:
        options = {"compare_type": True, "version_table": VERSION_TABLE}
        return compare_metadata(MigrationContext.configure(connection, opts=options), TABLES)  # type: ignore[arg-type]

    return database.read(work)


def test_the_revision_of_the_tables_is_that_of_the_last_migration() -> None:
    """What is made at once is what the migrations lead to; there is one line of them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_tables_are_made_where_there_are_none(empty: Database) -> None:
    """A new database is of the latest revision at once."""
    ensure(empty)
    assert empty.read(revision) == HEAD
    assert differences(empty) == []


def test_migrations_from_nothing_lead_to_the_same_tables(empty: Database) -> None:
    """Who migrates and who begins anew have the same tables."""
    empty.write(_migrate)
    assert empty.read(revision) == HEAD
    assert differences(empty) == []


def test_a_history_of_an_older_obsqa_goes_on(empty: Database) -> None:
    """Tables without a revision are brought up to date, and what is in them is there as before."""
    fill(empty, *OLD_TABLES, *OLD_ROWS)
    assert upgrade(empty) == (None, HEAD)
    assert differences(empty) == []
    store = SqlStore(empty)
    (point,) = store.history()["PA1", Scope("testcam", "twin", "r", 0)]
    assert (point.run_id, point.value, point.stderr) == ("old", 5.25, 0.5)
    assert point.when.isoformat() == "2026-01-02T03:04:05.678901+00:00"
    assert store.last_coadds()["testcam"].isoformat() == "2026-01-02T03:59:00+00:00"
    assert store.digests() == {"old": None}


def test_a_file_is_brought_up_to_date_when_it_is_opened(tmp_path: Path) -> None:
    """The history beside the runs is one user's own: there is nobody to ask."""
    database = connect(f"sqlite:///{tmp_path / 'history.sqlite'}")
    fill(database, *OLD_TABLES, *OLD_ROWS)
    assert list(SqlStore.beside(tmp_path).digests()) == ["old"]
    assert database.read(revision) == HEAD


def test_an_older_obsqa_can_still_write_into_a_file_brought_up_to_date(tmp_path: Path) -> None:
    """Who goes back to an older version, as a bisect does, finds tables it can use."""
    store = SqlStore.beside(tmp_path)
    with sqlite3.connect(tmp_path / "history.sqlite") as connection:
        for row in OLD_ROWS:
            columns = {"runs": "(run_id, lane, started, finished, exit_code)"}.get(row.split()[2], "")
            connection.execute(row.replace(" VALUES", f" {columns} VALUES"))
    connection.close()
    assert store.digests() == {"old": None}


def test_tables_that_are_shared_are_not_moved_unasked(postgres: str) -> None:
    """Others use them with other versions: what to do is said in one line, and nothing is touched."""
    database = connect(postgres)
    fill(database, *OLD_TABLES, *OLD_ROWS)
    with pytest.raises(OldTablesError, match=r"must be of revision 0002, found tables without .* obsqa store migrate$"):
        SqlStore.open(postgres)
    assert database.read(revision) is None


def test_tables_of_a_later_version_are_refused(empty: Database) -> None:
    """What a later obsqa made is not understood, so it is not touched."""
    ensure(empty)
    with empty.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608 - a name of ours
    with pytest.raises(NewTablesError, match="found 9999, which a later obsqa made; bring obsqa up to date"):
        ensure(empty)
    with pytest.raises(NewTablesError, match="found 9999"):
        upgrade(empty)


def test_tables_of_others_are_left_alone(empty: Database) -> None:
    """A database may hold a table of the same name that is not ours."""
    fill(empty, "CREATE TABLE runs (distance FLOAT)")
    with pytest.raises(ForeignTablesError, match="found a table 'runs' without 'run_id'; name another database"):
        upgrade(empty)
    assert empty.read(revision) is None


def test_four_that_open_a_new_history_at_once_make_it_once(empty: Database) -> None:
    """Nights that begin together find or make the same tables."""
    url = empty.engine.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: SqlStore.open(url), range(4)))
    assert [store.digests() for store in stores] == [{}] * 4
    assert differences(empty) == []


def test_four_that_migrate_at_once_do_it_once(empty: Database) -> None:
    """The first one moves the tables, and the others find them moved."""
    fill(empty, *OLD_TABLES, *OLD_ROWS)
    url = empty.engine.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(4) as pool:
        before = sorted(str(found) for found, _ in pool.map(lambda _: upgrade(connect(url)), range(4)))
    assert before == [HEAD, HEAD, HEAD, "None"]
    assert list(SqlStore(empty).history())


def test_a_migration_that_fails_changes_nothing(empty: Database) -> None:
    """It is done whole or not at all: here the second step meets a column that is there already."""
    fill(empty, *OLD_TABLES, "ALTER TABLE runs ADD COLUMN digest VARCHAR")
    with pytest.raises(Exception, match="digest"):
        upgrade(empty)
    assert empty.read(revision) is None
    assert differences(empty)
