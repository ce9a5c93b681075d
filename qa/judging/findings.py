"""The states of a finding over the nights: open, acknowledged, fixed, reopened, unconfirmed. Pure.

A finding is one thing wrong with one series; its id is the same every night. `advance` takes the findings of the night
before and what tonight shows. The states:

    unconfirmed    seen, and not yet on as many successive nights as the camera asks for; gone when not seen again
    open           seen; a known deficit (below the gate since its baseline was accepted) is open at once, and known
    acknowledged   open, and somebody lets it stand until a day; it fails no night until then
    reopened       acknowledged no longer, or worse than what was acknowledged, or fixed and back again
    fixed          not seen any more; remembered for `REMEMBERED`, so that it can be reopened

An acknowledgement ends with its day, when it is withdrawn, when the finding gets worse (by more than `STEADY_WITHIN`
spreads, or from a warning to a failure), and when it is fixed: a finding that comes back needs a new one. What was
confirmed once needs no second confirmation. Of a series that tonight did not measure, or whose data set could not be
judged, nothing is known: its findings stay as they were.

Nothing is counted twice: the same night, judged again after the same night before, gives the same findings.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.judging.compare import STEADY_WITHIN
from qa.judging.judged import Finding, FindingState, ShiftKind
from qa.model import Change, Comparison, Measurement, Scope, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from qa.judging.judged import Acknowledgement, Forecast, Incident, Shift
    from qa.judging.validity import Validity

    Key = tuple[str, Scope]

REMEMBERED = timedelta(days=90)
"""How long a fixed finding is remembered."""

OUTAGE, MISSING, VALUE, WAIVER, ACCEPTANCE = "outage", "missing", "value", "waiver", "acceptance"
"""What can be wrong: a camera did not come through, a metric is absent, its value is bad, a leave is over."""

UNMEASURED = "unmeasured"
"""A sponsored camera was not measured on coadds within a week."""

RATCHET, UNDECIDED = "ratchet", "undecided"
"""Accepted changes add up to too much; the baselines that tonight was judged by are not those of the ledger."""

SEVERITY = (Status.PASS, Status.WARN, Status.FAIL)
STANDING = frozenset({FindingState.OPEN, FindingState.ACKNOWLEDGED, FindingState.REOPENED})
"""States of a finding that was confirmed and is not fixed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is wrong tonight: with which series, of which topic, in which kind, how badly, and in which words."""

    metric: str
    scope: Scope
    topic: str
    kind: str
    status: Status
    reason: str
    sigma: float | None = None
    known: bool = False
    shift: Shift | None = None

    @property
    def id(self) -> str:
        """Name of the finding: a digest of its topic and series; a camera has one outage, whatever fell out."""
        series = self.scope.camera if self.topic == OUTAGE else f"{self.metric} {self.scope}"
        return hashlib.sha256(f"{self.topic} {series}".encode()).hexdigest()[:8]


def seen_in(comparisons: Iterable[Comparison], shifts: Iterable[Shift] = ()) -> tuple[Seen, ...]:
    """Return what the comparisons of a night show to be wrong: everything that does not pass."""
    told = {(one.metric, one.scope): one for one in sorted(shifts, key=lambda one: one.found)}
    return tuple(_seen(one, told.get((one.metric, one.scope))) for one in comparisons if one.status is not Status.PASS)


def outage(validity: Validity, *, status: Status = Status.FAIL) -> Seen:
    """Return what is wrong with a camera that did not come through."""
    scope = Scope(validity.camera, validity.dataset)
    return Seen(OUTAGE, scope, OUTAGE, OUTAGE, status, validity.reason)


def advance(
    previous: Sequence[Finding],
    comparisons: Sequence[Comparison],
    *,
    when: datetime,
    shifts: Iterable[Shift] = (),
    acknowledgements: Iterable[Acknowledgement] = (),
    confirm: Mapping[str, int] | None = None,
    more: Iterable[Seen] = (),
    forecasts: Mapping[Key, Forecast] | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of a night, in the order of camera, metric and scope.

    Parameters
    ----------
    previous
        The findings of the run before this one.
    comparisons
        What was judged tonight, of data sets that could be judged.
    when
        When the night was planned, also when it is judged again.
    shifts
        What the history says of tonight.
    acknowledgements
        All there are; of several of one finding the last counts.
    confirm
        On how many successive nights a camera's findings must be seen, by its name; 1 where it is not named.
    more
        What else is wrong: outages, waivers and acceptances that are over, baselines that crept or that nobody moved.
    forecasts
        When the drift of a series will cross the next level.
    """
    seen = {one.id: one for one in (*seen_in(comparisons, shifts), *more)}
    before = {one.id: one for one in previous}
    leave = {one.finding: one for one in acknowledgements}
    found = [
        _attach(_see(one, before.get(key), leave.get(key), when, (confirm or {}).get(one.scope.camera, 1)), forecasts)
        for key, one in seen.items()
    ]
    judged = _Judged.of(comparisons)
    unseen = [one for key, one in before.items() if key not in seen]
    found += [kept for one in unseen if (kept := _not_seen(one, judged, when)) is not None]
    return tuple(sorted(found, key=lambda one: (one.scope.camera, one.metric, str(one.scope), one.id)))


