"""The ledger's entries: who moved which baselines, why, and from what to what. Text and values only, no files."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from obs_registry.document import Document, YamlError
from obs_registry.document import parse as parse_yaml
from qa.model import Baseline, Scope, Unmeasured

HEADER = """\
# Every change of a baseline: who, when, why, from what to what. Written by `obsqa baseline`.
document: ledger
schema: 1
entries:
"""


Action = Literal["accept", "undo", "expire", "drop", "noise"]
"""What an entry did: moved baselines to a run's results, took an entry back (because someone said so, or because its
day had come), let baselines go, or learned run-to-run spreads."""


class LedgerError(Exception):
    """A text is not a ledger: at which line, and what was found there."""

    def __init__(self, line: int, found: str) -> None:
        self.line, self.found = line, found
        super().__init__(f"line {line}: {found}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _with_zone(when: datetime) -> datetime:
    if when.tzinfo is None:
        msg = "a time must have a zone"
        raise ValueError(msg)
    return when


# Strict, because a number in quotes or a `yes` was written by hand, and by mistake.
Number = Annotated[FiniteFloat, Field(strict=True)]
Moment = Annotated[datetime, AfterValidator(_with_zone)]


class Value(_Strict):
    """An accepted value; stderr and tolerance (one standard deviation from run to run) are in its unit.

    `learned` says that the tolerance was learned from repeated runs and not assumed, `processor` on what kind of
    processor the value was made: the last bits depend on it.
    """

    value: Number
    unit: str
    stderr: Number | None = Field(default=None, ge=0)
    tolerance: Number = Field(ge=0)
    run: str
    learned: bool = Field(default=False, strict=True)
    processor: str = ""

    @model_serializer(mode="wrap")
    def _without_default(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what says nothing: lines written before there was such a thing stay as they are."""
        body: dict[str, Any] = handler(self)
        for name in ("learned", "processor"):
            if not body[name]:
                body.pop(name)
        return body


class Absent(_Strict):
    """An accepted absence, and the reason why the metric cannot be measured."""

    absent: str


State = Value | Absent


class Place(_Strict):
    """A metric and the part of its scope that a camera's data set leaves open."""

    metric: str
    band: str | None = None
    tract: int | None = None
    task: str | None = None

    def scope(self, camera: str, dataset: str) -> Scope:
        """Return the whole scope."""
        return Scope(camera, dataset, self.band, self.tract, self.task)

    def __str__(self) -> str:
        """Render as `metric band tract task`, absent parts left out."""
        tract = None if self.tract is None else f"t{self.tract}"
        return " ".join(part for part in (self.metric, self.band, tract, self.task) if part is not None)


class Move(_Strict):
    """One baseline's change; None stands for no baseline.

    `sigma` is the change in run-to-run spreads, positive when worse; `level` what the new value reaches;
    `margin_left` its distance from the minimum and `margin_spent` how much of that the change took. `waived` is the
    waiver in the registry that lets it be below the minimum.
    """

    place: Place
    old: State | None
    new: State | None
    sigma: FiniteFloat | None = None
    level: str | None = None
    margin_left: FiniteFloat | None = None
    margin_spent: FiniteFloat | None = None
    waived: str | None = None


class Decision(_Strict):
    """Who decided, when and why; the waiver excuses values below the minimum.

    On the day it `expires` it still holds. `reference` makes the new levels those that later ones are held against
    when they creep (see `qa.baselines.margins`).
    """

    who: str = Field(min_length=1)
    when: Moment
    why: str = Field(min_length=1)
    ticket: str | None = None
    waiver: str | None = None
    expires: date | None = None
    reference: Literal[True] | None = None


class Entry(_Strict):
    """One decision and the baselines of one data set that it moved."""

    id: str
    action: Action
    camera: str
    dataset: str
    decision: Decision
    undoes: str | None = None
    moves: tuple[Move, ...]


class Ledger(_Strict):
    """All entries, oldest first."""

    document: Literal["ledger"]
    number: Literal[1] = Field(alias="schema")
    entries: tuple[Entry, ...] | None = None


def make_entry(
    action: Action,
    camera: str,
    dataset: str,
    *,
    decision: Decision,
    moves: tuple[Move, ...],
    after: str,
    undoes: str | None = None,
) -> Entry:
    """Make an entry, named by a digest of what it says and of the entry it comes `after`.

    So two branches never give one name to two decisions, and a decision made again gets a new name.
    """
    entry = Entry(id="", action=action, camera=camera, dataset=dataset, decision=decision, undoes=undoes, moves=moves)
    digest = hashlib.sha256((after + entry.model_dump_json()).encode()).hexdigest()[:8]
    return entry.model_copy(update={"id": digest})


