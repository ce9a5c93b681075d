"""Builders of runs that have something to tell: for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.judging.findings import Seen
from qa.judging.judged import Cause, Evidence, Finding, FindingState, Incident
from qa.model import Change, Comparison, Ladder, Lane, Level, Plan, Scope, Stage, Status, Step, Trigger
from qa.record import RunRecord
from qa.testing import NOW, a_measurement

if TYPE_CHECKING:
    from collections.abc import Iterable


def a_finding(
    camera: str = "hsc",
    metric: str = "PA1",
    *,
    state: FindingState = FindingState.OPEN,
    status: Status = Status.FAIL,
    incident: str | None = None,
    kind: str = "step",
    reason: str = "",
) -> Finding:
    """Build a finding of one night on the r band."""
    seen = Seen(metric, Scope(camera, "twin", "r", 0), kind, kind, status, reason or f"{metric} worsened.")
    return Finding(
        id=seen.id,
        metric=metric,
        scope=seen.scope,
        kind=kind,
        state=state,
        first=NOW,
        last=NOW,
        nights=1,
        reason=seen.reason,
        incident=incident,
        since=NOW,
        status=status,
    )


def an_incident(cause: Cause, *findings: Finding, name: str = "i-1", headline: str = "obs_hsc changed") -> Incident:
    """Build an incident of some findings."""
    members = tuple((one.metric, one.scope) for one in findings)
    changed = ("package obs_hsc: 1.0 -> 1.1",)
    return Incident(name, cause, members, changed, (Evidence(cause, 2.0, "it changed"),), {cause: 2.0}, headline)


def a_run(
    *findings: Finding,
    incidents: Iterable[Incident] = (),
    lane: Lane = Lane.NIGHTLY,
    exit_code: int | None = 0,
    nights: int = 0,
    provenance: dict[str, str] | None = None,
) -> RunRecord:
    """Build a judged run some nights after the first; each finding has a required series behind it."""
    created = NOW + timedelta(days=nights)
    cameras = dict.fromkeys(one.scope.camera for one in findings)
    steps = tuple(Step(camera, "twin", Stage.MEASURE) for camera in cameras)
    plan = Plan(f"{created:%Y%m%dT%H%M%SZ}", lane, Trigger(), created, steps)
    record = RunRecord(plan, provenance or {}, created, finished=created, exit_code=exit_code)
    comparisons = tuple(_comparison(one) for one in findings)
    return replace(record, findings=findings, incidents=tuple(incidents), comparisons=comparisons)


def _comparison(finding: Finding) -> Comparison:
    found = a_measurement(metric=finding.metric, camera=finding.scope.camera)
    ladder = Ladder(finding.metric, None, "mmag", "<=", 8, 5, 3, "LPM-17 v5.2.3, Table 14")
    return Comparison(
        found, None, ladder, Change.STEP, Level.MINIMUM, finding.status, sigma=None, reason=finding.reason
    )
