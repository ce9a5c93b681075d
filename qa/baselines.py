"""Accepted baselines and the ledger of their changes: the only writer of `regression_data/`.

`baselines/<camera>/<dataset>.json` holds one accepted value, or one accepted absence, a line; `ledger.yaml` holds
who moved them and why. A baseline moves only by `accept` and `undo`, and both leave an entry in the ledger.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa.acceptance import make_move, passes_below, propose
from qa.compare import Policy
from qa.documents import SCHEMA, atomic_open
from qa.errors import DocumentError, RequestError, UnknownNameError
from qa.ledger import HEADER, Absent, Entry, Move, Place, Value, accepted_of, make_entry, parse, state_of, to_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from qa.compare import Accepted, Key
    from qa.ledger import Decision
    from qa.metrics.base import MetricDefinition
    from qa.model import Comparison, Result
    from qa.requirements import Requirements


_ORDER = ("metric", "band", "tract", "task")


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


class _ValueLine(Place, Value):
    """A line of a baseline file with a value."""


class _AbsentLine(Place, Absent):
    """A line of a baseline file with an accepted absence."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Literal["baselines"]
    number: Literal[1] = Field(alias="schema")
    camera: str
    dataset: str
    accepted: tuple[_ValueLine | _AbsentLine, ...]


def path_of(root: Path, camera: str, dataset: str) -> Path:
    """Return where the baselines of a data set are."""
    return root / "baselines" / camera / f"{dataset}.json"


def load(root: Path, camera: str, dataset: str) -> dict[Key, Accepted]:
    """Read what was accepted for a data set: baselines, and absences as `Unmeasured`. Empty without a file.

    Raises
    ------
    DocumentError
        If the file is not what `accept` writes.
    """
    path = path_of(root, camera, dataset)
    if not path.is_file():
        return {}
    required = f"baselines of {camera}/{dataset}, schema {SCHEMA}, one a line"
    try:
        file = _File.model_validate_json(_text(path, required))
    except ValidationError as error:
        raise DocumentError(path, required=required, found=_first(error)) from None
    if (file.camera, file.dataset) != (camera, dataset):
        raise DocumentError(path, required=required, found=f"baselines of {file.camera}/{file.dataset}")
    found: dict[Key, Accepted] = {}
    for line in file.accepted:
        one = accepted_of(line, line, camera, dataset)
        if (one.metric, one.scope) in found:
            raise DocumentError(path, required=required, found=f"two lines of {one.metric} of {one.scope}")
        found[one.metric, one.scope] = one
    return found


def load_all(root: Path) -> dict[Key, Accepted]:
    """Read what was accepted for every data set of every camera."""
    found: dict[Key, Accepted] = {}
    for path in sorted((root / "baselines").glob("*/*.json")):
        found |= load(root, path.parent.name, path.stem)
    return found


def ledger(root: Path) -> tuple[Entry, ...]:
    """Read the ledger, oldest entry first. Empty without a file.

    Raises
    ------
    DocumentError
        If the file is not a ledger.
    """
    path = root / "ledger.yaml"
    if not path.is_file():
        return ()
    required = f"a ledger of schema {SCHEMA}"
    try:
        return parse(_text(path, required))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        place = f"{path}:{line}"
        raise DocumentError(place, required=required, found=f"{error.problem}") from None
    except ValidationError as error:
        raise DocumentError(path, required=required, found=_first(error)) from None


def accept(
    root: Path,
    results: Iterable[Result],
    *,
    run: str,
    decision: Decision,
    definitions: Mapping[str, MetricDefinition],
    requirements: Mapping[str, Requirements],
    metrics: Collection[str] = (),
) -> tuple[Entry, ...]:
    """Make a run's results the baselines of their data sets; one ledger entry for each data set that changes.

    `requirements` are those each camera answers to.

    Without `metrics`, results that are steady keep their baseline (it does not ratchet) and a metric that was
    measured and now is not keeps it too: it must be named for its absence to be accepted.

    Raises
    ------
    BelowMinimumError
        If a value would pass below the minimum of its requirement and the decision has no waiver.
    UnknownNameError
        If a named metric is neither among the results nor among the baselines.
    """
    by_dataset: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_dataset.setdefault((result.scope.camera, result.scope.dataset), []).append(result)
    old = {key: load(root, *key) for key in by_dataset}
    _check_names(metrics, {one.metric for group in by_dataset.values() for one in group}, old.values())
    judged = {
        key: propose(found, old[key], metrics, definitions, Policy(requirements[key[0]]))
        for key, found in by_dataset.items()
    }
    refused = [one for group in judged.values() for one in group if passes_below(one)]
    if refused and not decision.waiver:
        raise BelowMinimumError(refused)
    entries: list[Entry] = []
    for key, group in judged.items():
        if group:
            after = _last_id(root)
            moves = tuple(make_move(one, old[key], run=run, definition=definitions[one.metric]) for one in group)
            entries.append(make_entry("accept", *key, decision=decision, moves=moves, after=after))
            _record(root, entries[-1], old[key])
    return tuple(entries)


