"""A history that a night can rely on: the first of several stores that answers, and a night goes on without any.

Everything is written into all of them. One that fails is left out for the rest of the night, which is said once; what
it lacks then is brought in by `qa.stores.sync`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from qa.errors import InfrastructureError
from qa.stores.base import RunTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from qa.model import HistoryPoint
    from qa.record import RunRecord
    from qa.stores.base import Remembered, Series, Store

    T = TypeVar("T")


class BackedStore:
    """A store that never raises: stores in order of preference, of which the first that answers is read."""

    def __init__(self, stores: Sequence[Store], say: Callable[[str], None]) -> None:
        self._stores, self._say = list(stores), say

    def save(self, record: RunRecord) -> None:
        """Add a run to all stores, or replace what is known of it."""
        self._write(lambda store: store.save(record))

    def history(
        self, *, camera: str | None = None, metric: str | None = None, after: datetime | None = None
    ) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first, of runs started after a time; unmeasured nights have no value."""
        return self._read(lambda store: store.history(camera=camera, metric=metric, after=after), {})

    def states(self) -> Mapping[Series, Remembered]:
        """Return what the change detector remembers of each series."""
        return self._read(lambda store: store.states(), {})

    def save_states(self, states: Mapping[Series, Remembered]) -> None:
        """Replace what the change detector remembers of some series, in all stores."""
        self._write(lambda store: store.save_states(states))

    def last_coadds(self) -> Mapping[str, datetime]:
        """Return when each camera was last measured on coadds, in any lane."""
        return self._read(lambda store: store.last_coadds(), {})

    def _read(self, work: Callable[[Store], T], otherwise: T) -> T:
        for store in tuple(self._stores):
            try:
                return work(store)
            except InfrastructureError as error:
                self._leave_out(store, error)
        return otherwise

    def _write(self, work: Callable[[Store], None]) -> None:
        for store in tuple(self._stores):
            try:
                work(store)
            except RunTakenError as error:
                self._say(f"warning: {error}")
            except InfrastructureError as error:
                self._leave_out(store, error)

    def _leave_out(self, store: Store, error: InfrastructureError) -> None:
        self._stores.remove(store)
        self._say(f"warning: {error}")
