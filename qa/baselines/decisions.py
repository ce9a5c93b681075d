"""The decisions that move baselines: accepting a run, taking that back, letting baselines go, learning their spread.

Each is one entry of the ledger for every data set it concerns, made while no other process writes. `tell` is called
with a line when an entry that had been cut off was completed first.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from qa.baselines.acceptance import EVERYTHING, Proposal, check_names, propose
from qa.baselines.book import agreed, ledger, opened
from qa.baselines.files import load_all
from qa.baselines.ledger import Move, Place, Value, make_entry, state_of
from qa.baselines.standing import expired, moves_back, replay, standing
from qa.errors import RequestError, UnknownNameError
from qa.requirements.ladder import convert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from qa.baselines.acceptance import Rules, Selection
    from qa.baselines.book import Book
    from qa.baselines.choice import Choice
    from qa.baselines.ledger import Action, Decision, Entry
    from qa.baselines.noise import Spread
    from qa.baselines.standing import DataSet, Standing
    from qa.judging.compare import Accepted, Key
    from qa.model import Comparison, Result

    Tell = Callable[[str], None]


NOBODY_KNOWS: Mapping[str, str] = MappingProxyType({})
"""Of no run it is known what kind of processor it was made on."""


class BelowMinimumError(RequestError):
    """Values below the minimum cannot become baselines without a waiver."""

    def __init__(self, refused: Sequence[Comparison]) -> None:
        self.refused = tuple(refused)
        listed = "; ".join(f"{one.metric} of {one.scope}: {one.reason.removesuffix('.')}" for one in self.refused)
        super().__init__(
            f"a baseline must reach the minimum of its requirement, and {len(self.refused)} would not "
            f"({listed}); mend them, or give the reason with --waiver"
        )


class CannotUndoError(RequestError):
    """A ledger entry cannot be taken back."""


def _ignore(_: str) -> None:
    """Tell nobody."""


def proposals(
    root: Path,
    results: Iterable[Result],
    *,
    run: str,
    rules: Rules,
    today: date,
    selection: Selection = EVERYTHING,
) -> list[Proposal]:
    """Return what accepting a run's results would move, writing nothing; errors as `accept`, but for the minimum."""
    entries = ledger(root)
    return [
        one
        for group in _proposed(lambda key: agreed(root, entries, key), results, run, rules, selection, today).values()
        for one in group
    ]


def accept(
    root: Path,
    results: Iterable[Result],
    *,
    run: str,
    decision: Decision,
    rules: Rules,
    selection: Selection = EVERYTHING,
    tell: Tell = _ignore,
) -> tuple[Entry, ...]:
    """Make a run's results the baselines of their data sets; one ledger entry for each data set that changes.

    Unless they are asked for by name, results that are steady keep their baseline (it does not ratchet) and a metric
    that was measured and now is not keeps it too. With `decision.reference`, results that are asked for get a line
    even where they are the baseline already.

    Raises
    ------
    BelowMinimumError
        If a value would pass below the minimum of its requirement, and neither the decision nor the registry has a
        waiver.
    UnknownNameError
        If a named metric is neither among the results nor among the baselines.
    DisagreementError
        If a baseline file was changed without a decision.
    """
    with opened(root, tell) as book:
        groups = _proposed(book.accepted, results, run, rules, selection, decision.when.date())
        refused = [one.comparison for group in groups.values() for one in group if one.refused]
        if refused and not decision.waiver:
            raise BelowMinimumError(refused)
        moves = {
            key: [one.move for one in group if one.move.old != one.move.new or decision.reference]
            for key, group in groups.items()
        }
        return _write(book, "accept", moves, decision)


def undo(root: Path, *, decision: Decision, entry_id: str | None = None, tell: Tell = _ignore) -> Entry:
    """Take an entry back (the last one not taken back yet): its baselines become what they were before it.

    Raises
    ------
    CannotUndoError
        If there is nothing to take back, or one of its baselines was moved again since.
    UnknownNameError
        If there is no such entry.
    DisagreementError
        If the baseline file was changed without a decision.
    """
    with opened(root, tell) as book:
        one = _to_undo(book.entries, entry_id)
        for move in one.left:
            if move not in one.moves:
                of = move.place.scope(one.entry.camera, one.entry.dataset)
                msg = f"entry {one.entry.id} cannot be undone: {move.place} of {of} was moved again since; "
                raise CannotUndoError(msg + "undo that first")
        return _take_back(book, "undo", one, decision)


def expire(root: Path, *, decision: Decision, today: date, tell: Tell = _ignore) -> tuple[Entry, ...]:
    """Take back what still holds of the decisions whose day has passed.

    The latest goes first: what it had moved on from may hold again, and be past its day, too.
    """
    made = []
    with opened(root, tell) as book:
        while found := expired(book.entries, today):
            made.append(_take_back(book, "expire", found[-1], decision))
    return tuple(made)


