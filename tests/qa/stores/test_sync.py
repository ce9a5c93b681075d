from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qa.journal import FILE_NAME
from qa.model import Scope
from qa.stores.sql import SqlStore
from qa.stores.sync import check, from_journals, from_store
from qa.testing import a_measurement, a_record
from qa.testing.runs import write_run

if TYPE_CHECKING:
    from pathlib import Path

SERIES = ("PA1", Scope("testcam", "twin", "r", 0))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SqlStore:
    """Return an empty store of each kind."""
    if request.param == "sqlite":
        return SqlStore.beside(tmp_path / "elsewhere")
    return SqlStore.open(request.getfixturevalue("postgres"))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a folder with two runs."""
    for day, name in enumerate("ab"):
        write_run(tmp_path / "runs", a_record(name, value=5.0 + day, day=day))
    return tmp_path / "runs"


def values(store: SqlStore) -> list[tuple[str, float | None]]:
    """Return the history of one series."""
    return [(point.run_id, point.value) for point in store.history().get(SERIES, [])]


def test_what_is_missing_comes_from_the_journals(store: SqlStore, runs: Path) -> None:
    """All runs, once, and nothing is left to do the second time."""
    assert from_journals(store, runs).brought == ("a", "b")
    assert values(store) == [("a", 5.0), ("b", 6.0)]
    assert from_journals(store, runs).brought == ()
    assert check(store, runs).whole


def test_a_run_of_which_the_journal_says_more_is_brought_in_again(store: SqlStore, runs: Path) -> None:
    """A run judged again while the server was away; it is there once."""
    store.save(a_record("a", value=4.0))
    found = check(store, runs)
    assert (found.missing, found.different, found.damaged) == (("b",), ("a",), ())
    assert from_journals(store, runs).brought == ("a", "b")
    assert values(store) == [("a", 5.0), ("b", 6.0)]


def test_only_what_is_missing_is_looked_at_where_that_is_asked(store: SqlStore, runs: Path) -> None:
    """A night does not read the journals of a year."""
    store.save(a_record("a", value=4.0))
    (runs / "a" / FILE_NAME).write_text("not a journal\n")
    assert from_journals(store, runs, only_missing=True).brought == ("b",)


def test_a_run_that_goes_on_is_not_brought_in(store: SqlStore, tmp_path: Path) -> None:
    """What has no end is no night yet."""
    write_run(tmp_path, replace(a_record(), exit_code=None))
    assert from_journals(store, tmp_path).brought == ()


def test_a_damaged_journal_is_told_and_the_others_come_in(store: SqlStore, runs: Path) -> None:
    """One run that cannot be read stops no other."""
    (runs / "a" / FILE_NAME).write_text("not a journal\n{}\n")
    done = from_journals(store, runs)
    assert done.brought == ("b",)
    assert len(done.left) == 1
    assert "journal.jsonl:1: must be an event" in done.left[0]


def test_a_run_whose_id_is_taken_is_told_and_the_others_come_in(store: SqlStore, runs: Path) -> None:
    """What another machine put there stays."""
    store.save(a_record("a", value=9.0, day=7))
    done = from_journals(store, runs)
    assert done.brought == ("b",)
    assert "found another run of that id" in done.left[0]
    assert dict(values(store)) == {"a": 9.0, "b": 6.0}


def test_what_is_missing_comes_from_another_history(store: SqlStore, tmp_path: Path) -> None:
    """Runs whose folders are gone are known to the history beside them, to the last bit."""
    own = SqlStore.beside(tmp_path / "own")
    odd = a_measurement(5.000000000000001)
    own.save(a_record("a"))
    own.save(replace(a_record("b", day=1), provenance={"host": "anode", "data testcam/twin": "12"}))
    own.save(a_record("c", value=odd.value, day=2))
    store.save(a_record("a", value=4.0))
    assert from_store(store, own, tmp_path / "runs").brought == ("a", "b", "c")
    assert store.history() == own.history()
    assert store.digests() == own.digests()
    assert store.last_coadds() == own.last_coadds()
    assert from_store(store, own, tmp_path / "runs").brought == ()


def test_a_run_of_an_older_version_comes_in_where_it_is_missing(store: SqlStore, tmp_path: Path) -> None:
    """It has no digest, so that nothing can be said of a difference: what is there stays."""
    own = SqlStore.beside(tmp_path / "own")
    for name in "ab":
        own.save(a_record(name))
    with own.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET digest = NULL, host = NULL")
    store.save(a_record("a", value=4.0))
    assert from_store(store, own, tmp_path / "runs").brought == ("b",)
    assert dict(values(store)) == {"a": 4.0, "b": 5.0}


def test_damage_is_found_and_mended(store: SqlStore, runs: Path) -> None:
    """A value changed behind the back, and rows that went: the digest tells, and the journal mends."""
    from_journals(store, runs)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE results SET value = 7 WHERE run_id = 'a' AND metric = 'PA1'")
        connection.exec_driver_sql("DELETE FROM results WHERE run_id = 'b'")
    found = check(store, runs)
    assert found.damaged == ("a", "b")
    assert not found.whole
    assert from_journals(store, runs).brought == ("a", "b")
    assert check(store, runs).whole


def test_of_two_histories_the_one_that_says_what_the_journal_says_is_right(store: SqlStore, tmp_path: Path) -> None:
    """A run judged again whose way into the history beside it was cut off: the older one is mended, not brought in."""
    own = SqlStore.beside(tmp_path / "own")
    own.save(a_record(value=4.0))
    store.save(a_record(value=5.0))
    write_run(tmp_path / "runs", a_record(value=5.0))
    assert from_store(store, own, tmp_path / "runs").brought == ()
    assert values(store) == values(own) == [("a", 5.0)]
