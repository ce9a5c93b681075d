"""The frozen values that travel along registry -> plan -> run -> measure -> judge -> report.

Nothing here does I/O; `qa.documents` writes and reads these values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003 - pydantic resolves the annotations at run time
from enum import StrEnum


class Lane(StrEnum):
    """How much time a run may take: minutes for a commit, hours for a night."""

    COMMIT = "commit"
    NIGHTLY = "nightly"
    RAWS = "raws"  # a user's own data
    IMPORTED = "imported"  # measured elsewhere, read from a file


class Stage(StrEnum):
    """One step of a camera's way through a run, in the order of execution."""

    DRAW = "draw"
    INGEST = "ingest"
    CALIBRATIONS = "calibrations"
    PROCESS = "process"
    MEASURE = "measure"


class StepStatus(StrEnum):
    """How a step ended."""

    DONE = "done"
    CAVEATS = "done-with-caveats"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of one data set of one camera."""

    camera: str
    dataset: str
    stage: Stage

    @property
    def key(self) -> str:
        """Name of the step, unique within a plan."""
        return f"{self.camera}/{self.dataset}/{self.stage}"


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """How a step went. CPU time in seconds, peak memory in MiB (0 when unknown)."""

    step: Step
    status: StepStatus
    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    message: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class NotRun:
    """A camera that takes no part in a plan, and why."""

    camera: str
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A data set that takes no part in a plan although its camera may, and why."""

    camera: str
    dataset: str
    reason: str


@dataclass(frozen=True, slots=True)
class Promise:
    """That a sponsored camera is measured on coadds within a week, as it stands when a night is planned.

    Of a service, which has none (`coadds` is False), that its suites run to their end.

    `last` is when it was last measured (None: never) and `due` when it must be again. `hours` is how much of a night
    it is estimated to take. `kept` says that it is not broken and, as far as can be foreseen, will not be; `reason`
    why it is, or will be.
    """

    camera: str
    last: datetime | None
    due: datetime | None
    hours: float
    tonight: bool
    kept: bool
    reason: str = ""
    coadds: bool = True


@dataclass(frozen=True, slots=True)
class Trigger:
    """What asked for a run: `manual`, `cron`, `jenkins` or `commit`, and the packages that changed."""

    kind: str = "manual"
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do, camera by camera, costliest first.

    `parent` is the run that this one repeats with another configuration, '' if there is none. `calibrations_as_of` is
    the day whose calibrations it uses, None for those of today. `promises` say how each sponsored camera stands, and
    `budget_hours` how long the night may be, None for as long as it takes.
    """

    run_id: str
    lane: Lane
    trigger: Trigger
    created: datetime
    steps: tuple[Step, ...]
    not_run: tuple[NotRun, ...] = ()
    parent: str = ""
    calibrations_as_of: date | None = None
    left_out: tuple[LeftOut, ...] = ()
    promises: tuple[Promise, ...] = ()
    budget_hours: float | None = None

    @property
    def cameras(self) -> tuple[str, ...]:
        """The planned cameras, in the order of the plan."""
        return tuple(dict.fromkeys(step.camera for step in self.steps))


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """What a metric was measured on. `task` is set for resource metrics only."""

    camera: str
    dataset: str
    band: str | None = None
    tract: int | None = None
    task: str | None = None

    def __str__(self) -> str:
        """Render as `camera/dataset/band/tract/task`, absent parts left out."""
        parts = (self.camera, self.dataset, self.band, None if self.tract is None else f"t{self.tract}", self.task)
        return "/".join(part for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A metric's value with its unit, the number of things it rests on and its standard error.

    `stderr` is None where no error can be given (a count, a time).
    """

    metric: str
    scope: Scope
    value: float
    unit: str
    n: int
    stderr: float | None = None

    def __post_init__(self) -> None:
        """Refuse NaN, infinity and negative errors: what could not be measured is `Unmeasured`."""
        if not math.isfinite(self.value) or (self.stderr is not None and not math.isfinite(self.stderr)):
            msg = f"{self.metric} of {self.scope}: value and stderr must be finite, got {self.value} +- {self.stderr}"
            raise ValueError(msg)
        if self.stderr is not None and self.stderr < 0:
            msg = f"{self.metric} of {self.scope}: stderr must not be negative, got {self.stderr}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A metric that was expected and could not be measured, and why."""

    metric: str
    scope: Scope
    reason: str


Result = Measurement | Unmeasured


class Change(StrEnum):
    """First half of a verdict: against the accepted baseline."""

    NEW = "new"
    STEADY = "steady"
    IMPROVED = "improved"
    DRIFT = "drift"
    STEP = "step"
    MISSING = "missing"


class Level(StrEnum):
    """Second half of a verdict: the requirement level reached."""

    BELOW_MINIMUM = "below-minimum"
    MINIMUM = "minimum"
    DESIGN = "design"
    STRETCH = "stretch"
    NOT_APPLICABLE = "not-applicable"


class Status(StrEnum):
    """What a verdict means for the exit code: only FAIL fails."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Ladder:
    """A requirement's three targets in the metric's unit, with where they are written.

    `only` says that there is but one target, which stands for all three, and of which level it is: what misses it is
    taken to be one level lower, and nothing reaches a higher one.
    """

    metric: str
    band: str | None
    unit: str
    operator: str
    minimum: float
    design: float
    stretch: float
    citation: str
    only: Level | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """An accepted value of one metric: what tonight is compared with.

    `learned` says that the tolerance was learned from repeated runs, so that a tolerance of zero means bit-identical,
    and `processor` on what kind of processor the value was made, '' where that is not known.
    """

    metric: str
    scope: Scope
    value: float
    unit: str
    stderr: float | None
    tolerance: float
    run: str
    learned: bool = False
    processor: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two-part verdict on one result, with a sentence saying why.

    `sigma` is the change in units of its uncertainty, positive when worse; None without a baseline.
    """

    result: Result
    baseline: Baseline | None
    ladder: Ladder | None
    change: Change
    level: Level
    status: Status
    sigma: float | None
    reason: str

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return self.result.metric

    @property
    def scope(self) -> Scope:
        """What it was measured on."""
        return self.result.scope


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One night's value of a series; `value` is None for a night it was not measured.

    `epoch` names what the values depend on and is known to change (the data set, of resources the host): where it
    changes, the series starts anew and nothing is reported.
    """

    run_id: str
    when: datetime
    value: float | None
    stderr: float | None
    epoch: str = ""
