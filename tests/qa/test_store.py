from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from qa.model import Scope, Unmeasured
from qa.record import Measured
from qa.store import Remembered, RunTakenError, SqlStore, StoreError
from qa.testing import NOW, MemoryStore, a_measurement, a_record

if TYPE_CHECKING:
    from pathlib import Path

    from qa.store import Store

SERIES = ("PA1", Scope("testcam", "twin", "r", 0))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return each kind of store in turn: all keep the same contract."""
    match request.param:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return SqlStore.beside(tmp_path)
        case _:
            return SqlStore.open(request.getfixturevalue("postgres"))


def test_a_series_is_told_oldest_first(store: Store) -> None:
    """History is in the order of the nights, whatever the order of saving."""
    store.save(a_record("b", value=6.0, day=1))
    store.save(a_record("a", value=5.0))
    points = store.history()[SERIES]
    assert [(point.run_id, point.value, point.stderr) for point in points] == [("a", 5.0, 0.5), ("b", 6.0, 0.6)]
    assert points[0].when == NOW


def test_saving_a_run_again_replaces_it(store: Store) -> None:
    """A run is in the history once."""
    store.save(a_record(value=5.0))
    store.save(a_record(value=7.0))
    assert [point.value for point in store.history()[SERIES]] == [7.0]


def test_an_unmeasured_night_has_no_value(store: Store) -> None:
    """Absence is a result and stays in the series."""
    store.save(a_record())
    assert store.history(metric="AM3")["AM3", SERIES[1]][0].value is None


def test_series_are_chosen_by_camera_and_metric(store: Store) -> None:
    """Only what was asked for is returned, with the scope it was saved under."""
    store.save(a_record())
    assert set(store.history(metric="cpu_per_megapixel")) == {
        ("cpu_per_megapixel", Scope("testcam", "twin", task="isr"))
    }
    assert store.history(camera="other") == {}


def test_the_last_measurement_on_coadds_is_known(store: Store) -> None:
    """The latest night in which a camera came through counts."""
    store.save(a_record("a"))
    store.save(a_record("b", day=3))
    failed = replace(a_record("c", day=5), outcomes={})
    store.save(failed)
    assert store.last_coadds() == {"testcam": NOW + timedelta(days=3)}


def test_only_runs_after_a_time_are_told(store: Store) -> None:
    """A run that began at the time itself is not after it."""
    store.save(a_record("a"))
    store.save(a_record("b", day=1))
    assert [point.run_id for point in store.history(after=NOW)[SERIES]] == ["b"]


def test_counts_exceed_32_bits(store: Store) -> None:
    """Pairs of stars are counted in thousands of millions."""
    many = replace(a_measurement(), n=2**40)
    store.save(replace(a_record(), measured={("testcam", "twin"): Measured("testcam", "twin", (many,))}))
    assert store.history()[SERIES][0].value == many.value


def test_a_reason_may_be_any_text(store: Store) -> None:
    """Texts come from programs that fail, and hold what they like."""
    odd = Unmeasured("AM3", SERIES[1], "a \0 byte, half a character \ud800, '; DROP TABLE runs; -- and \x1b[31mred")
    store.save(replace(a_record(), measured={("testcam", "twin"): Measured("testcam", "twin", (odd,))}))
    assert store.history()["AM3", SERIES[1]][0].value is None


def test_another_run_of_the_same_id_takes_nothing_away(store: Store) -> None:
    """Runs of two machines may have begun in one second: what is there stays, and the other is refused in one line."""
    store.save(a_record(value=5.0))
    with pytest.raises(RunTakenError, match=r"run a must be the one that began at .*, found another run of that id"):
        store.save(a_record(value=7.0, day=1))
    assert [point.value for point in store.history()[SERIES]] == [5.0]


def remembered(run_id: str, day: int) -> Remembered:
    """Build a state of the change detector."""
    return Remembered(run_id, NOW + timedelta(days=day), None, f"after {run_id}")


def test_states_are_kept_by_series(store: Store) -> None:
    """Each series has the state of its own, and a series without band, tract or task is one as well."""
    bare = ("cpu_per_megapixel", Scope("testcam", "twin"))
    store.save_states({SERIES: remembered("a", 0), bare: remembered("b", 1)})
    assert store.states() == {SERIES: remembered("a", 0), bare: remembered("b", 1)}


def test_states_go_forward(store: Store) -> None:
    """The state that a later run left stays when an earlier one, judged beside it, is through only now."""
    store.save_states({SERIES: remembered("b", 1)})
    store.save_states({SERIES: remembered("a", 0)})
    assert store.states()[SERIES].run_id == "b"
    store.save_states({SERIES: replace(remembered("b", 1), after="judged again")})
    assert store.states()[SERIES].after == "judged again"


def test_no_states_are_no_work(store: Store) -> None:
    """A run without series leaves nothing."""
    store.save_states({})
    assert store.states() == {}


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    """A broken history is told plainly, and the run folders stand without it."""
    (tmp_path / "history.sqlite").write_text("this is not a database, and it is long enough to be seen as none")
    with pytest.raises(StoreError, match=r"history sqlite.*file is not a database.*complete without it"):
        SqlStore.beside(tmp_path)


@pytest.mark.parametrize("name", ["a b", "50%25", "who?", "a#b", "über", "user:word@host"])
def test_the_folder_of_runs_may_have_any_name(tmp_path: Path, name: str) -> None:
    """A path is no address: what has a meaning in one has none here."""
    SqlStore.beside(tmp_path / name).save(a_record())
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert [path.name for path in (tmp_path / name).iterdir()] == ["history.sqlite"]
    assert SERIES in SqlStore.beside(tmp_path / name).history()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """Where no folder can be made there is no history, which is told like any other trouble with it."""
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"history sqlite.*complete without it"):
        SqlStore.beside(tmp_path / "runs")
