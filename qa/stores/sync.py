"""Bringing into a history what it lacks: from the journals of run folders, and from another history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.errors import ObsqaError
from qa.journal import FILE_NAME, read_record, runs_under
from qa.stores.base import RunTakenError, StoreError
from qa.stores.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from qa.stores.rows import RunRows
    from qa.stores.sql import SqlStore


@dataclass(frozen=True, slots=True)
class Synced:
    """The runs that were brought in, and those that could not be, each with why."""

    brought: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __add__(self, other: Synced) -> Synced:
        """Add up two of them, each run counted once."""
        return Synced(tuple(dict.fromkeys(self.brought + other.brought)), self.left + other.left)


def from_journals(store: SqlStore, runs: Path, *, only_missing: bool = False) -> Synced:
    """Bring in the finished runs of a folder that a history lacks, or of which it says something else.

    With `only_missing`, runs that it has are not looked at, which costs nothing but the listing of the folder; without,
    damaged ones are mended. A run whose journal cannot be read is left, and told.

    Raises
    ------
    StoreError
        If the history cannot be read or written.
    """
    known: Mapping[str, str | None] = store.digests() if only_missing else store.computed()
    notes: list[str] = []

    def missing() -> Iterator[RunRows]:
        for folder in runs_under(runs):
            if only_missing and folder.name in known:
                continue
            rows = finished_rows(folder, notes.append)
            if rows is not None and known.get(rows.run_id) != rows.digest:
                yield rows

    return Synced(*_put_all(store, missing(), notes))


def from_store(store: SqlStore, other: SqlStore, runs: Path) -> Synced:
    """Bring in the runs of another history that one lacks, or of which it says something else.

    Which of the two is right is told by the journal, and without one the other is; runs in it that an older obsqa
    wrote, which have no digest, are brought in only where they are missing.

    Raises
    ------
    StoreError
        If one of them cannot be read or written.
    """
    known, others = store.digests(), other.digests()
    wanted = [name for name, digest in others.items() if name not in known or (digest and known[name] != digest)]

    def missing() -> Iterator[RunRows]:
        for name in wanted:
            written = finished_rows(runs / name, lambda _: None) if (runs / name / FILE_NAME).is_file() else None
            if written is not None and written.digest != others[name]:
                other.put(written)
            rows = written or other.rows(name)
            if rows is not None and rows.digest != known.get(name):
                yield rows

    return Synced(*_put_all(store, missing(), []))


def finished_rows(folder: Path, say: Callable[[str], None]) -> RunRows | None:
    """Return the rows of a run as its journal has it; None, and a word, where it is damaged; None where it goes on."""
    try:
        record = read_record(folder)
    except ObsqaError as error:
        say(str(error))
        return None
    return rows_of(record) if record.finished is not None else None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a history lacks, and what in it is not as it was written."""

    runs: int
    missing: tuple[str, ...]
    different: tuple[str, ...]
    damaged: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is lost."""
        return not (self.missing or self.different or self.damaged)


def check(store: SqlStore, runs: Path) -> Checked:
    """Compare a history with the journals of a folder of runs, and the rows of each run with their digest.

    Raises
    ------
    StoreError
        If the history cannot be read.
    """
    known, stored = store.digests(), store.computed()
    notes: list[str] = []
    written = {rows.run_id: rows.digest for run in runs_under(runs) if (rows := finished_rows(run, notes.append))}
    return Checked(
        runs=len(known),
        missing=tuple(name for name in written if name not in known),
        different=tuple(name for name, digest in written.items() if name in stored and stored[name] != digest),
        damaged=tuple(name for name, digest in known.items() if digest and stored.get(name, digest) != digest),
        unread=tuple(notes),
    )


def _put_all(store: SqlStore, found: Iterator[RunRows], notes: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    brought = []
    for rows in found:
        try:
            store.put(rows)
        except RunTakenError as error:
            notes.append(str(error))
        except StoreError:
            raise
        else:
            brought.append(rows.run_id)
    return tuple(brought), tuple(notes)
