"""For which dates master calibrations hold, and what holds when it is judged as of an earlier day. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date


@dataclass(frozen=True, slots=True)
class Validity:
    """For which dates the masters made of one group's exposures of one kind hold: ISO dates in TAI, None is open.

    `made` is when the last of these exposures was taken, an ISO date in UTC: before it nobody had these masters. None
    is unknown.
    """

    kind: str
    group: str
    begin: str | None
    end: str | None
    made: str | None = None


def as_of(validities: Iterable[Validity], day: date) -> tuple[Validity, ...]:
    """Return what would have been used on a day (UTC): no masters made after it, and those before them hold on.

    The first that there was of a kind holds for all before, as the first of all does.

    Raises
    ------
    RequestError
        If there was none of some kind, or it is not known when it was made.
    """
    listed = list(validities)
    kinds = dict.fromkeys(one.kind for one in listed)
    return tuple(one for kind in kinds for one in _as_of([one for one in listed if one.kind == kind], day))


def _as_of(ones: Sequence[Validity], day: date) -> list[Validity]:
    """Do so for the masters of one kind."""
    in_order = sorted(ones, key=lambda one: one.begin or "")
    known = [one for one in in_order if one.made is not None and one.made[:10] <= day.isoformat()]
    if not known:
        raise RequestError(_none(in_order, day))
    begins = [in_order[0].begin, *(one.begin for one in known[1:])]
    ends = [*begins[1:], in_order[-1].end]
    return [replace(one, begin=begin, end=end) for one, begin, end in zip(known, begins, ends, strict=True)]


def _none(ones: Sequence[Validity], day: date) -> str:
    kind, made = ones[0].kind, sorted(one.made for one in ones if one.made is not None)
    if not made:
        return f"calibrations as of {day} need to know when each was made, and of no {kind} it is known"
    return f"calibrations as of {day} need a {kind} made by then, and the first was made on {made[0][:10]}"


def in_words(validities: Iterable[Validity]) -> str:
    """Say it on one line: `bias calibration-0 (made 2018-01-15) until 2018-01-20T06:00:37, ...`."""
    return ", ".join(_in_words(one) for one in validities)


def _in_words(one: Validity) -> str:
    made = f" (made {one.made[:10]})" if one.made else ""
    parts = (f"from {one.begin}" if one.begin else "", f"until {one.end}" if one.end else "")
    when = " ".join(part for part in parts if part) or "always"
    return f"{one.kind} {one.group}{made} {when}"
