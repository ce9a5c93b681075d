from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from qa.model import Scope
from qa.stores.connect import connect
from qa.stores.rows import rows_of
from qa.stores.sql import SqlStore
from qa.testing import a_record

if TYPE_CHECKING:
    from pathlib import Path

SERIES = ("PA1", Scope("testcam", "twin", "r", 0))
WRITERS, RUNS = 4, 15

WRITER = """
import sys
from dataclasses import replace
from datetime import timedelta
from qa.model import Scope
from qa.stores.base import Remembered
from qa.stores.sql import SqlStore
from qa.testing import NOW, a_record

url, me, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = SqlStore.open(url)
store = replace(store, database=replace(store.database, pauses=(0.05,) * 40))
series = [("PA1", Scope("testcam", "twin", band, 0)) for band in "ugrizy"]
for number in range(runs):
    store.save(a_record(f"{me}-{number}", value=me + number / 100, day=number))
    store.save(a_record("shared", value=me + number / 100))
    when = NOW + timedelta(days=number)
    order = series if me % 2 else series[::-1]
    store.save_states({one: Remembered(f"{me}-{number}", when, None, f"{number}") for one in order})
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'history.sqlite'}"
    address: str = request.getfixturevalue("postgres")
    return address


def cut_connections(url: str, done: threading.Event) -> list[int]:
    """End the connections of all others again and again; return how many were ended."""
    database, ended = connect(url), []
    query = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    while not done.wait(0.2) and sum(ended) < 20:
        ended.append(database.write(lambda connection: connection.execute(query).scalar()) or 0)
    return ended


def test_four_writers_at_once_lose_nothing(url: str) -> None:
    """Processes that save runs, the same run and the same states, while their connections are ended under their hands.

    Every run is there once with all of its rows, the shared run is whole and some writer's, and the states are those of
    the latest run.
    """
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, str(me), str(RUNS)], stderr=subprocess.PIPE)
        for me in range(WRITERS)
    ]
    done, ended = threading.Event(), list[int]()
    if url.startswith("postgresql"):
        cutter = threading.Thread(target=lambda: ended.extend(cut_connections(url, done)))
        cutter.start()
    told = [writer.communicate()[1].decode() for writer in writers]
    done.set()
    assert [writer.returncode for writer in writers] == [0] * WRITERS, told
    if url.startswith("postgresql"):
        cutter.join()
        assert sum(ended) > 0
    store = SqlStore.open(url)
    records = [a_record(f"{me}-{day}", value=me + day / 100, day=day) for me in range(WRITERS) for day in range(RUNS)]
    wanted = {record.run_id: rows_of(record).digest for record in records}
    found = store.computed()
    shared = {
        rows_of(a_record("shared", value=me + number / 100)).digest for me in range(WRITERS) for number in range(RUNS)
    }
    assert found.pop("shared") in shared
    assert found == wanted
    assert {name: digest for name, digest in store.digests().items() if name != "shared"} == wanted
    assert {one.after for one in store.states().values()} == {str(RUNS - 1)}
    assert len(store.states()) == 6


def test_a_reader_sees_runs_whole_while_they_are_written(url: str) -> None:
    """A history is of one state of the database: no point without its run, whatever is written meanwhile."""
    store, done = SqlStore.open(url), threading.Event()

    def write() -> None:
        for number in range(40):
            store.save(a_record(f"{number:03}", day=number))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        history = store.history()
        seen.append({len(points) for points in history.values()})
    writer.join()
    assert all(len(lengths) <= 1 for lengths in seen)
    assert {len(points) for points in store.history().values()} == {40}


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_writer_that_is_killed_leaves_whole_runs(url: str, after: int) -> None:
    """Whatever it was writing is there with all of its rows or not at all, and others write on."""
    store = SqlStore.open(url)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url, "0", "100000"], stderr=subprocess.DEVNULL)
    try:
        while len(store.digests()) <= after:
            assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()
    assert store.computed() == store.digests()
    store.save(a_record("after", day=1))
    assert "after" in store.computed()
