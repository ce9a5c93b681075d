"""What changed in the series of a run: the change detector over the history that a store keeps.

A night costs what is new: the detector's state of each series is kept with the run that made it. A run judged again
starts from the state before it; whatever else does not fit is read from the whole history, which costs time only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from qa.changes import Series, State, dump, extend, load
from qa.errors import DocumentError
from qa.judging.epochs import epoch_of, is_resource
from qa.model import HistoryPoint, Measurement
from qa.store import Remembered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from qa.changes import Budget
    from qa.judging.judged import Shift
    from qa.metrics.base import Direction
    from qa.record import RunRecord
    from qa.store import Series as Key
    from qa.store import Store

AHEAD = timedelta(hours=1)
"""How far clocks may differ before a run lies in the future."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was found in the series of a run that night, and what was odd about the history, a line each."""

    shifts: tuple[Shift, ...]
    notes: tuple[str, ...] = ()


def shifts_of(
    store: Store,
    record: RunRecord,
    directions: Mapping[str, Direction],
    *,
    now: datetime,
    budget: Budget | None = None,
) -> Told:
    """Return what changed in the series of a run, and keep the state of the detector for the next.

    The same whenever it is called for the same run and the same history before it. A run that is older than one judged
    already, or lies in the future by the clock, is judged by the nights before it and leaves the kept states alone.
    """
    known = store.states()
    tonight = _points(record, known)
    latest = max((known[key].started for key in tonight if key in known), default=None)
    notes, keep = _clock_notes(record, latest, now)
    shifts: list[Shift] = []
    states: dict[Key, Remembered] = {}
    past = _Past(store, record, known)
    for (metric, scope), point in tonight.items():
        if metric not in directions:
            continue
        before = past.state((metric, scope), directions[metric], budget)
        after, found = extend(before, Series(metric, scope, directions[metric], (point,)), budget)
        shifts += found
        if keep and after is not None:
            kept = dump(before) if before is not None else None
            states[metric, scope] = Remembered(record.run_id, record.started, kept, dump(after))
    store.save_states(states)
    return Told(tuple(shifts), (*notes, *past.notes))


def changes(
    history: Mapping[Key, Sequence[HistoryPoint]],
    directions: Mapping[str, Direction],
    *,
    budget: Budget | None = None,
) -> Told:
    """Return everything that changed in a history, series by series."""
    shifts: list[Shift] = []
    notes: dict[str, None] = {}
    for (metric, scope), points in history.items():
        if metric in directions:
            ordered, odd = _in_order(points)
            notes.update(dict.fromkeys(odd))
            shifts += extend(None, Series(metric, scope, directions[metric], ordered), budget)[1]
    return Told(tuple(shifts), tuple(notes))


def _clock_notes(record: RunRecord, latest: datetime | None, now: datetime) -> tuple[list[str], bool]:
    """Say what is odd about a run's time, and whether its states may be kept."""
    if record.started > now + AHEAD:
        told = f"run {record.run_id} started at {record.started}, which is after now, {now}: check the clock"
        return [f"{told}; the change detector does not count it for later nights"], False
    if latest is not None and latest > record.started:
        told = f"run {record.run_id} started at {record.started}, before one judged already ({latest})"
        return [f"{told}: its changes are told from the nights before it"], False
    return [], True


def _points(record: RunRecord, known: Mapping[Key, Remembered]) -> dict[Key, HistoryPoint]:
    """Return a run's points: of a data set that was measured, a series it says nothing of is a gap."""
    gap = HistoryPoint(record.run_id, record.started, None, None)
    points = {key: gap for key in known if (key[1].camera, key[1].dataset) in record.measured}
    for result in record.results:
        scope, point = result.scope, gap
        if isinstance(result, Measurement):
            epoch = epoch_of(record.provenance, scope.camera, scope.dataset, resources=is_resource(result.metric))
            point = replace(gap, value=result.value, stderr=result.stderr, epoch=f"{epoch} {result.unit}")
        points[result.metric, scope] = point
    return points


class _Past:
    """The series of a run as they were before it."""

    def __init__(self, store: Store, record: RunRecord, known: Mapping[Key, Remembered]) -> None:
        self._store, self._record, self._known = store, record, known
        self._since: Mapping[Key, Sequence[HistoryPoint]] | None = None
        self._whole: Mapping[Key, Sequence[HistoryPoint]] | None = None
        self.notes: dict[str, None] = {}

    def state(self, key: Key, direction: Direction, budget: Budget | None) -> State | None:
        """Return the state of a series before the run: the one kept, brought up to date, or made from all nights."""
        kept = self._kept(key)
        points = self._later(key) if kept is not None else self._all(key)
        ordered, notes = _in_order([one for one in points if one.when < self._record.started])
        self.notes.update(dict.fromkeys(notes))
        return extend(kept, Series(*key, direction, ordered), budget)[0]

    def _kept(self, key: Key) -> State | None:
        one = self._known.get(key)
        if one is None:
            return None
        text = one.after
        if one.run_id == self._record.run_id:
            text = one.before or ""
        elif one.started >= self._record.started:
            return None
        try:
            return load(text) if text else None
        except DocumentError as error:
            self.notes[f"{error}; it is made anew from the history"] = None
            return None

    def _later(self, key: Key) -> Sequence[HistoryPoint]:
        """Return the nights of a series since it was last judged: runs that were put into the history otherwise."""
        if self._since is None:
            oldest = min(one.started for one in self._known.values())
            self._since = self._store.history(after=oldest)
        last = self._known[key].started
        mine = self._record.run_id
        return [one for one in self._since.get(key, ()) if one.when > last and one.run_id != mine]

    def _all(self, key: Key) -> Sequence[HistoryPoint]:
        if self._whole is None:
            self._whole = self._store.history()
        return [one for one in self._whole.get(key, ()) if one.run_id != self._record.run_id]


def _in_order(points: Sequence[HistoryPoint]) -> tuple[list[HistoryPoint], list[str]]:
    """Return nights that are in order, of runs that started at one time the last, and what was left out."""
    twice = [old.run_id for old, new in pairwise(points) if old.when == new.when]
    notes = [f"run {run} started at the same time as another: the change detector leaves it out" for run in twice]
    return [one for one in points if one.run_id not in set(twice)], notes
