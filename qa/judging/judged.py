"""The frozen values of judgement beyond one comparison: shifts of a series, incidents with their cause, findings.

`qa.changes` makes shifts, `qa.blame` incidents and `qa.judging.findings` findings; nothing here computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003 - pydantic resolves the annotations at run time
from enum import StrEnum

from qa.model import Level, Scope, Status


class ShiftKind(StrEnum):
    """How a series left its level."""

    STEP = "step"
    DRIFT = "drift"
    SPIKE = "spike"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Shift:
    """A change found in the history of one series.

    `began` is the first night of the new state, `found` the night at which the evidence sufficed. `before` and `after`
    are levels in the metric's unit (of a drift: where it began and where it stands), `sigma` their difference in units
    of the series' noise, positive when worse, `chance` the probability of a false report as large as this over the
    whole night's budget, `slope` a drift's change a day in the metric's unit.
    """

    metric: str
    scope: Scope
    kind: ShiftKind
    began: datetime
    found: datetime
    before: float
    after: float
    sigma: float
    chance: float
    slope: float | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a drift will cross the next requirement level, with the 68 % interval of that day.

    `latest` is None where the drift may as well never cross it.
    """

    level: Level
    when: date
    earliest: date
    latest: date | None


class Cause(StrEnum):
    """What is to blame: the stack's algorithms unless the evidence says otherwise."""

    ALGORITHM = "algorithm"
    CAMERA = "camera"
    DATA = "data"
    ENVIRONMENT = "environment"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation, what it favours, and how strongly: `weight` in natural-log odds, negative when against."""

    favours: Cause
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Everything that one cause moved in one night, and the evidence for that cause.

    `members` are the metrics and scopes that moved, `changed` the facts of provenance that differ from the last good
    run and come into question, `odds` the log odds of each cause, `headline` one sentence.
    """

    id: str
    cause: Cause
    members: tuple[tuple[str, Scope], ...]
    changed: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    odds: dict[Cause, float]
    headline: str
    last_good: str | None = None

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras it moved, in the order of the members."""
        return tuple(dict.fromkeys(scope.camera for _, scope in self.members))


class FindingState(StrEnum):
    """Where a finding stands. UNCONFIRMED: seen, and waiting for another night or a rerun."""

    UNCONFIRMED = "unconfirmed"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    FIXED = "fixed"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows of a finding and lets it stand until a day."""

    finding: str
    who: str
    when: datetime
    until: date
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one series over the nights: what, since when, how often, and who knows of it.

    `id` is the same every night. `known` is a deficit or change that tonight did not bring. `incident` is the incident
    of the night that opened it. `since` is the night at which it took its present state (of a fixed one: the night that
    found it mended), `shift` what the history said when it opened. `status` (before anybody's leave) and `sigma` say
    how bad it was when last seen, or, of an acknowledged one, when it was acknowledged.
    """

    id: str
    metric: str
    scope: Scope
    kind: str
    state: FindingState
    first: datetime
    last: datetime
    nights: int
    reason: str
    known: bool = False
    incident: str | None = None
    acknowledgement: Acknowledgement | None = None
    forecast: Forecast | None = None
    since: datetime | None = None
    status: Status = Status.WARN
    sigma: float | None = None
    shift: Shift | None = None
