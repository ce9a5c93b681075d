"""What a store of results is, and how one fails. Pure: the databases are in `qa.stores.sql`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qa.errors import InfrastructureError
from qa.model import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from qa.model import HistoryPoint
    from qa.record import RunRecord

Series = tuple[str, Scope]
"""A metric's name and what it is measured on: the identity of a history."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The state of the change detector before and after a run, as `qa.changes.dump` wrote it.

    With the state before, a run can be judged again; there is none before a series' first.
    """

    run_id: str
    started: datetime
    before: str | None
    after: str


class StoreError(InfrastructureError):
    """The history could not be read or written; the run folders are untouched."""

    def __init__(self, url: str, error: Exception | str) -> None:
        self.url = url
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        super().__init__(f"history {url}: {reason}; the run folders are complete without it")


class RunTakenError(InfrastructureError):
    """Another run of the same id is in the history already."""

    def __init__(self, url: str, run_id: str, started: datetime) -> None:
        self.url, self.run_id, self.started = url, run_id, started
        super().__init__(
            f"history {url}: run {run_id} must be the one that began at {started:%Y-%m-%d %H:%M:%S.%f} UTC, found "
            "another run of that id in it, which stays; this one is kept in its folder"
        )


class Store(Protocol):
    """Results of all runs, by series."""

    def save(self, record: RunRecord) -> None:
        """Add a run, or replace what is known of it.

        Raises
        ------
        RunTakenError
            If another run, which began at another time, has the id already.
        """
        ...

    def history(
        self, *, camera: str | None = None, metric: str | None = None, after: datetime | None = None
    ) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first, of runs started after a time; unmeasured nights have no value."""
        ...

    def states(self) -> Mapping[Series, Remembered]:
        """Return what the change detector remembers of each series."""
        ...

    def save_states(self, states: Mapping[Series, Remembered]) -> None:
        """Replace what the change detector remembers of some series, but for what a later run left."""
        ...

    def last_coadds(self) -> Mapping[str, datetime]:
        """Return when each camera was last measured on coadds, in any lane."""
        ...