def undo(root: Path, *, decision: Decision, entry_id: str | None = None) -> Entry:
    """Take an entry back (the last one not taken back yet): its baselines become what they were before it.

    Raises
    ------
    CannotUndoError
        If there is nothing to take back, or one of its baselines was moved again since.
    UnknownNameError
        If there is no such entry.
    """
    entries = ledger(root)
    entry = _entry_to_undo(entries, entry_id)
    now = load(root, entry.camera, entry.dataset)
    for move in entry.moves:
        key = move.place.metric, move.place.scope(entry.camera, entry.dataset)
        if state_of(now.get(key)) != move.new:
            msg = f"entry {entry.id} cannot be undone: {move.place} of {key[1]} was moved again since; undo that first"
            raise CannotUndoError(msg)
    back = tuple(Move(place=move.place, old=move.new, new=move.old) for move in entry.moves)
    made = make_entry(
        "undo", entry.camera, entry.dataset, decision=decision, moves=back, undoes=entry.id, after=entries[-1].id
    )
    _record(root, made, now)
    return made


def _last_id(root: Path) -> str:
    entries = ledger(root)
    return entries[-1].id if entries else ""


def _entry_to_undo(entries: Sequence[Entry], entry_id: str | None) -> Entry:
    undone = {entry.undoes for entry in entries}
    open_ = {entry.id: entry for entry in entries if entry.action == "accept" and entry.id not in undone}
    if entry_id is None:
        if not open_:
            msg = "the ledger must hold an accepted change to undo, found none that is not undone already"
            raise CannotUndoError(msg)
        return list(open_.values())[-1]
    if entry_id in undone:
        msg = f"entry {entry_id} must not be undone already, and it is"
        raise CannotUndoError(msg)
    if entry_id not in open_:
        kind = "accepted entry of the ledger"
        raise UnknownNameError(kind, entry_id, open_)
    return open_[entry_id]


def _check_names(
    metrics: Collection[str], measured: Collection[str], accepted: Iterable[Mapping[Key, Accepted]]
) -> None:
    known = {*measured, *(metric for one in accepted for metric, _ in one)}
    for metric in metrics:
        if metric not in known:
            kind = "metric of this run"
            raise UnknownNameError(kind, metric, sorted(known))


def _record(root: Path, entry: Entry, accepted: Mapping[Key, Accepted]) -> None:
    """Write the ledger first: a move without its entry must never be seen, an entry without its move can be redone."""
    path = root / "ledger.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else HEADER
    ledger(root)  # nothing is appended to a file that is not a ledger
    with atomic_open(path) as stream:
        stream.write((text.rstrip("\n") + "\n" + to_text(entry)).encode())
    changed = dict(accepted)
    for move in entry.moves:
        key = move.place.metric, move.place.scope(entry.camera, entry.dataset)
        changed.pop(key, None)
        if move.new is not None:
            changed[key] = accepted_of(move.place, move.new, entry.camera, entry.dataset)
    _write(path_of(root, entry.camera, entry.dataset), entry.camera, entry.dataset, changed.values())


def _write(path: Path, camera: str, dataset: str, accepted: Iterable[Accepted]) -> None:
    lines = sorted((_line(one) for one in accepted), key=lambda line: [str(line.get(key, "")) for key in _ORDER])
    written = ",\n".join(json.dumps(line, sort_keys=True, allow_nan=False, ensure_ascii=False) for line in lines)
    head = json.dumps({"camera": camera, "dataset": dataset, "document": "baselines", "schema": SCHEMA})
    body = f"\n{written}\n" if written else ""
    with atomic_open(path) as stream:
        stream.write(f'{{"accepted": [{body}],\n{head[1:]}\n'.encode())


def _line(one: Accepted) -> dict[str, Any]:
    place = Place(metric=one.metric, band=one.scope.band, tract=one.scope.tract, task=one.scope.task)
    state = state_of(one)
    return (place.model_dump() | state.model_dump()) if state else place.model_dump()


def _text(path: Path, required: str) -> str:
    """Read a file that people edit and git merges."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            place = f"{path}:{number}"
            raise DocumentError(place, required=required, found="a merge conflict", action="resolve it")
    return text


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if not str(part).startswith("_"))
    return f"{first['msg']} at {where or 'the top'}"