def drop(root: Path, choice: Choice, *, decision: Decision, tell: Tell = _ignore) -> tuple[Entry, ...]:
    """Let baselines go, as those of a metric or task that is no more; also such as only a file or the ledger has.

    Raises
    ------
    UnknownNameError
        If no baseline is meant.
    DisagreementError
        If other baselines of the same data set were changed without a decision.
    """
    with opened(root, tell) as book:
        meant = droppable(root, choice)
        moves: dict[DataSet, list[Move]] = {}
        for key, old in meant.items():
            of = key[1].camera, key[1].dataset
            moves.setdefault(of, []).append(Move(place=_place(key), old=state_of(old), new=None))
        for of in moves:
            agreed(root, book.entries, of, but_for=meant)
        return _write(book, "drop", moves, decision)


def droppable(root: Path, choice: Choice) -> dict[Key, Accepted]:
    """Return the baselines that are meant, of the ledger and of the files; errors as `drop`."""
    in_ledger = {key: one for data_set in replay(ledger(root)).values() for key, one in data_set.items()}
    everything = load_all(root) | in_ledger
    meant = {key: one for key, one in sorted(everything.items(), key=_in_order) if choice.covers(key)}
    if not meant:
        kind = "baseline"
        raise UnknownNameError(kind, str(choice), sorted({key[0] for key in everything}))
    return meant


def learn(
    root: Path,
    spreads: Sequence[Spread],
    *,
    decision: Decision,
    processors: Mapping[str, str] = NOBODY_KNOWS,
    tell: Tell = _ignore,
) -> tuple[Entry, ...]:
    """Give baselines the run-to-run spreads that were learned; those that have them already get no line.

    `processors` tell by run what kind it was made on, for baselines that do not say so yet.
    """
    with opened(root, tell) as book:
        moves: dict[DataSet, list[Move]] = {}
        for spread in spreads:
            of = spread.scope.camera, spread.scope.dataset
            old = state_of(book.accepted(of).get((spread.metric, spread.scope)))
            if isinstance(old, Value) and (new := _with(old, spread, processors)) != old:
                place = _place((spread.metric, spread.scope))
                moves.setdefault(of, []).append(Move(place=place, old=old, new=new))
        return _write(book, "noise", moves, decision)


def _proposed(
    accepted: Callable[[DataSet], dict[Key, Accepted]],
    results: Iterable[Result],
    run: str,
    rules: Rules,
    selection: Selection,
    today: date,
) -> dict[DataSet, list[Proposal]]:
    by_dataset: dict[DataSet, list[Result]] = {}
    for result in results:
        by_dataset.setdefault((result.scope.camera, result.scope.dataset), []).append(result)
    old = {key: accepted(key) for key in by_dataset}
    measured = {one.metric for group in by_dataset.values() for one in group}
    check_names(selection, {*measured, *(metric for known in old.values() for metric, _ in known)})
    return {
        key: propose(found, old[key], selection, rules=rules, run=run, today=today) for key, found in by_dataset.items()
    }


def _write(
    book: Book, action: Action, moves: Mapping[DataSet, Sequence[Move]], decision: Decision
) -> tuple[Entry, ...]:
    """Write one entry for each data set with moves."""
    made: list[Entry] = []
    for data_set, own in moves.items():
        if own:
            after = made[-1].id if made else book.last_id
            made.append(make_entry(action, *data_set, decision=decision, moves=tuple(own), after=after))
    book.write(made)
    return tuple(made)


def _take_back(book: Book, action: Action, one: Standing, decision: Decision) -> Entry:
    camera, dataset = one.entry.camera, one.entry.dataset
    moves = tuple(moves_back(one.entry, one.moves, book.accepted((camera, dataset))))
    made = make_entry(action, camera, dataset, decision=decision, moves=moves, undoes=one.entry.id, after=book.last_id)
    book.write([made])
    return made


def _to_undo(entries: Sequence[Entry], entry_id: str | None) -> Standing:
    open_ = {one.entry.id: one for one in standing(entries)}
    if entry_id is None:
        if not open_:
            msg = "the ledger must hold an accepted change to undo, found none that is not undone already"
            raise CannotUndoError(msg)
        return list(open_.values())[-1]
    if entry_id not in open_ and entry_id in {entry.undoes for entry in entries}:
        msg = f"entry {entry_id} must not be undone already, and it is"
        raise CannotUndoError(msg)
    if entry_id not in open_:
        kind = "accepted entry of the ledger"
        raise UnknownNameError(kind, entry_id, open_)
    return open_[entry_id]


def _with(old: Value, spread: Spread, processors: Mapping[str, str]) -> Value:
    """Return a baseline's state with a learned spread, in its unit, and with the processor it holds on."""
    what = f"spread of {spread.metric} of {spread.scope}"
    tolerance = convert(spread.tolerance, unit=spread.unit, to=old.unit, what=what)
    processor = old.processor or processors.get(old.run, "")
    return old.model_copy(update={"tolerance": tolerance, "learned": True, "processor": processor})


def _place(key: Key) -> Place:
    return Place(metric=key[0], band=key[1].band, tract=key[1].tract, task=key[1].task)


def _in_order(item: tuple[Key, Accepted]) -> tuple[str, str, str, str]:
    (metric, scope), _ = item
    return scope.camera, scope.dataset, metric, str(scope)
