"""What a night leaves to do: incidents first, then findings on their own, then what is known, fixed or never judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.judging.judged import FindingState
from reports.incidents import incident_views
from reports.order import Verdict, verdict_rank
from reports.states import APART, OUTAGE, began, forecast_sentence, is_over, is_quiet, tags
from reports.wording import slug, where

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from qa.judging.judged import Finding
    from qa.model import Scope
    from reports.incidents import IncidentView
    from reports.night import Night
    from reports.rows import Row
    from reports.states import Tag

    Key = tuple[str, Scope]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding about no value of tonight: an outage, an expired acceptance or waiver, a series that is gone.

    `folded` is the number of metrics that an outage makes unfit to judge.
    """

    finding: Finding
    title: str
    camera_slug: str | None
    tags: tuple[Tag, ...]
    forecast: str
    folded: int = 0

    @property
    def verdict(self) -> Verdict:
        """What it means for its camera, once fixed nothing."""
        return Verdict.PASS if self.finding.state is FindingState.FIXED else Verdict(self.finding.status.value)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that stands open after a night, in the order in which it is shown.

    `loose` are the findings that belong to no incident, `quiet` those that somebody knows of, `fixed` those that
    tonight found mended, `told` those without a comparison.
    """

    incidents: tuple[IncidentView, ...] = ()
    loose: tuple[Row, ...] = ()
    quiet: tuple[Row, ...] = ()
    fixed: tuple[Row, ...] = ()
    told: tuple[Told, ...] = ()

    @property
    def hushed(self) -> tuple[IncidentView, ...]:
        """The incidents of which all members are known."""
        return tuple(one for one in self.incidents if one.quiet)

    @property
    def loud(self) -> tuple[IncidentView, ...]:
        """The incidents that want somebody's attention."""
        return tuple(one for one in self.incidents if not one.quiet)


NOTHING_STANDS = Standing()


def standing_of(night: Night, rows: Sequence[Row]) -> Standing:
    """Sort what a night found by what it asks of a reader."""
    incidents = incident_views(night, rows)
    grouped = {one.incident.id for one in incidents}
    out = {one.scope.camera for one in night.findings if one.kind == OUTAGE and one.state is not FindingState.FIXED}
    found = [row for row in rows if row.verdict in {Verdict.FAIL, Verdict.WARN}]
    folded = Counter(row.comparison.scope.camera for row in found if _folded(row, out))
    alone = sorted((row for row in found if not _folded(row, out) and not _grouped(row, grouped)), key=_urgency)
    return Standing(
        incidents=incidents,
        loose=tuple(row for row in alone if not row.standing.quiet),
        quiet=tuple(row for row in alone if row.standing.quiet),
        fixed=tuple(row for row in rows if _fixed(row)),
        told=tuple(_told(night, {_key(row) for row in rows}, folded)),
    )


def _folded(row: Row, out: Collection[str]) -> bool:
    """Tell whether the outage of a row's camera speaks for it."""
    return row.comparison.scope.camera in out and row.standing.finding is None


def _key(row: Row) -> Key:
    return row.comparison.metric, row.comparison.scope


def _grouped(row: Row, incidents: Collection[str]) -> bool:
    return row.standing.incident is not None and row.standing.incident.id in incidents


def _urgency(row: Row) -> tuple[int, int]:
    """Put what tonight brought before what stands for longer, within one verdict."""
    state = row.standing.finding.state if row.standing.finding else FindingState.OPEN
    new = state is FindingState.REOPENED or row.standing.finding is None or row.standing.finding.nights <= 1
    return verdict_rank(row.verdict), 0 if new and state is not FindingState.UNCONFIRMED else 1


def _fixed(row: Row) -> bool:
    if row.verdict in {Verdict.FAIL, Verdict.WARN}:
        return False
    return row.standing.finding is not None and row.standing.finding.state is FindingState.FIXED


def _told(night: Night, compared: Collection[Key], folded: Mapping[str, int]) -> Iterator[Told]:
    """Yield the findings about no value of tonight, those that somebody knows of last."""
    titles = {camera.name: camera.title for camera in night.cameras}
    for one in sorted(night.findings, key=lambda one: (is_quiet(one), one.kind != OUTAGE, one.id)):
        apart = one.kind in APART or (one.metric, one.scope) not in compared
        if not apart or is_over(one, night):
            continue
        camera = one.scope.camera
        name = "" if one.kind == OUTAGE else one.metric.replace("_", " ")
        place = where(one.scope) if one.scope.band or one.scope.task else ""
        yield Told(
            finding=one,
            title=" \u00b7 ".join(part for part in (titles.get(camera, camera), name or one.kind, place) if part),
            camera_slug=slug(camera) if camera in titles else None,
            tags=tags(one, known=False, now=began(night)),
            forecast=f"It {forecast_sentence(one.forecast, night.finished.date())}." if one.forecast else "",
            folded=folded.get(camera, 0) if one.kind == OUTAGE else 0,
        )
