"""Which decisions of the ledger still hold, what their end would bring back, and what the ledger says all in all.

Pure: entries in, values out. `qa.baselines` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.baselines.ledger import Move, Value, accepted_of, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from qa.baselines.ledger import Entry, Place, State
    from qa.judging.compare import Accepted, Key

DataSet = tuple[str, str]
"""A camera's name and that of one of its data sets."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision that was not taken back as a whole.

    `left` are its moves that were not taken back, `moves` those of them that no later decision has moved on from.
    """

    entry: Entry
    moves: tuple[Move, ...]
    left: tuple[Move, ...]


def replay(entries: Iterable[Entry]) -> dict[DataSet, dict[Key, Accepted]]:
    """Return what a ledger says is accepted now, by camera and data set: every move made again from the start.

    Two branches that were merged may both have moved one baseline; the later entry counts.
    """
    accepted: dict[DataSet, dict[Key, Accepted]] = {}
    for entry in entries:
        apply(accepted.setdefault((entry.camera, entry.dataset), {}), entry)
    return accepted


def apply(accepted: dict[Key, Accepted], entry: Entry) -> None:
    """Make the moves of an entry in what is accepted for its data set."""
    for move in entry.moves:
        key = move.place.metric, move.place.scope(entry.camera, entry.dataset)
        accepted.pop(key, None)
        if move.new is not None:
            accepted[key] = accepted_of(move.place, move.new, entry.camera, entry.dataset)


def standing(entries: Iterable[Entry]) -> tuple[Standing, ...]:
    """Return the decisions that were not taken back, oldest first, with what still holds of them.

    A learned spread does not move a baseline on, nor does a moved baseline end a learned spread: what an entry of the
    action `noise` did is followed apart from the rest.
    """
    all_ = tuple(entries)
    taken = {(entry.undoes, move.place) for entry in all_ if entry.undoes for move in entry.moves}
    made = [
        (entry, tuple(move for move in entry.moves if (entry.id, move.place) not in taken))
        for entry in all_
        if entry.undoes is None
    ]
    last = {_thread(entry, move): entry.id for entry, left in made for move in left}
    return tuple(
        Standing(entry, tuple(move for move in left if last[_thread(entry, move)] == entry.id), left)
        for entry, left in made
        if left
    )


def expired(entries: Iterable[Entry], today: date) -> tuple[Standing, ...]:
    """Return the decisions whose day has passed and of which something still holds; on its day a decision holds."""
    return tuple(
        one
        for one in standing(entries)
        if one.moves and one.entry.decision.expires is not None and one.entry.decision.expires < today
    )


def moves_back(entry: Entry, moves: Iterable[Move], accepted: dict[Key, Accepted]) -> Iterator[Move]:
    """Make the moves that take moves of an entry back; what was learned of the spread since is kept."""
    for move in moves:
        now = state_of(accepted.get((move.place.metric, move.place.scope(entry.camera, entry.dataset))))
        spent, left = move.margin_spent, move.margin_left
        yield Move(
            place=move.place,
            old=now,
            new=_before(entry, move, now),
            margin_left=None if left is None or spent is None else left + spent,
            margin_spent=None if spent is None else -spent,
        )


def _thread(entry: Entry, move: Move) -> tuple[str, str, Place, bool]:
    """Name what later moves can supersede: a baseline, or its learned spread."""
    return entry.camera, entry.dataset, move.place, entry.action == "noise"


def _before(entry: Entry, move: Move, now: State | None) -> State | None:
    """Return the state before a move, given what was learned of the spread (or decided of the value) since."""
    if entry.action == "noise":
        return _without_learned(move, now)
    old = move.old
    learned_since = isinstance(now, Value) and now.learned and now != move.new
    if isinstance(now, Value) and isinstance(old, Value) and learned_since and now.unit == old.unit:
        return old.model_copy(update={"tolerance": now.tolerance, "learned": True})
    return old


def _without_learned(move: Move, now: State | None) -> State | None:
    """Return a state with the spread it had before one was learned; only a value that still has that spread changes."""
    old, new = move.old, move.new
    if not isinstance(now, Value) or not isinstance(old, Value) or not isinstance(new, Value):
        return now
    if (now.tolerance, now.learned, now.unit) != (new.tolerance, new.learned, new.unit):
        return now
    processor = old.processor if now.run == new.run else now.processor
    return now.model_copy(update={"tolerance": old.tolerance, "learned": old.learned, "processor": processor})
