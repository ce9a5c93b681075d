"""What is known of a run: the events of its journal and their sum. Pure; `qa.journal` does the I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003 - pydantic resolves the annotations at run time
from typing import TYPE_CHECKING, Literal

from qa.checks import CheckOutcome  # noqa: TC001 - pydantic resolves the annotations at run time
from qa.foreign.model import Definition, Source  # noqa: TC001 - pydantic resolves the annotations at run time
from qa.judging.judged import Finding, Incident, Shift  # noqa: TC001 - pydantic resolves the annotations at run time
from qa.model import Comparison, Ladder, Lane, Plan, Result, Stage, Step, StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began, with its plan and the state of the world it ran in."""

    plan: Plan
    provenance: dict[str, str]
    event: Literal["run-started"] = "run-started"


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began (again)."""

    step: Step
    event: Literal["step-started"] = "step-started"


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended, well or not."""

    outcome: StepOutcome
    event: Literal["step-finished"] = "step-finished"


@dataclass(frozen=True, slots=True)
class Measured:
    """A data set of a camera was measured; `caveats` say what was left out.

    `definitions` are those of metrics that somebody else's pipeline measured.
    """

    camera: str
    dataset: str
    results: tuple[Result, ...]
    caveats: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    event: Literal["measured"] = "measured"


@dataclass(frozen=True, slots=True)
class Judged:
    """The run's results were compared with baselines and requirements; `unjudged` has the reason by camera."""

    comparisons: tuple[Comparison, ...]
    unjudged: dict[str, str] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    incidents: tuple[Incident, ...] = ()
    findings: tuple[Finding, ...] = ()
    event: Literal["judged"] = "judged"


@dataclass(frozen=True, slots=True)
class Imported:
    """The results come from files written elsewhere: which, what their metrics say, and what they ask of them."""

    sources: tuple[Source, ...]
    definitions: tuple[Definition, ...]
    ladders: tuple[Ladder, ...] = ()
    event: Literal["imported"] = "imported"


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of the commit lane ended (again)."""

    outcome: CheckOutcome
    event: Literal["checked"] = "checked"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run ended with this exit code."""

    exit_code: int
    event: Literal["run-finished"] = "run-finished"


Event = RunStarted | StepStarted | StepFinished | Measured | Imported | Checked | Judged | RunFinished


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and when it was written."""

    when: datetime
    body: Event


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The sum of a run's events: the latest of each kind counts."""

    plan: Plan
    provenance: dict[str, str]
    started: datetime
    finished: datetime | None = None
    exit_code: int | None = None
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    measured: dict[tuple[str, str], Measured] = field(default_factory=dict)
    measured_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    unjudged: dict[str, str] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    incidents: tuple[Incident, ...] = ()
    findings: tuple[Finding, ...] = ()
    imported: Imported | None = None
    checks: dict[str, CheckOutcome] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return self.plan.run_id

    @property
    def results(self) -> tuple[Result, ...]:
        """All results, in the order of the plan, and then those of what is in no plan: the speeds of a commit."""
        order = dict.fromkeys([*((step.camera, step.dataset) for step in self.plan.steps), *self.measured])
        return tuple(result for key in order if key in self.measured for result in self.measured[key].results)

    def is_done(self, step: Step) -> bool:
        """Tell whether a step ended well."""
        outcome = self.outcomes.get(step.key)
        return outcome is not None and outcome.status is not StepStatus.FAILED

    def failure(self, camera: str) -> StepOutcome | None:
        """Return the step in which a camera failed, if it did."""
        failed = (self.outcomes.get(step.key) for step in self.plan.steps if step.camera == camera)
        return next((one for one in failed if one is not None and one.status is StepStatus.FAILED), None)

    def completed(self, camera: str) -> bool:
        """Tell whether all of a camera's steps ended well."""
        return all(self.is_done(step) for step in self.plan.steps if step.camera == camera)

    def coadds_measured(self, camera: str) -> datetime | None:
        """Return when a camera was measured on coadds in this run, if it was; numbers from elsewhere do not count."""
        if self.plan.lane is Lane.IMPORTED:
            return None
        steps = [step for step in self.plan.steps if step.camera == camera and step.stage is Stage.MEASURE]
        keys = [(step.camera, step.dataset) for step in steps]
        times = [self.measured_at[key] for key in keys if key in self.measured_at and _on_a_tract(self.measured[key])]
        return max(times) if times and self.completed(camera) else None


def _on_a_tract(measured: Measured) -> bool:
    """Tell whether there are results of a tract: what others measure may be of single visits, or of no images."""
    return any(result.scope.tract is not None for result in measured.results)


def replay(entries: Iterable[Entry]) -> RunRecord | None:
    """Sum the events of a journal; None when it holds no start."""
    record: RunRecord | None = None
    for entry in entries:
        record = _apply(record, entry)
    return record


def _apply(record: RunRecord | None, entry: Entry) -> RunRecord | None:
    body = entry.body
    if isinstance(body, RunStarted):
        return RunRecord(body.plan, body.provenance, entry.when) if record is None else record
    return record and _add(record, entry)


def _add(record: RunRecord, entry: Entry) -> RunRecord:
    news: dict[str, object] = {}
    match entry.body:
        case StepStarted(step):
            news = {"outcomes": {k: v for k, v in record.outcomes.items() if k != step.key}}
        case StepFinished(outcome):
            news = {"outcomes": {**record.outcomes, outcome.step.key: outcome}}
        case Measured(camera, dataset) as body:
            key = (camera, dataset)
            news = {
                "measured": {**record.measured, key: body},
                "measured_at": {**record.measured_at, key: entry.when},
            }
        case Judged() as judged:
            news = {
                "comparisons": judged.comparisons,
                "unjudged": judged.unjudged,
                "shifts": judged.shifts,
                "incidents": judged.incidents,
                "findings": judged.findings,
            }
        case Imported() as imported:
            news = {"imported": imported}
        case Checked(outcome):
            news = {"checks": {**record.checks, outcome.key: outcome}}
        case RunFinished(exit_code):
            news = {"finished": entry.when, "exit_code": exit_code}
    return replace(record, **news)  # type: ignore[arg-type]  # each under the name of its field
