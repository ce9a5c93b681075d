"""Incidents made ready to be shown: the cause with its probability, the evidence for and against, the members."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from qa.blame.odds import probability
from qa.judging.judged import FindingState
from reports.order import Verdict, verdict_rank
from reports.wording import listing, slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qa.judging.judged import Cause, Evidence, Incident
    from reports.night import Night
    from reports.rows import Row

_MOST_SURE = 0.99


@dataclass(frozen=True, slots=True)
class Weighed:
    """One piece of evidence; `share` is its weight against the heaviest of its incident, 0 to 1."""

    text: str
    word: str
    share: float
    supports: bool


@dataclass(frozen=True, slots=True)
class Members:
    """The metrics of one camera that an incident moved; `lost` are those the night holds no comparison of."""

    title: str
    slug: str | None
    rows: tuple[Row, ...]
    lost: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of metrics and scopes."""
        return len(self.rows) + len(self.lost)


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident: everything that one cause moved, as one item. `earlier` tells that another night began it."""

    incident: Incident
    anchor: str
    verdict: Verdict
    certainty: str
    probability: float
    quiet: bool
    earlier: bool
    groups: tuple[Members, ...]
    evidence: tuple[Weighed, ...]
    changed: tuple[str, ...]
    states: str

    @property
    def count(self) -> int:
        """Number of metrics and scopes it moved."""
        return sum(one.count for one in self.groups)

    @property
    def headline(self) -> str:
        """Its sentence without the full stop."""
        return self.incident.headline.strip().rstrip(".")


def incident_views(night: Night, rows: Sequence[Row]) -> tuple[IncidentView, ...]:
    """Make the incidents of a night ready, worst first; earlier ones where findings of theirs still stand."""
    views = [_view(one, rows, night, earlier=False) for one in night.incidents]
    known = {one.id for one in night.incidents}
    views += [_view(one, rows, night, earlier=True) for one in night.earlier if one.id not in known]
    shown = [one for one in views if not one.earlier or any(group.rows for group in one.groups)]
    return tuple(sorted(shown, key=lambda one: (one.quiet, verdict_rank(one.verdict), -one.count, one.incident.id)))


def _view(incident: Incident, rows: Sequence[Row], night: Night, *, earlier: bool) -> IncidentView:
    own = tuple(row for row in rows if row.standing.incident is not None and row.standing.incident.id == incident.id)
    if earlier:
        own = tuple(row for row in own if row.verdict in {Verdict.FAIL, Verdict.WARN})
    # An incident that was found otherwise than by weighing has no odds, and its cause is certain.
    chance = probability(incident.odds, incident.cause) if incident.cause in incident.odds else 1.0
    verdict = min((row.verdict for row in own), key=verdict_rank, default=Verdict.WARN)
    return IncidentView(
        incident=incident,
        anchor=slug(f"incident-{incident.id}"),
        verdict=verdict if verdict in {Verdict.FAIL, Verdict.WARN} else Verdict.WARN,
        certainty=certainty(chance),
        probability=chance,
        quiet=bool(own) and all(row.standing.quiet for row in own),
        earlier=earlier,
        groups=_groups(incident, own, night, earlier=earlier),
        evidence=weighed(incident.evidence, incident.cause),
        changed=incident.changed,
        states=_states(own),
    )


def _groups(incident: Incident, rows: Iterable[Row], night: Night, *, earlier: bool) -> tuple[Members, ...]:
    found = {(row.comparison.metric, row.comparison.scope): row for row in rows}
    titles = {camera.name: camera.title for camera in night.cameras}
    keys = sorted(found if earlier else incident.members, key=lambda key: incident.cameras.index(key[1].camera))
    groups = []
    for camera, group in groupby(keys, lambda key: key[1].camera):
        members = list(group)
        shown = tuple(
            sorted((found[key] for key in members if key in found), key=lambda row: verdict_rank(row.verdict))
        )
        lost = tuple(f"{metric} ({scope})" for metric, scope in members if (metric, scope) not in found)
        link = slug(camera) if camera in titles else None
        groups.append(Members(titles.get(camera, camera), link, shown, lost))
    return tuple(groups)


def certainty(chance: float) -> str:
    """Write a probability in per cent, never as a certainty."""
    if chance > _MOST_SURE:
        return "over 99\u202f%"
    return f"{max(1, round(100 * chance))}\u202f%"


def weighed(evidence: Sequence[Evidence], cause: Cause) -> tuple[Weighed, ...]:
    """Weigh the evidence for and against a cause, heaviest first."""
    heaviest = max((abs(one.weight) for one in evidence), default=0.0) or 1.0
    found = [_weighed(one, cause, heaviest) for one in sorted(evidence, key=lambda one: -abs(one.weight))]
    return tuple(sorted(found, key=lambda one: not one.supports))


def _weighed(one: Evidence, cause: Cause, heaviest: float) -> Weighed:
    word = f"{'for' if one.weight >= 0 else 'against'} {one.favours.value}"
    supports = (one.favours is cause) == (one.weight >= 0)
    return Weighed(one.text, word, abs(one.weight) / heaviest, supports)


def _states(rows: Sequence[Row]) -> str:
    """Sum up the states of an incident's findings where they are not all new tonight: `3 open, 1 acknowledged`."""
    counts: dict[str, int] = {}
    for row in rows:
        finding = row.standing.finding
        if finding is not None:
            word = "new" if finding.state is FindingState.OPEN and finding.nights <= 1 else finding.state.value
            counts[word] = counts.get(word, 0) + 1
    if set(counts) <= {"new"}:
        return ""
    return listing([f"{count} {word}" for word, count in counts.items()])
