"""The ledger and the baseline files together: read as one, written as one, and made to agree again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.baselines import files
from qa.baselines.ledger import HEADER, LedgerError, parse, state_of, to_text, worded
from qa.baselines.lock import BusyError, writing
from qa.baselines.standing import apply, replay
from qa.documents import SCHEMA, atomic_open
from qa.errors import DocumentError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from qa.baselines.ledger import Entry
    from qa.baselines.standing import DataSet
    from qa.judging.compare import Accepted, Key

__all__ = ["BusyError", "Disagreement", "DisagreementError", "agreed", "disagreements", "ledger", "opened", "restore"]

_REQUIRED = f"a ledger of schema {SCHEMA}"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A baseline of which a file says one thing and the ledger another.

    `cut_off` says that the file is as the data set's last entry found it: the writing of that entry was cut off.
    """

    path: Path
    line: int | None
    key: Key
    in_file: Accepted | None
    in_ledger: Accepted | None
    entry: str | None
    cut_off: bool

    def __str__(self) -> str:
        """Word it as one line with file and line."""
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        by = f"as entry {self.entry} of the ledger left it" if self.entry else "as the ledger has no entry of it"
        what = f"{self.key[0]} of {self.key[1]}"
        return f"{place}: {what} must be {_said(self.in_ledger)}, {by}, found {_said(self.in_file)}"


class DisagreementError(RequestError):
    """Baseline files were changed without a decision."""

    def __init__(self, found: Sequence[Disagreement]) -> None:
        self.found = tuple(found)
        more = f", and {len(found) - 1} more of its data set" if len(found) > 1 else ""
        super().__init__(
            f"{found[0]}{more}; baselines move by decision only: put the files right with `obsqa baseline restore`, "
            "or let baselines go with `obsqa baseline drop`"
        )


@dataclass(frozen=True, slots=True)
class Book:
    """Ledger and baselines while they are being written; `tell` is called with a line about what was made up for."""

    root: Path
    entries: list[Entry]
    tell: Callable[[str], None]

    @property
    def last_id(self) -> str:
        """Name of the last entry, '' before the first."""
        return self.entries[-1].id if self.entries else ""

    def accepted(self, data_set: DataSet) -> dict[Key, Accepted]:
        """Return what is accepted for a data set, files and ledger agreeing; an entry that was cut off is completed.

        Raises
        ------
        DisagreementError
            If they do not agree because the file was changed otherwise.
        """
        known = agreed(self.root, self.entries, data_set)
        path = files.path_of(self.root, *data_set)
        if known != files.load(self.root, *data_set):
            files.write(self.root, *data_set, known.values())
            self.tell(f"{path}: completed the last entry of the ledger, whose writing was cut off")
        return known

    def in_ledger(self, data_set: DataSet) -> dict[Key, Accepted]:
        """Return what the ledger says is accepted for a data set."""
        return replay(one for one in self.entries if (one.camera, one.dataset) == data_set).get(data_set, {})

    def write(self, made: Sequence[Entry]) -> None:
        """Append entries and write the files they concern.

        The ledger goes first and at once: a move without its entry must never be seen, an entry without its move can
        be completed.
        """
        if not made:
            return
        path = self.root / "ledger.yaml"
        text = path.read_text(encoding="utf-8") if path.is_file() else HEADER
        text = text.rstrip("\n") + "\n" + "".join(to_text(entry) for entry in made)
        try:
            parse(text)
        except LedgerError as error:
            required, found = "a ledger that ends with its entries", f"that none can follow ({error.found})"
            raise DocumentError(path, required=required, found=found, action="move `entries` to the end") from None
        with atomic_open(path) as stream:
            stream.write(text.encode())
        for entry in made:
            data_set = entry.camera, entry.dataset
            known = self.in_ledger(data_set)
            apply(known, entry)
            files.write(self.root, *data_set, known.values())
            self.entries.append(entry)


def ledger(root: Path) -> tuple[Entry, ...]:
    """Read the ledger, oldest entry first. Empty without a file.

    Raises
    ------
    DocumentError
        If the file is not a ledger; the message has the line.
    """
    path = root / "ledger.yaml"
    try:
        return parse(files.read_text(path, _REQUIRED)) if path.is_file() else ()
    except LedgerError as error:
        place = f"{path}:{error.line}"
        raise DocumentError(place, required=_REQUIRED, found=error.found) from None


@contextmanager
def opened(root: Path, tell: Callable[[str], None]) -> Iterator[Book]:
    """Open ledger and baselines for writing, while no other process does."""
    with writing(root):
        yield Book(root, list(ledger(root)), tell)


def agreed(
    root: Path, entries: Iterable[Entry], data_set: DataSet, *, but_for: Collection[Key] = ()
) -> dict[Key, Accepted]:
    """Return what the ledger says is accepted for a data set, if its file says so or lacks the last entry.

    Baselines in `but_for` may differ.

    Raises
    ------
    DisagreementError
        If the file was changed otherwise.
    """
    own = [entry for entry in entries if (entry.camera, entry.dataset) == data_set]
    found = _disagreements(root, own, data_set)
    if wrong := [one for one in found if not one.cut_off and one.key not in but_for]:
        raise DisagreementError(wrong)
    return replay(own).get(data_set, {})


def disagreements(root: Path, entries: Sequence[Entry] | None = None) -> tuple[Disagreement, ...]:
    """Return every baseline of which a file says one thing and the ledger (`entries`) another, in their order."""
    entries = ledger(root) if entries is None else entries
    data_sets = sorted({*files.data_sets(root), *((one.camera, one.dataset) for one in entries)})
    return tuple(one for data_set in data_sets for one in _disagreements(root, entries, data_set))


def restore(root: Path) -> tuple[Path, ...]:
    """Write the files of baselines as the ledger has them; those that change are returned."""
    changed = []
    with opened(root, lambda _: None) as book:
        known = replay(book.entries)
        for data_set in sorted({*known, *files.data_sets(root)}):
            path, accepted = files.path_of(root, *data_set), known.get(data_set, {}).values()
            if not path.is_file() or path.read_bytes() != files.rendered(*data_set, accepted).encode():
                files.write(root, *data_set, accepted)
                changed.append(path)
    return tuple(changed)


def _disagreements(root: Path, entries: Iterable[Entry], data_set: DataSet) -> list[Disagreement]:
    own = [entry for entry in entries if (entry.camera, entry.dataset) == data_set]
    said, now = files.load(root, *data_set), replay(own).get(data_set, {})
    if said == now:
        return []
    cut_off = any(said == replay(before).get(data_set, {}) for before in _cut_off(own))
    path = files.path_of(root, *data_set)
    return [
        Disagreement(path, files.line_of(root, key), key, said.get(key), now.get(key), _mover(own, key), cut_off)
        for key in sorted({*said, *now}, key=lambda key: (key[0], str(key[1])))
        if said.get(key) != now.get(key)
    ]


def _cut_off(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield the entries without those of the last decision, which were written together; one by one from the end."""
    for end in range(len(entries) - 1, -1, -1):
        if entries[end].decision != entries[-1].decision:
            return
        yield entries[:end]


def _mover(entries: Iterable[Entry], key: Key) -> str | None:
    """Return the name of the last entry that moved a baseline."""
    moved = [
        entry.id
        for entry in entries
        if any((move.place.metric, move.place.scope(entry.camera, entry.dataset)) == key for move in entry.moves)
    ]
    return moved[-1] if moved else None


def _said(accepted: Accepted | None) -> str:
    return worded(state_of(accepted))
