"""The ledger's entries: who moved which baselines, why, and from what to what. Text and values only, no files."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from qa.model import Baseline, Scope, Unmeasured

HEADER = """\
# Every change of a baseline: who, when, why, from what to what. Written by `obsqa baseline accept` and `undo`.
document: ledger
schema: 1
entries:
"""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Strict):
    """An accepted value; stderr and tolerance (one standard deviation from run to run) are in its unit."""

    value: FiniteFloat
    unit: str
    stderr: FiniteFloat | None = Field(default=None, ge=0)
    tolerance: FiniteFloat = Field(ge=0)
    run: str


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
    `margin_left` its distance from the minimum and `margin_spent` how much of that the change took.
    """

    place: Place
    old: State | None
    new: State | None
    sigma: FiniteFloat | None = None
    level: str | None = None
    margin_left: FiniteFloat | None = None
    margin_spent: FiniteFloat | None = None


class Decision(_Strict):
    """Who decided, when and why; the waiver excuses values below the minimum."""

    who: str = Field(min_length=1)
    when: datetime
    why: str = Field(min_length=1)
    ticket: str | None = None
    waiver: str | None = None
    expires: date | None = None


class Entry(_Strict):
    """One decision and the baselines of one data set that it moved."""

    id: str
    action: Literal["accept", "undo"]
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
    action: Literal["accept", "undo"],
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
    yaml.YAMLError, pydantic.ValidationError
        If it is not a ledger.
    """
    body = yaml.safe_load(text)
    if isinstance(body, dict) and isinstance(body.get("entries"), list):
        body["entries"] = [_nested(entry) for entry in body["entries"]]
    return Ledger.model_validate(body).entries or ()


def state_of(accepted: Baseline | Unmeasured | None) -> State | None:
    """Return what a baseline file says of an accepted value or absence."""
    match accepted:
        case Baseline(value=value, unit=unit, stderr=stderr, tolerance=tolerance, run=run):
            return Value(value=value, unit=unit, stderr=stderr, tolerance=tolerance, run=run)
        case Unmeasured(reason=reason):
            return Absent(absent=reason)
        case None:
            return None


def accepted_of(place: Place, state: State, camera: str, dataset: str) -> Baseline | Unmeasured:
    """Return the accepted value or absence that a baseline file tells of."""
    scope = place.scope(camera, dataset)
    match state:
        case Value(value=value, unit=unit, stderr=stderr, tolerance=tolerance, run=run):
            return Baseline(place.metric, scope, value, unit, stderr, tolerance, run)
        case Absent(absent=reason):
            return Unmeasured(place.metric, scope, reason)


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