def to_text(entry: Entry) -> str:
    """Write an entry as YAML to append to the ledger, one line for each baseline it moves."""
    body = entry.model_dump(mode="json", exclude_none=True)
    moves = body.pop("moves")
    decision = body.pop("decision")
    lines = yaml.safe_dump([body | decision], sort_keys=False, allow_unicode=True, width=110).splitlines()
    lines += ["  moves:"] + [f"  - {_flow(move)}" for move in moves]
    return "\n".join(lines) + "\n"


def parse(text: str) -> tuple[Entry, ...]:
    """Read a ledger's text.

    Raises
    ------
    LedgerError
        If it is not a ledger, one entry stands in it twice, or one takes back an entry that is not before it.
    """
    try:
        document = parse_yaml(text)
    except YamlError as error:
        raise LedgerError(error.line, error.problem) from None
    if document.repeated:
        key, line = min(document.repeated, key=lambda one: one[1])
        raise LedgerError(line, f"the key {key[-1]!r} twice")
    body = document.value
    if isinstance(body, dict) and isinstance(body.get("entries"), list):
        body = body | {"entries": [_nested(entry) for entry in body["entries"]]}
    try:
        entries = Ledger.model_validate(body).entries or ()
    except ValidationError as error:
        raise _located(error, document) from None
    _check_names(entries, document)
    return entries


def state_of(accepted: Baseline | Unmeasured | None) -> State | None:
    """Return what a baseline file says of an accepted value or absence."""
    if isinstance(accepted, Baseline):
        one = accepted
        return Value(
            value=one.value,
            unit=one.unit,
            stderr=one.stderr,
            tolerance=one.tolerance,
            run=one.run,
            learned=one.learned,
            processor=one.processor,
        )
    return None if accepted is None else Absent(absent=accepted.reason)


def accepted_of(place: Place, state: State, camera: str, dataset: str) -> Baseline | Unmeasured:
    """Return the accepted value or absence that a baseline file tells of."""
    scope, one = place.scope(camera, dataset), state
    if isinstance(one, Absent):
        return Unmeasured(place.metric, scope, one.absent)
    learned, processor = one.learned, one.processor
    return Baseline(place.metric, scope, one.value, one.unit, one.stderr, one.tolerance, one.run, learned, processor)


def worded(state: State | None) -> str:
    """Write a state to the last bit."""
    if isinstance(state, Value):
        error = "" if state.stderr is None else f" +- {state.stderr!r}"
        more = (", learned" if state.learned else "") + (f", on {state.processor}" if state.processor else "")
        return f"{state.value!r}{error} {state.unit}".rstrip() + f" (spread {state.tolerance!r}{more})"
    return "nothing" if state is None else f"absent ({state.absent})"


def _flow(move: dict[str, Any]) -> str:
    """Write a move as one line: a YAML flow mapping, its place spread into it."""
    body = move.pop("place") | move
    return yaml.safe_dump(body, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1_000_000).strip()


def _nested(entry: object) -> object:
    """Undo the flattening of `to_text`; what is not a mapping is left for the validation to refuse."""
    if not isinstance(entry, dict):
        return entry
    outer = {key: value for key, value in entry.items() if key in Entry.model_fields}
    decision = {key: value for key, value in entry.items() if key not in Entry.model_fields}
    moves = entry.get("moves")
    nested = [_nested_move(move) for move in moves] if isinstance(moves, list) else moves
    return outer | {"decision": decision, "moves": nested}


def _nested_move(move: object) -> object:
    if not isinstance(move, dict):
        return move
    place = {key: value for key, value in move.items() if key in Place.model_fields}
    rest = {key: value for key, value in move.items() if key not in Place.model_fields}
    return {"old": None, "new": None} | rest | {"place": place}


def _located(error: ValidationError, document: Document) -> LedgerError:
    """Word the first fault, and find its line: what `_nested` put deeper stands beside the other keys in the text."""
    first = error.errors()[0]
    key = [part for part in first["loc"] if part not in {"decision", "place"} and not str(part)[:1].isupper()]
    found = f", got {first['input']!r}" if isinstance(first["input"], str | int | float) else ""
    where = ".".join(map(str, key)) or "the top"
    return LedgerError(document.line(*key), f"{first['msg'].removeprefix('Value error, ')} at {where}{found}")


def _check_names(entries: tuple[Entry, ...], document: Document) -> None:
    """Refuse what only a merge or an editor does: an entry that stands there twice, or takes back one that does not."""
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        line = document.line("entries", index)
        if entry.id in seen:
            raise LedgerError(line, f"entry {entry.id} a second time")
        if (entry.undoes is not None) != (entry.action in {"undo", "expire"}) or entry.undoes not in {None, *seen}:
            raise LedgerError(line, f"{entry.action} {entry.id}, which takes back {entry.undoes or 'nothing'}")
        seen.add(entry.id)
