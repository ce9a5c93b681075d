"""A night for machines: `summary.json`, what other programs may rely on. Its schema number is in the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.wording import encodable

if TYPE_CHECKING:
    from qa.judging import judged
    from reports.incidents import IncidentView
    from reports.rows import Row
    from reports.standing import Told
    from reports.view import CameraView, NightView


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a drift will cross a level, with the 68 % interval; `latest` is None where it may never."""

    level: str
    when: str
    earliest: str
    latest: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: a verdict on a series, and where it stands over the nights where that is known.

    `state`, `first` and `nights` are those of the finding, `until` and `who` those of its acknowledgement; `cause` and
    `incident` tell what it belongs to.
    """

    status: str
    metric: str
    camera: str
    scope: str
    reason: str
    id: str | None = None
    kind: str | None = None
    state: str | None = None
    known: bool = False
    first: str | None = None
    nights: int | None = None
    until: str | None = None
    who: str | None = None
    incident: str | None = None
    cause: str | None = None
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation, what it favours, and its weight in log odds."""

    favours: str
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Everything that one cause moved. `members` are `metric scope`; `probability` is that of the cause."""

    id: str
    status: str
    cause: str
    probability: float
    headline: str
    cameras: tuple[str, ...]
    members: tuple[str, ...]
    changed: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    last_good: str | None


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """One camera of a summary."""

    camera: str
    verdict: str
    why: str
    fail: int
    warn: int
    passed: int
    absent: int
    lease: str
    last_coadd: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A night in a form for machines: what other programs may rely on."""

    run_id: str
    verdict: str
    headline: str
    exit_code: int
    started: str
    finished: str
    cameras: tuple[CameraSummary, ...]
    findings: tuple[Finding, ...]
    coverage: tuple[str, ...]
    incidents: tuple[Incident, ...] = ()


def summary(view: NightView) -> Summary:
    """Sum up a night for machines; nothing is left out."""
    standing = view.standing
    rows = (*view.findings, *standing.fixed)
    return Summary(
        run_id=view.night.plan.run_id,
        verdict=view.verdict.value,
        headline=encodable(view.headline),
        exit_code=view.night.exit_code,
        started=view.night.started.isoformat(),
        finished=view.night.finished.isoformat(),
        cameras=tuple(_camera(one) for one in view.cameras),
        findings=(*(_finding(row) for row in rows), *(_told(one) for one in standing.told)),
        coverage=tuple(encodable(f"{gap.kind}: {gap.title}: {gap.sentence}") for gap in view.gaps),
        incidents=tuple(_incident(one) for one in standing.incidents),
    )


def _camera(one: CameraView) -> CameraSummary:
    counts = one.counts
    tally = (counts.fail, counts.warn, counts.passed, counts.absent)
    return CameraSummary(one.name, one.verdict.value, encodable(one.why), *tally, one.lease, one.last_coadd)


def _finding(row: Row) -> Finding:
    one, incident = row.comparison, row.standing.incident
    plain = (one.status.value, one.metric, one.scope.camera, str(one.scope), encodable(one.reason))
    cause = {"incident": incident.id, "cause": incident.cause.value} if incident else {}
    return Finding(*plain, **(_states(row.standing.finding) | cause))


def _told(told: Told) -> Finding:
    one = told.finding
    plain = (one.status.value, one.metric, one.scope.camera, str(one.scope), encodable(one.reason))
    return Finding(*plain, **_states(one))


def _states(one: judged.Finding | None) -> dict[str, Any]:
    """Return the fields of a finding over the nights."""
    if one is None:
        return {}
    leave, ahead = one.acknowledgement, one.forecast
    latest = ahead.latest.isoformat() if ahead and ahead.latest else None
    return {
        "id": one.id,
        "kind": one.kind,
        "state": one.state.value,
        "known": one.known,
        "first": one.first.isoformat(),
        "nights": one.nights,
        "until": leave.until.isoformat() if leave else None,
        "who": encodable(leave.who) if leave else None,
        "incident": one.incident,
        "forecast": ahead and Forecast(ahead.level.value, ahead.when.isoformat(), ahead.earliest.isoformat(), latest),
    }


def _incident(one: IncidentView) -> Incident:
    incident = one.incident
    return Incident(
        id=incident.id,
        status=one.verdict.value,
        cause=incident.cause.value,
        probability=round(one.probability, 4),
        headline=encodable(incident.headline),
        cameras=incident.cameras,
        members=tuple(f"{metric} {scope}" for metric, scope in incident.members),
        changed=tuple(encodable(fact) for fact in incident.changed),
        evidence=tuple(
            Evidence(piece.favours.value, piece.weight, encodable(piece.text)) for piece in incident.evidence
        ),
        last_good=incident.last_good,
    )