def in_incidents(findings: Iterable[Finding], incidents: Iterable[Incident], when: datetime) -> tuple[Finding, ...]:
    """Tell the findings that tonight opened the incident that opened them."""
    of = {member: incident.id for incident in incidents for member in incident.members}
    return tuple(
        replace(one, incident=of.get((one.metric, one.scope), one.incident))
        if one.since == when and one.state in STANDING | {FindingState.UNCONFIRMED}
        else one
        for one in findings
    )


def standing_shifts(findings: Iterable[Finding]) -> tuple[Shift, ...]:
    """Return the drifts and steps that the findings of the night before still stand for; a spike is over."""
    lasting = {ShiftKind.DRIFT, ShiftKind.STEP}
    shifts = [one.shift for one in findings if one.state in STANDING | {FindingState.UNCONFIRMED}]
    return tuple(shift for shift in shifts if shift is not None and shift.kind in lasting)


def excuse(comparisons: Iterable[Comparison], findings: Iterable[Finding]) -> tuple[Comparison, ...]:
    """Let what is acknowledged or not yet confirmed warn where it would fail, and say so."""
    by_id = {one.id: one for one in findings}
    return tuple(_excused(one, by_id) for one in comparisons)


def _excused(one: Comparison, findings: Mapping[str, Finding]) -> Comparison:
    finding = findings.get(_seen(one, None).id) if one.status is Status.FAIL else None
    if finding is None:
        return one
    reason = one.reason.removesuffix(".")
    if finding.state is FindingState.UNCONFIRMED:
        return replace(one, status=Status.WARN, reason=f"{reason}; it fails when the next night confirms it.")
    if finding.state is FindingState.ACKNOWLEDGED and finding.acknowledgement is not None:
        known = finding.acknowledgement
        why = known.why.removesuffix(".")
        return replace(
            one, status=Status.WARN, reason=f"{reason}; acknowledged by {known.who} until {known.until}: {why}."
        )
    return one


def _seen(one: Comparison, shift: Shift | None) -> Seen:
    if one.change is Change.MISSING:
        return Seen(one.metric, one.scope, MISSING, MISSING, one.status, one.reason)
    moved = one.change in {Change.STEP, Change.DRIFT}
    kind = one.change.value if moved else "below-gate"
    if moved and shift is not None and shift.kind is ShiftKind.SPIKE:
        kind = ShiftKind.SPIKE.value
    deficit = not moved and one.baseline is not None and one.status is Status.WARN
    told = shift if moved else None
    return Seen(one.metric, one.scope, VALUE, kind, one.status, one.reason, one.sigma, deficit, told)


