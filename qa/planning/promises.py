"""Says of every sponsored camera whether it will be measured within a week, and why it will or cannot. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.model import Promise
from qa.planning.night import NIGHTLY, WEEK, due, is_overdue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from qa.planning.night import Candidate, Choice


@dataclass(frozen=True, slots=True)
class Night:
    """What a night was chosen from: all that could be taken, when it begins, its hours, and what it took."""

    candidates: tuple[Candidate, ...]
    now: datetime
    budget: float | None
    choice: Choice

    @property
    def demand(self) -> float:
        """Hours that all sponsored cameras take together."""
        return sum(one.hours for one in self.candidates if one.promised)


def promises(night: Night, left_out: Mapping[str, str], last: Mapping[str, datetime | None]) -> tuple[Promise, ...]:
    """Return the promise of each sponsored camera.

    Parameters
    ----------
    night
        What was chosen from what.
    left_out
        Why sponsored cameras could not be chosen from, by name: their data are not here, or nobody asked for them.
    last
        When those were last measured on coadds.
    """
    named = [one for one in night.candidates if one.promised]
    out = [_left_out(name, why, last.get(name), night.now) for name, why in left_out.items()]
    return (*(_promise(one, night) for one in named), *out)


def _promise(one: Candidate, night: Night) -> Promise:
    tonight = one.name in night.choice.taken
    why = _broken(one, night) or ("" if tonight else _why_not(one, night))
    kept = not is_overdue(one, night.now) and (tonight or not why)
    hours = round(one.hours, 3)
    return Promise(one.name, one.last, due(one), hours, tonight=tonight, kept=kept, reason=why, coadds=one.coadds)


def _left_out(name: str, why: str, last: datetime | None, now: datetime) -> Promise:
    until = None if last is None else last + WEEK
    overdue = until is None or until < now
    return Promise(name, last, until, 0.0, tonight=False, kept=not overdue, reason=why if overdue else "")


def _broken(one: Candidate, night: Night) -> str:
    """Say what became of a promise that is broken already, as far as the last attempt tells."""
    if not is_overdue(one, night.now):
        return ""
    since = "it was never measured" if one.last is None else f"last measured {one.last:%Y-%m-%d %H:%M} UTC"
    if one.tried is None:
        return f"{since}, in no run before"
    if one.last is None or one.tried > one.last:
        return f"{since}, tried without success on {one.tried:%Y-%m-%d %H:%M} UTC"
    nights = (night.now - one.tried) // NIGHTLY
    return f"{since}, since when no run had it in {nights} nights"


def _why_not(one: Candidate, night: Night) -> str:
    """Say why a camera that is not taken tonight will not be taken in time; nothing where it will."""
    budget = night.budget
    if budget is None:
        return ""
    if one.hours > budget:
        return f"it takes about {one.hours:.1f} h, more than the {budget:g} h of a night"
    if one.name not in night.choice.ahead.unplaced:
        return ""
    overfull = night.choice.overfull
    if overfull is not None:
        nights = "tonight" if overfull == 0 else f"the next {overfull + 1} nights"
        return f"what is due asks more of {nights} than their {budget:g} h each; {_weekly(night)}"
    proven = "cannot be divided" if night.choice.ahead.proven else "were not found to be divided"
    return f"the cameras that are due {proven} over nights of {budget:g} h; {_weekly(night)}"


def _weekly(night: Night) -> str:
    return f"the sponsored cameras take about {night.demand:.1f} h together"


def shortfalls(promises: Iterable[Promise]) -> tuple[Promise, ...]:
    """Return the promises that are broken or cannot be kept."""
    return tuple(one for one in promises if not one.kept)
