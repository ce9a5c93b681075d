"""What a report is made from: one finished night as frozen values, put together by whoever ran it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

    from qa.baselines.ledger import Entry
    from qa.checks import CheckOutcome
    from qa.judging.judged import Finding, Incident, Shift
    from qa.metrics.base import MetricDefinition
    from qa.model import Comparison, HistoryPoint, Plan, Scope, StepOutcome


class RunStatus(StrEnum):
    """Whether a camera came through the night; what it measured is judged apart from this."""

    RAN = "ran"
    FAILED = "failed"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Picture:
    """Arrays of one coadd picture: an `.npz` with `image`, `pixel_scale`, `x`, `y`, `extended`, `ra`, `dec`."""

    band: str
    path: Path


@dataclass(frozen=True, slots=True)
class CameraNight:
    """One camera of the registry and how its night went.

    `lease` is the state's name (`sponsored`, `lapsing`, `orphaned`, `retired`, `proposed`; `unknown` where the
    registry cannot say). `reason` says why a camera failed or was not run. `last_coadd` is when it was last measured on
    coadds, tonight included; a service has none (`coadds` is False).
    """

    name: str
    title: str
    package: str
    team: str | None = None
    contact: str | None = None
    lease: str = "sponsored"
    lease_until: date | None = None
    status: RunStatus = RunStatus.RAN
    reason: str = ""
    steps: tuple[StepOutcome, ...] = ()
    caveats: tuple[str, ...] = ()
    last_coadd: datetime | None = None
    coadds: bool = True
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Night:
    """One finished run.

    `history` holds each series oldest first, tonight's point included. `previous_cameras` are the names that ran in the
    night before, `previous_datasets` their data sets: one of them absent tonight is COVERAGE SHRANK. `exit_code` is the
    run's, as the design numbers them. `shifts`, `incidents` and `findings` are what was judged beyond single
    comparisons; `earlier` are incidents of nights before that findings still belong to; `ledger` is every decision
    about baselines, oldest first. `checks` are those of the commit lane.
    """

    plan: Plan
    started: datetime
    finished: datetime
    cameras: tuple[CameraNight, ...]
    comparisons: tuple[Comparison, ...]
    definitions: Mapping[str, MetricDefinition]
    exit_code: int
    history: Mapping[tuple[str, Scope], tuple[HistoryPoint, ...]] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    previous_cameras: tuple[str, ...] = ()
    previous_datasets: tuple[tuple[str, str], ...] = ()
    shifts: tuple[Shift, ...] = ()
    incidents: tuple[Incident, ...] = ()
    findings: tuple[Finding, ...] = ()
    earlier: tuple[Incident, ...] = ()
    ledger: tuple[Entry, ...] = ()
    checks: tuple[CheckOutcome, ...] = ()

    @property
    def of_commit(self) -> bool:
        """Tell whether a commit asked for it: it then says nothing of cameras that the commit does not concern."""
        return self.plan.trigger.kind == "commit"

    @property
    def imported(self) -> bool:
        """Tell whether another pipeline measured it, so that obsqa only judged."""
        return self.plan.lane.value == "imported"
