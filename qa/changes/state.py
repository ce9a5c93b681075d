"""What is remembered of a series from one night to the next: small, and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic resolves the annotations at run time
from functools import cache
from typing import TYPE_CHECKING

from qa.errors import DocumentError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SCHEMA = 2
"""Raised when states of an older kind must be made anew from the history."""

NAME, WANTED = "state of the change detector", f"JSON of schema {SCHEMA}"


@dataclass(frozen=True, slots=True)
class Level:
    """The present level of a series: what was learnt of it, and the last values that may contradict it.

    `count` values belong to it; the last `WINDOW` of them are in `values`, the dates of the last ones in `nights` and
    their shocks in `shocks`. `noise` is what was learnt last (a row of `qa.changes.noise.Noise`, empty before), and
    `carried` the same of the level before, from which a new one borrows; `quiet` tells that the level before had no
    noise at all. `excursion` is the first night and the value of a deviation that has not come back yet, and how many
    times further out it is than a spike must be; `drift` the first night of the drift this level is part of, and the
    level that the drift came from; `wildest` how far out the largest spike was, in the metric's unit.
    """

    count: int = 0
    values: tuple[float, ...] = ()
    nights: tuple[datetime, ...] = ()
    shocks: tuple[float, ...] = ()
    noise: tuple[float, ...] = ()
    carried: tuple[float, ...] = ()
    quiet: bool = False
    excursion: tuple[datetime, float, float] | None = None
    drift: tuple[datetime, float] | None = None
    wildest: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """The memory of a series: when it was last looked at, its epoch, whether it is missing, and its level."""

    last: datetime
    epoch: str
    missing: bool
    level: Level
    schema: int = SCHEMA


def dump(state: State) -> str:
    """Return a state as JSON."""
    return _adapter().dump_json(state).decode()


def load(text: str | bytes) -> State:
    """Read a state from JSON.

    Raises
    ------
    DocumentError
        If it is not one, or of another schema: it must be made anew from the history.
    """
    try:
        state = _adapter().validate_json(text)
    except ValueError as error:
        found = str(error).splitlines()[0]
        raise DocumentError(NAME, required=WANTED, found=found) from None
    if state.schema != SCHEMA:
        raise DocumentError(NAME, required=WANTED, found=f"schema {state.schema}")
    return state


@cache
def _adapter() -> TypeAdapter[State]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - a tenth of a second that a scan does not need

    return TypeAdapter(State)