def _see(seen: Seen, before: Finding | None, leave: Acknowledgement | None, when: datetime, confirm: int) -> Finding:
    """Return the finding of what was seen tonight."""
    old = before or _first(seen, when)
    effective = leave if leave is not None and when.date() <= leave.until else None
    state = _state(seen, before, effective, when, confirm)
    still = before is not None and before.state is state
    measure = old if still and state is FindingState.ACKNOWLEDGED else seen
    return replace(
        old,
        scope=seen.scope,
        kind=seen.kind,
        state=state,
        last=when,
        nights=old.nights + 1,
        reason=seen.reason,
        known=seen.known or (before is not None and before.state in STANDING),
        acknowledgement=effective or old.acknowledgement,
        since=old.since if still else when,
        status=measure.status,
        sigma=measure.sigma,
        shift=seen.shift or old.shift,
    )


def _first(seen: Seen, when: datetime) -> Finding:
    return Finding(
        seen.id, seen.metric, seen.scope, seen.kind, FindingState.UNCONFIRMED, when, when, 0, seen.reason, since=when
    )


def _state(
    seen: Seen, before: Finding | None, leave: Acknowledgement | None, when: datetime, confirm: int
) -> FindingState:
    if leave is not None and not _is_spent(leave, before) and not _worse(seen, before, leave, when):
        return FindingState.ACKNOWLEDGED
    if before is None or before.state is FindingState.UNCONFIRMED:
        nights = before.nights + 1 if before else 1
        return FindingState.OPEN if seen.known or nights >= confirm else FindingState.UNCONFIRMED
    return FindingState.OPEN if before.state is FindingState.OPEN else FindingState.REOPENED


def _is_spent(leave: Acknowledgement, before: Finding | None) -> bool:
    """Tell whether a finding was reopened or fixed since it was acknowledged: then it needs a new acknowledgement."""
    over = {FindingState.REOPENED, FindingState.FIXED}
    return before is not None and before.state in over and before.acknowledgement == leave


def _worse(seen: Seen, before: Finding | None, leave: Acknowledgement, when: datetime) -> bool:
    """Tell whether a finding got worse since it was acknowledged; one who acknowledges tonight's has seen it."""
    if before is None or leave.when >= when:
        return False
    if SEVERITY.index(seen.status) > SEVERITY.index(before.status):
        return True
    return seen.sigma is not None and before.sigma is not None and seen.sigma > before.sigma + STEADY_WITHIN


def _attach(finding: Finding, forecasts: Mapping[Key, Forecast] | None) -> Finding:
    return replace(finding, forecast=(forecasts or {}).get((finding.metric, finding.scope)))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What tonight tells something about: cameras, data sets, and series with whether they were measured."""

    cameras: frozenset[str]
    datasets: frozenset[tuple[str, str]]
    measured: Mapping[Key, bool]

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> _Judged:
        datasets = frozenset((one.scope.camera, one.scope.dataset) for one in comparisons)
        measured = {(one.metric, one.scope): isinstance(one.result, Measurement) for one in comparisons}
        return cls(frozenset(camera for camera, _ in datasets), datasets, measured)


def _not_seen(finding: Finding, judged: _Judged, when: datetime) -> Finding | None:
    """Return what becomes of a finding that tonight did not show; None when it can be forgotten."""
    if finding.state is FindingState.FIXED:
        return finding if finding.since is None or when - finding.since <= REMEMBERED else None
    if not _cleared(finding, judged):
        return finding
    if finding.state is FindingState.UNCONFIRMED:
        return None
    return replace(finding, state=FindingState.FIXED, since=when, known=True, forecast=None)


def _cleared(finding: Finding, judged: _Judged) -> bool:
    """Tell whether tonight says that a finding is no more: its series was judged and is well, or is owed no longer."""
    if finding.kind in {OUTAGE, WAIVER, ACCEPTANCE, UNMEASURED, RATCHET, UNDECIDED}:
        return finding.scope.camera in judged.cameras
    key = (finding.metric, finding.scope)
    if key not in judged.measured:
        return (finding.scope.camera, finding.scope.dataset) in judged.datasets
    return finding.kind == MISSING or judged.measured[key]
