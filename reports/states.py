"""Where a finding stands, in words: its tags, its forecast, and whether it is tonight's to worry about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa.judging.judged import FindingState
from qa.model import Status
from reports.wording import day, plural, short_day

if TYPE_CHECKING:
    from datetime import date, datetime

    from qa.judging.judged import Finding, Forecast, Incident, Shift
    from qa.model import Scope
    from reports.night import Night

    Key = tuple[str, Scope]


DEFICIT, OUTAGE = "below-gate", "outage"
APART = frozenset({OUTAGE, "waiver", "acceptance", "ratchet", "undecided"})
"""Kinds of findings that are about no value of a series."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A word or two about a finding; `kind` styles it, `title` tells more."""

    kind: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class SeriesStanding:
    """What is known of one series beyond tonight's comparison."""

    finding: Finding | None = None
    incident: Incident | None = None
    shifts: tuple[Shift, ...] = ()

    @property
    def forecast(self) -> Forecast | None:
        """When a drift will cross the next level."""
        return self.finding.forecast if self.finding else None

    @property
    def quiet(self) -> bool:
        """Tell whether somebody knows of it, or tonight did not bring it."""
        return self.finding is not None and is_quiet(self.finding)


NOTHING_KNOWN = SeriesStanding()


def standings(night: Night) -> dict[Key, SeriesStanding]:
    """Return what is known of each series of which anything is."""
    incidents = {one.id: one for one in (*night.earlier, *night.incidents)}
    found: dict[Key, SeriesStanding] = {}
    for finding in sorted(night.findings, key=_standing_last):
        if finding.kind not in APART and not is_over(finding, night):
            incident = incidents.get(finding.incident or "")
            shifts = (finding.shift,) if finding.shift else ()
            found[finding.metric, finding.scope] = SeriesStanding(finding, incident, shifts)
    for shift in night.shifts:
        own = found.get((shift.metric, shift.scope), NOTHING_KNOWN)
        if shift not in own.shifts:
            found[shift.metric, shift.scope] = replace(own, shifts=(*own.shifts, shift))
    for incident in night.incidents:
        for key in incident.members:
            found[key] = replace(found.get(key, NOTHING_KNOWN), incident=incident)
    return found


def _standing_last(finding: Finding) -> bool:
    """Order the findings of one series so that one that still stands comes after one that was fixed."""
    return finding.state is not FindingState.FIXED


def began(night: Night) -> datetime:
    """Return the moment by which findings date the night: when it was planned."""
    return min(night.plan.created, night.started)


def is_over(finding: Finding, night: Night) -> bool:
    """Tell whether a finding was fixed in a night before this one: remembered, and not shown."""
    since = finding.since or finding.last
    return finding.state is FindingState.FIXED and since < began(night)


def is_quiet(finding: Finding) -> bool:
    """Tell whether a finding asks nothing of anybody tonight: acknowledged, or a deficit that was accepted."""
    return finding.state is FindingState.ACKNOWLEDGED or is_deficit(finding)


def is_deficit(finding: Finding) -> bool:
    """Tell whether a finding is a value below the gate that tonight did not bring."""
    return finding.known and finding.kind == DEFICIT and finding.status is not Status.FAIL


def tags(finding: Finding | None, *, known: bool, now: datetime) -> tuple[Tag, ...]:
    """Return the tags of a finding as of `now`; `known` says that tonight's value alone shows a known deficit."""
    deficit = (Tag("known", "known deficit"),)
    if finding is None:
        return deficit if known else ()
    known = (known or is_deficit(finding)) and finding.state is not FindingState.FIXED
    return (_state(finding, now), *(deficit if known else ()))


def _state(finding: Finding, now: datetime) -> Tag:
    since = f"first seen on {day(finding.first)}, {plural(finding.nights, 'night')} so far"
    tonight = finding.since is not None and finding.since >= now
    match finding.state:
        case FindingState.UNCONFIRMED:
            return Tag("unconfirmed", "unconfirmed", "waits for another night or a rerun to confirm it")
        case FindingState.OPEN if finding.nights <= 1:
            return Tag("new", "new tonight")
        case FindingState.OPEN:
            return Tag("new", "confirmed tonight", since) if tonight else Tag("open", _open_for(finding), since)
        case FindingState.ACKNOWLEDGED:
            return Tag("acknowledged", f"acknowledged{_leave(finding)}", _why(finding) or since)
        case FindingState.REOPENED:
            when = " tonight" if tonight else f" on {day(finding.since)}" if finding.since else ""
            return Tag("reopened", f"reopened{when}", since)
        case FindingState.FIXED:
            return Tag("fixed", "fixed tonight", since)


def _open_for(finding: Finding) -> str:
    return f"open for {plural(finding.nights, 'night')}"


def _leave(finding: Finding) -> str:
    leave = finding.acknowledgement
    return f" until {day(leave.until)} by {person(leave.who)}" if leave else ""


def _why(finding: Finding) -> str:
    return finding.acknowledgement.why if finding.acknowledgement else ""


def person(who: str) -> str:
    """Return the name of a git identity without its address."""
    return who.split("<", 1)[0].strip() or who


def forecast_sentence(forecast: Forecast, today: date) -> str:
    """Say when a drift will cross a level: `will cross design about 12 Dec, between 3 Dec and 8 Jan`."""
    when, earliest = short_day(forecast.when, today), short_day(forecast.earliest, today)
    about = f"will cross {forecast.level.value.replace('-', ' ')} about {when}"
    if forecast.latest is None:
        return f"{about}, not before {earliest} and perhaps never"
    return f"{about}, between {earliest} and {short_day(forecast.latest, today)}"
