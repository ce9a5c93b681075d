"""The example night with all that judgement adds: an incident of several cameras, findings in every state, a ledger."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from qa.baselines.ledger import Decision, Move, Place, Value, make_entry
from qa.judging.judged import (
    Acknowledgement,
    Cause,
    Evidence,
    Finding,
    FindingState,
    Forecast,
    Incident,
    Shift,
    ShiftKind,
)
from qa.model import HistoryPoint, Level, Measurement, Scope, Status
from reports.example import the_example
from reports.testing import NOW, a_comparison, a_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from qa.baselines.ledger import Entry
    from qa.model import Comparison
    from reports.night import Night

    Key = tuple[str, Scope]

_MOVED = ("AM1", "AM2", "AD1", "AF1", "AA1", "psf_fwhm", "psf_ellipticity", "TE1")
_KNOWN = ("AM2", Scope("megaprime", "twin", "r", 0))
_ACKNOWLEDGED = ("PA1", Scope("decam", "twin", "r", 0))
_REOPENED = ("psf_ellipticity", Scope("hsc", "twin", "i", 0))
_DRIFTING = ("AA1", Scope("hsc", "twin", "i", 0))
_UNCONFIRMED = ("false_detection_rate", Scope("hsc", "twin", "r", 0))
_FIXED = ("PF1", Scope("hsc", "twin", "i", 0))
_INCIDENT = "8c21f0d3"
_WHO = "Ada Example <ada@example.org>"
_TUNING = "the new flat-fielding is being tuned"
_UNTIL = date(2026, 3, 20)
_NIGHTS = 40


def the_judged_example(folder: Path | None = None) -> Night:
    """Build the example night with incidents, findings, shifts and a ledger; pictures as in `the_example`."""
    night = the_example(folder)
    comparisons = tuple(_changed(one) for one in night.comparisons)
    members = tuple((one.metric, one.scope) for one in comparisons if _is_member(one))
    shifts = tuple(_shifts(comparisons, members))
    by_key = {(one.metric, one.scope): one for one in shifts}
    histories = {(one.metric, one.scope): _history(one, by_key) for one in comparisons}
    return replace(
        night,
        comparisons=comparisons,
        history={key: points for key, points in histories.items() if key[1].camera != "lsstcam"},
        shifts=shifts,
        incidents=(_incident(members),),
        findings=tuple(_findings(comparisons, members)),
        ledger=tuple(a_ledger()),
    )


def _is_member(one: Comparison) -> bool:
    """Tell whether the incident moved a series: the shapes and positions in r, of every camera with a baseline."""
    own = one.metric in _MOVED and one.scope.band == "r" and one.scope.camera != "lsstcam"
    return own and (one.metric, one.scope) != _KNOWN


def _changed(one: Comparison) -> Comparison:
    key = (one.metric, one.scope)
    if _is_member(one):
        factor = 1.32 if one.scope.camera == "hsc" else 1.21
        return a_comparison(one.metric, one.scope, factor=factor, before=1.0)
    if key == _DRIFTING:
        return a_comparison(*key, factor=1.9, before=1.0)
    if key == _UNCONFIRMED:
        return a_comparison(*key, factor=1.31, before=1.0)
    if key == _ACKNOWLEDGED:
        leave = f"acknowledged by {_WHO} until {_UNTIL}: {_TUNING}."
        return replace(one, status=Status.WARN, reason=f"{one.reason.removesuffix('.')}; {leave}")
    return one


def _shifts(comparisons: Sequence[Comparison], members: Sequence[Key]) -> Iterator[Shift]:
    for one in comparisons:
        result, baseline = one.result, one.baseline
        if not isinstance(result, Measurement) or baseline is None:
            continue
        key, before, after = (one.metric, one.scope), baseline.value, result.value
        sigma = (after - before) / (0.01 * abs(before))
        if key == _DRIFTING:
            began = NOW - timedelta(days=25)
            slope = (after - before) / 25
            found = NOW - timedelta(days=9)
            yield Shift(*key, ShiftKind.DRIFT, began, found, before, after, sigma, 1e-5, slope)
        elif key in {*members, _REOPENED}:
            yield Shift(*key, ShiftKind.STEP, NOW, NOW, before, after, sigma, 1e-6)
        elif key == _ACKNOWLEDGED:
            began = NOW - timedelta(days=11)
            yield Shift(*key, ShiftKind.STEP, began, began, before, after, sigma, 1e-7)
        elif key == _UNCONFIRMED:
            yield Shift(*key, ShiftKind.SPIKE, NOW, NOW, before, after, sigma, 1e-4)


def _history(one: Comparison, shifts: Mapping[Key, Shift]) -> tuple[HistoryPoint, ...]:
    """Build a series that does what its shift says; of resources the machine changed a fortnight ago."""
    shift = shifts.get((one.metric, one.scope))
    points = a_history(one, _NIGHTS)
    if one.scope.task:
        changed = NOW - timedelta(days=14)
        return tuple(replace(point, epoch="new" if point.when >= changed else "old") for point in points)
    if shift is None or shift.kind not in {ShiftKind.DRIFT, ShiftKind.STEP} or shift.began == NOW:
        return points
    return tuple(_shifted(point, shift) for point in points[:-1]) + points[-1:]


def _shifted(point: HistoryPoint, shift: Shift) -> HistoryPoint:
    if point.value is None or point.when < shift.began:
        return point
    share = 1.0 if shift.kind is ShiftKind.STEP else (point.when - shift.began) / (NOW - shift.began)
    return replace(point, value=point.value + share * (shift.after - shift.before))


def _incident(members: tuple[Key, ...]) -> Incident:
    count = len({scope.camera for _, scope in members})
    package = "meas_astrom"
    return Incident(
        id=_INCIDENT,
        cause=Cause.ALGORITHM,
        members=members,
        changed=(f"package {package}", "package numpy"),
        evidence=(
            Evidence(Cause.ALGORITHM, 3.4, f"{count} cameras with packages of their own moved in one night."),
            Evidence(
                Cause.ALGORITHM, 2.2, f"Package {package} changed from 7d20be1 to 9a41f03, and all of them run it."
            ),
            Evidence(Cause.DATA, -2.6, "Nothing of the data changed since the last good run."),
            Evidence(Cause.ENVIRONMENT, 0.7, "Package numpy changed from 2.1.0 to 2.1.1."),
            Evidence(Cause.CAMERA, -4.1, "No camera's own package changed."),
        ),
        odds={
            Cause.ALGORITHM: 3.1,
            Cause.CAMERA: -4.0,
            Cause.DATA: -3.2,
            Cause.ENVIRONMENT: -0.4,
            Cause.NOISE: -5.0,
        },
        headline=f"{len(members)} metrics of {count} cameras moved after a change of package {package}: "
        "most likely the algorithm.",
        last_good="20260228T0050",
    )


def _findings(comparisons: Sequence[Comparison], members: Sequence[Key]) -> Iterator[Finding]:
    for one in comparisons:
        key = (one.metric, one.scope)
        if key in members and one.status is not Status.PASS:
            yield _finding(one, FindingState.OPEN, nights=1, incident=_INCIDENT)
        elif key == _DRIFTING:
            forecast = Forecast(Level.DESIGN, date(2026, 3, 19), date(2026, 3, 11), date(2026, 4, 6))
            yield replace(_finding(one, FindingState.OPEN, nights=10), kind="drift", forecast=forecast)
        elif key == _ACKNOWLEDGED:
            leave = Acknowledgement("", _WHO, NOW - timedelta(days=9), _UNTIL, _TUNING)
            yield replace(_finding(one, FindingState.ACKNOWLEDGED, nights=12), acknowledgement=leave)
        elif key == _REOPENED:
            yield _finding(one, FindingState.REOPENED, nights=4)
        elif key == _UNCONFIRMED:
            yield _finding(one, FindingState.UNCONFIRMED, nights=1)
        elif key == _KNOWN:
            yield replace(_finding(one, FindingState.OPEN, nights=58), known=True, kind="below-gate")
        elif key == _FIXED:
            yield _finding(one, FindingState.FIXED, nights=6)


def _finding(one: Comparison, state: FindingState, *, nights: int, incident: str | None = None) -> Finding:
    first = NOW - timedelta(days=nights - 1)
    name = hashlib.sha256(f"{one.metric} {one.scope}".encode()).hexdigest()[:8]
    kind = one.change.value
    since = first if state is FindingState.OPEN else NOW
    made = Finding(name, one.metric, one.scope, kind, state, first, NOW, nights, one.reason)
    return replace(made, incident=incident, since=since, status=one.status)


def a_ledger() -> Iterator[Entry]:
    """Yield decisions of three quarters: first values, two small steps down, and a decision that expired."""
    ada, linus = _WHO, "Linus Example <linus@example.org>"
    accept = _decided("hsc", ada, datetime(2025, 8, 3, 9, 0, tzinfo=UTC), "First accepted values of the twins")
    yield accept(
        _move("PA1", "r", None, 3.1, left=4.9),
        _move("AM1", "r", None, 9.1, left=10.9),
        _move("AM1", "i", None, 8.8, left=11.2),
    )
    why = "A faster matcher that loses the faintest pairs"
    accept = _decided("hsc", linus, datetime(2025, 11, 12, 16, 20, tzinfo=UTC), why, ticket="DM-90001")
    yield accept(_move("AM1", "r", 9.1, 10.0, left=10.0), _move("AM1", "i", 8.8, 9.2, left=10.8))
    why = "Deblending of crowded fields comes first"
    accept = _decided(
        "decam", ada, datetime(2025, 12, 1, 11, 5, tzinfo=UTC), why, ticket="DM-90017", until=date(2026, 2, 1)
    )
    yield accept(_move("PA1", "r", 5.1, 5.6, left=2.4))
    why = "The new distortion model; the loss is understood"
    accept = _decided("hsc", ada, datetime(2026, 1, 20, 14, 40, tzinfo=UTC), why, ticket="DM-90033")
    yield accept(_move("AM1", "r", 10.0, 11.2, left=8.8), _move("PA1", "r", 3.1, 3.0, left=5.0))


def _decided(
    camera: str, who: str, when: datetime, why: str, *, ticket: str | None = None, until: date | None = None
) -> Callable[..., Entry]:
    def accept(*moves: Move) -> Entry:
        decision = Decision(who=who, when=when, why=why, ticket=ticket, expires=until)
        return make_entry("accept", camera, "twin", decision=decision, moves=moves, after=when.isoformat())

    return accept


def _move(metric: str, band: str, old: float | None, new: float, *, left: float) -> Move:
    unit = "mas" if metric == "AM1" else "mmag"
    return Move(
        place=Place(metric=metric, band=band, tract=0),
        old=None if old is None else _value(old, unit),
        new=_value(new, unit),
        sigma=None if old is None else round((new - old) / 0.1, 3),
        level="design",
        margin_left=left,
        margin_spent=None if old is None else round(new - old, 6),
    )


def _value(value: float, unit: str) -> Value:
    return Value(value=value, unit=unit, stderr=0.2, tolerance=0.1, run="20260120T0100")
