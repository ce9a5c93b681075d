from __future__ import annotations

import select
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url, text

from qa.errors import InfrastructureError, MissingExtraError
from qa.stores.base import StoreError
from qa.stores.connect import StoreUrlError, _parsed, connect, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from qa.stores.connect import Database


class Proxy:
    """Passes bytes on between a client and a server until it is told to cut or to keep still."""

    def __init__(self, port: int) -> None:
        self._target, self._open = port, list[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen = 0
        self.on_bytes: Callable[[Proxy, bytes], bool] = lambda _proxy, _data: True
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop all connections at once."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a client
        self._listener.close()
        self.cut()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while True:
                for one in select.select([client, server], [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        client.shutdown(socket.SHUT_RDWR)
                        server.shutdown(socket.SHUT_RDWR)
                        return
                    self.seen += len(data)
                    if one is server or self.on_bytes(self, data):
                        (client if one is server else server).sendall(data)


@contextmanager
def proxied(url: str) -> Iterator[tuple[Database, Proxy]]:
    """Give a database that is reached through a proxy, with short pauses."""
    parsed = make_url(url)
    assert parsed.port is not None
    proxy = Proxy(parsed.port)
    database = connect(parsed.set(port=proxy.port).render_as_string(hide_password=False))
    try:
        yield replace(database, pauses=(0.01, 0.02, 0.05)), proxy
    finally:
        proxy.close()


@pytest.fixture
def table(postgres: str) -> str:
    """Return the address of a database with a table of one column."""
    connect(postgres).write(lambda connection: connection.execute(text("CREATE TABLE t (x INTEGER PRIMARY KEY)")))
    return postgres


def insert(connection: Connection) -> None:
    """Write a row, in the way that may be repeated."""
    connection.execute(text("DELETE FROM t WHERE x = 1"))
    connection.execute(text("INSERT INTO t VALUES (1)"))


def rows(url: str) -> list[int]:
    """Return what is in the table."""
    return connect(url).read(lambda connection: list(connection.execute(text("SELECT x FROM t")).scalars()))


def test_a_connection_that_is_cut_before_it_answers_is_tried_again(table: str) -> None:
    """Wherever in a transaction the cut is, the row is there once."""
    with proxied(table) as (database, proxy):
        for word in (b"DELETE FROM t", b"INSERT INTO t", b"COMMIT"):
            cuts = iter([True])

            def cut(proxy: Proxy, data: bytes, word: bytes = word, cuts: Iterator[bool] = cuts) -> bool:
                if word in data and next(cuts, False):
                    proxy.cut()
                    return False
                return True

            proxy.on_bytes = cut
            database.write(insert)
            assert rows(table) == [1], word
            assert next(cuts, None) is None, f"{word!r} was never seen"


def test_a_commit_whose_answer_is_lost_is_not_doubled(table: str) -> None:
    """The server has committed and nobody knows: the work is done again, and the row is there once."""
    with proxied(table) as (database, proxy):
        cuts = iter([True])

        def cut(proxy: Proxy, data: bytes) -> bool:
            if b"COMMIT" in data and next(cuts, False):
                for one in proxy._open[1::2][-1:]:
                    one.sendall(data)
                    one.recv(1)  # the answer is on its way
                proxy.cut()
                return False
            return True

        proxy.on_bytes = cut
        database.write(insert)
    assert rows(table) == [1]
    assert next(cuts, None) is None


def test_a_backend_that_is_terminated_in_mid_write_is_replaced(table: str) -> None:
    """An administrator ends the connection between two statements."""
    killed = iter([True])

    def work(connection: Connection) -> None:
        insert(connection)
        if next(killed, False):
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            end = text("SELECT pg_terminate_backend(:pid)")
            connect(table).write(lambda other: other.execute(end, {"pid": pid}))
            connection.execute(text("SELECT 1"))

    replace(connect(table), pauses=(0.01, 0.01)).write(work)
    assert rows(table) == [1]


def test_a_server_that_is_mute_is_given_up(table: str) -> None:
    """A peer that takes bytes and never answers costs a while, not the night."""
    with proxied(table) as (database, proxy):
        proxy.on_bytes = lambda _proxy, data: b"INSERT" not in data
        with pytest.raises(StoreError, match=r"complete without it"):
            replace(database, patience=0.3, pauses=(0.01,)).write(insert)
    assert rows(table) == []


def test_no_server_is_one_line(table: str) -> None:
    """What is said names the place, and neither user nor password."""
    with proxied(table) as (database, proxy):
        proxy.close()
        with pytest.raises(
            StoreError, match=r"history postgresql://127\.0\.0\.1:\d+/.*refused.*complete without it"
        ) as told:
            database.read(lambda connection: connection.execute(text("SELECT 1")))
    assert "\n" not in str(told.value)
    assert "word" not in str(told.value)


def test_a_wrong_password_is_one_line_that_does_not_hold_it(table: str) -> None:
    """The driver says that it was refused, not what was tried."""
    wrong = make_url(table).set(password="planted-secret").render_as_string(hide_password=False)  # noqa: S106
    with pytest.raises(StoreError, match="password authentication failed") as told:
        connect(wrong).read(lambda connection: connection.execute(text("SELECT 1")))
    assert "planted" not in repr(told.value)
    assert "planted" not in repr(connect(wrong))


def test_what_is_wrong_with_a_statement_is_not_tried_again(table: str) -> None:
    """Only what may pass is tried again; and the values of a statement are not told."""
    tried = []

    def work(connection: Connection) -> None:
        tried.append(1)
        connection.execute(text("INSERT INTO nothing VALUES (:x)"), {"x": "planted-secret"})

    with pytest.raises(StoreError, match='relation "nothing" does not exist') as told:
        connect(table).write(work)
    assert len(tried) == 1
    assert "planted" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:planted@host/db",
        "planted",
        "postgresql://user:planted@host:port/db",
        "https://user:planted@host/db",
        "postgresql://user:planted\0@host/db",
        "sqlite://planted/file",
        "sqlite:///file?timeout=planted",
        "sqlite://",
        "sqlite:///:memory:",
        "",
    ],
)
def test_an_address_that_names_no_database_is_one_line_without_its_secrets(url: str) -> None:
    """The address itself is not shown: what is wrong with it may be its password."""
    with pytest.raises(StoreUrlError, match=r"^OBSQA_STORE: must be postgresql://.* found ") as told:
        connect(url)
    assert "planted" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://user:planted@host:5433/db?password=planted&sslkey=planted", "postgresql://host:5433/db"),
        ("postgres://user:planted@host/db", "postgresql://host/db"),
        ("postgresql:///db?host=/run/postgresql", "postgresql:///db"),
        ("sqlite:////some/where.sqlite", "sqlite:////some/where.sqlite"),
    ],
)
def test_databases_are_named_without_secrets(url: str, name: str) -> None:
    """User, password and options stay out of what is shown."""
    assert shown(_parsed(url)) == name


@given(st.text() | st.builds("{}://{}:{}@{}/{}?{}".format, st.sampled_from(["sqlite", "postgresql"]), *[st.text()] * 5))
def test_any_address_is_a_database_or_one_line(url: str) -> None:
    """What stands in a variable makes no traceback, and what is shown holds no user and no password."""
    try:
        name = shown(_parsed(url))
    except StoreUrlError as error:
        name = str(error)
    assert "\n" not in name


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """A file that cannot grow is told, and what was in it stays."""
    database = connect(f"sqlite:///{tmp_path / 'small.sqlite'}")
    database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x TEXT)"))

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 4")
        connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": "x" * 100_000})

    with pytest.raises(InfrastructureError, match=r"database or disk is full; the run folders are complete"):
        database.write(work)
    assert database.read(lambda connection: connection.execute(text("SELECT count(*) FROM t")).scalar()) == 0


def test_a_driver_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sharing a history is an optional part, and its name is said."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"needs the module psycopg, .* pip install 'obsqa\[stores\]'"):
        connect("postgresql://host/db")
