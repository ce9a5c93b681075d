"""What judging takes from beside the run: the history, the ledger, acknowledgements. None of it can lose a night."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci.blaming import incidents_of
from ci.lineage import nights_around
from qa import baselines
from qa.baselines.margins import ratchets
from qa.baselines.standing import expired as expired_decisions
from qa.baselines.standing import replay
from qa.changes import Series
from qa.changes.forecast import forecast
from qa.errors import ObsqaError
from qa.foreign.definitions import definitions
from qa.judging import acknowledged
from qa.judging.findings import ACCEPTANCE, RATCHET, UNDECIDED, WAIVER, Seen
from qa.judging.judged import ShiftKind
from qa.judging.shifts import Told, shifts_of
from qa.judging.wording import quantity
from qa.model import Change, HistoryPoint, Measurement, Scope, Status
from qa.requirements.cameras import waivers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path
    from typing import TypeVar

    from ci.lanes import Context
    from obs_registry.model import Camera
    from qa.baselines.book import Disagreement
    from qa.baselines.ledger import Entry
    from qa.baselines.margins import Ratchet
    from qa.baselines.standing import Standing
    from qa.judging.findings import Key
    from qa.judging.judged import Acknowledgement, Forecast, Incident, Shift
    from qa.model import Comparison, Result
    from qa.record import RunRecord

    T = TypeVar("T")


def shifts(context: Context, record: RunRecord) -> tuple[Shift, ...]:
    """Return what changed in the history of the run's series, tonight included."""
    store = context.store
    if store is None:
        return ()
    directions = {name: one.direction for name, one in definitions(record).items()}
    told = _or_warn(context, lambda: shifts_of(store, record, directions, now=context.clock()), Told(()))
    for note in told.notes:
        context.console.say(f"warning: {note}")
    return told.shifts


def incidents(
    context: Context,
    folder: Path,
    record: RunRecord,
    comparisons: Sequence[Comparison],
    *,
    shifts: Sequence[Shift],
    again: Sequence[Result],
) -> tuple[Incident, ...]:
    """Return what moved together, and what is to blame; `again` is what a second processing gave."""

    def found() -> tuple[Incident, ...]:
        say, known, runs = context.console.say, context.cameras, nights_around(folder, record)
        return incidents_of(record, comparisons, runs=runs, cameras=known, shifts=shifts, again=again, say=say)

    return _or_warn(context, found, ())


def acknowledgements(context: Context) -> tuple[Acknowledgement, ...]:
    """Return who lets which finding stand."""
    root = context.settings.regression_data
    return _or_warn(context, lambda: tuple(one.value for one in acknowledged.load(root)), ())


def forecasts(
    context: Context, record: RunRecord, comparisons: Iterable[Comparison], shifts: Iterable[Shift]
) -> dict[Key, Forecast]:
    """Return when the drifts of tonight will cross the next level."""
    drifts = {(one.metric, one.scope): one for one in shifts if one.kind is ShiftKind.DRIFT}
    found: dict[Key, Forecast] = {}
    for one in comparisons:
        shift = drifts.get((one.metric, one.scope))
        if one.change is Change.DRIFT and shift is not None and one.ladder is not None:
            ahead = forecast(shift, _series(context, record, one), ladder=one.ladder, now=record.started)
            if ahead is not None:
                found[one.metric, one.scope] = ahead
    return found


def decided(context: Context, record: RunRecord, comparisons: Iterable[Comparison]) -> tuple[Seen, ...]:
    """Return what is wrong with what was decided about tonight's data sets.

    Waivers and acceptances that are over, baselines that crept away from their first level by small decisions, and
    such as nobody decided.
    """
    today = record.plan.created.date()
    datasets = dict.fromkeys((one.scope.camera, one.scope.dataset) for one in comparisons)
    cameras = {camera.name: camera for camera in context.cameras}
    waivers = [
        seen
        for name, dataset in datasets
        if name in cameras
        for seen in _expired_waivers(cameras[name], dataset, today)
    ]
    of_ledger: tuple[Seen, ...] = _or_warn(context, lambda: tuple(_of_ledger(context, record, today)), ())
    return (*waivers, *(seen for seen in of_ledger if (seen.scope.camera, seen.scope.dataset) in datasets))


