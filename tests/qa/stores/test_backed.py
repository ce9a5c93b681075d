from __future__ import annotations

from typing import Any

from qa.model import Scope
from qa.stores.backed import BackedStore
from qa.stores.base import Remembered, StoreError
from qa.testing import NOW, MemoryStore, a_record

SERIES = ("PA1", Scope("testcam", "twin", "r", 0))


class Gone(MemoryStore):
    """A store whose server is gone, and which counts how often it is asked."""

    asked = 0

    def __getattribute__(self, name: str) -> Any:
        """Fail in every method."""
        if name.startswith("_"):
            return super().__getattribute__(name)
        Gone.asked += 1
        url, reason = "postgresql://host/db", "server closed the connection unexpectedly\nThis probably means"
        raise StoreError(url, reason)


def test_everything_is_written_to_all() -> None:
    """The spare knows what the first one knows."""
    first, spare = MemoryStore(), MemoryStore()
    store = BackedStore([first, spare], lambda _: None)
    store.save(a_record())
    store.save_states({SERIES: Remembered("a", NOW, None, "{}")})
    assert first.history() == spare.history() == store.history() != {}
    assert first.states() == spare.states() == store.states() != {}
    assert store.last_coadds() == {"testcam": NOW}


def test_the_first_that_answers_is_read() -> None:
    """The shared history knows more than the one beside the runs."""
    first, spare = MemoryStore(), MemoryStore()
    first.save(a_record())
    assert SERIES in BackedStore([first, spare], lambda _: None).history()


def test_a_night_whose_server_is_gone_goes_on_with_the_spare() -> None:
    """It is said once, in one line, and the server is not waited for again."""
    gone, spare = Gone(), MemoryStore()
    Gone.asked = 0
    said: list[str] = []
    store = BackedStore([gone, spare], said.append)
    store.save(a_record())
    store.save_states({SERIES: Remembered("a", NOW, None, "{}")})
    assert SERIES in store.history()
    assert SERIES in store.states()
    assert store.last_coadds() == {"testcam": NOW}
    (line,) = said
    assert line == (
        "warning: history postgresql://host/db: server closed the connection unexpectedly; "
        "the run folders are complete without it"
    )
    assert Gone.asked == 1


def test_a_night_without_any_store_goes_on() -> None:
    """Nothing is known, and nothing is raised."""
    for stores in ([], [Gone()]):
        said: list[str] = []
        store = BackedStore(stores, said.append)
        assert store.history() == {}
        assert store.states() == {}
        assert store.last_coadds() == {}
        store.save(a_record())
        store.save_states({})
        assert len(said) == len(stores)


def test_a_run_whose_id_is_taken_is_said_and_the_store_goes_on() -> None:
    """One run of two that have an id is no reason to leave the whole history out."""
    first, spare = MemoryStore(), MemoryStore()
    first.save(a_record(day=5))
    said: list[str] = []
    store = BackedStore([first, spare], said.append)
    store.save(a_record())
    store.save(a_record("b"))
    (line,) = said
    assert line.startswith(
        "warning: history in memory: run a must be the one that began at 2026-03-01 01:00:00.000000 UTC, "
        "found another run of that id in it, which stays"
    )
    assert set(first.records) == set(spare.records) == {"a", "b"}
    assert spare.records["a"].started == NOW