def _series(context: Context, record: RunRecord, one: Comparison) -> Series:
    """Return the history of a series with tonight in it, also when tonight was remembered before."""
    camera, metric = one.scope.camera, one.metric
    store = context.store
    points: list[HistoryPoint] = []
    if store is not None:
        points = _or_warn(
            context, lambda: store.history(camera=camera, metric=metric).get((metric, one.scope), []), points
        )
        points = [point for point in points if point.run_id != record.run_id]
    if isinstance(one.result, Measurement):
        points.append(HistoryPoint(record.run_id, record.started, one.result.value, one.result.stderr))
    return Series(metric, one.scope, definitions(record)[metric].direction, points)


def _expired_waivers(camera: Camera, dataset: str, today: date) -> Iterator[Seen]:
    for waiver in waivers_of(camera.requirements):
        if not waiver.holds(today):
            for band in waiver.bands or (None,):
                reason = (
                    f"The waiver of {waiver.metric}{f' in {band}' if band else ''} expired on {waiver.expires} "
                    f"({waiver.reason.removesuffix('.')}); mend the metric, renew the waiver or remove it."
                )
                yield Seen(waiver.metric, Scope(camera.name, dataset, band), WAIVER, WAIVER, Status.WARN, reason)


ALL = "baselines"
"""Of which metric a finding is that is of the baselines of a data set as a whole."""


def _ended(over: Iterable[Standing]) -> Iterator[Seen]:
    """Yield one finding for each data set whose acceptances are over, of a metric if they are of one alone."""
    of_dataset: dict[tuple[str, str], list[Standing]] = {}
    for one in over:
        of_dataset.setdefault((one.entry.camera, one.entry.dataset), []).append(one)
    for (camera, dataset), ones in of_dataset.items():
        places = [move.place for one in ones for move in one.moves]
        alone = len(places) == 1
        metric, scope = (places[0].metric, places[0].scope(camera, dataset)) if alone else (ALL, Scope(camera, dataset))
        who = "Its baseline was" if alone else f"{len(places)} of its baselines were"
        what, decisions = "it" if alone else "them", "; ".join(map(_until, ones))
        reason = f"{who} accepted {decisions}; accept {what} anew or let {what} go with obsqa baseline expire."
        yield Seen(metric, scope, ACCEPTANCE, ACCEPTANCE, Status.WARN, reason)


def _until(one: Standing) -> str:
    made = one.entry.decision
    return f"until {made.expires} by {made.who} ({made.why.removesuffix('.')}), ledger entry {one.entry.id}"


def _of_ledger(context: Context, record: RunRecord, today: date) -> Iterator[Seen]:
    """Yield what the ledger says of all data sets; without one nothing was decided yet."""
    root = context.settings.regression_data
    entries = baselines.ledger(root)
    if not entries:
        return
    yield from _ended(one for one in expired_decisions(entries, today) if one.moves)
    accepted = {key: one for of in replay(entries).values() for key, one in of.items()}
    for crept in ratchets(entries, accepted, definitions=definitions(record)):
        if crept.exceeded:
            yield Seen(crept.metric, crept.scope, RATCHET, RATCHET, Status.WARN, _small_steps(crept))
    yield from _undecided(root, entries)


def _small_steps(one: Ratchet) -> str:
    limit = "" if one.allowed is None else f", and {quantity(one.allowed, one.unit)} is the limit"
    return (
        f"Its baseline crept from {quantity(one.first, one.unit)} to {quantity(one.now, one.unit)} since "
        f"{one.since:%Y-%m-%d}, in {one.moves} accepted steps for the worse{limit}; mend the metric, or accept it with "
        "--new-reference."
    )


def _undecided(root: Path, entries: Sequence[Entry]) -> Iterator[Seen]:
    """Yield one finding for each data set whose file nobody decided about; what was cut off is completed anyway."""
    found: dict[tuple[str, str], list[Disagreement]] = {}
    for one in baselines.disagreements(root, entries):
        if not one.cut_off:
            found.setdefault((one.key[1].camera, one.key[1].dataset), []).append(one)
    for (camera, dataset), ones in found.items():
        more = f"; {len(ones) - 1} more" if len(ones) > 1 else ""
        first = replace(ones[0], path=ones[0].path.relative_to(root))
        reason = f"Its file was changed without a decision: {first}{more}. Put it right with obsqa baseline restore."
        yield Seen(ALL, Scope(camera, dataset), UNDECIDED, UNDECIDED, Status.WARN, reason)


def _or_warn(context: Context, read: Callable[[], T], otherwise: T) -> T:
    """Return what can be read, or something else and a warning."""
    try:
        return read()
    except ObsqaError as error:
        context.console.say(f"warning: {error}")
        return otherwise
