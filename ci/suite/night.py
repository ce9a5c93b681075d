"""The run behind a session of checks: a run folder like any other, whose steps are carried out as checks need them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ci.comparing import compare_measured
from ci.judging import judge
from ci.lanes import fresh_plan, open_planned, run_until
from ci.notify import tell, tell_begun, tell_cut_off, told_when_cut_off
from ci.publish import conclude, report_so_far
from ci.suite.kernel import DATASET
from qa.engines.stages import REPOSITORY
from qa.journal import FILE_NAME, Journal, read_record
from qa.model import Lane, NotRun, Stage, StepStatus, Trigger
from qa.plan import NOT_ASKED
from qa.record import Checked, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ci.lanes import Context
    from ci.suite.frames import Calibrated, Twin
    from obs_registry.model import Camera, Dataset
    from qa.checks import CheckOutcome
    from qa.model import Comparison, Measurement, Plan, Scope, StepOutcome
    from qa.record import RunRecord

    Judged = Mapping[tuple[str, Scope], Comparison]


class NotReachedError(Exception):
    """A step that a check needs did not come through: the message says which, and why."""

    def __init__(self, outcome: StepOutcome) -> None:
        self.outcome = outcome
        super().__init__(f"{outcome.step.stage} failed: {outcome.message}")


class NoTwinError(Exception):
    """A camera has no simulated small data set, whose files the check reads."""

    def __init__(self, camera: str) -> None:
        super().__init__(f"{camera} has no twin among its data sets of the commit lane")


@dataclass(slots=True)
class Night:
    """One run of the commit lane, opened when it is first needed.

    `needs` is the last stage that any check of a camera reads, None for none; `left_out` says why cameras take no part.
    """

    context: Context
    packages: tuple[str, ...]
    fresh: bool
    needs: Mapping[str, Stage | None] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    _folder: Path | None = None
    _failed: dict[str, StepOutcome] = field(default_factory=dict)
    _judged: dict[str, Judged] = field(default_factory=dict)
    _unjudged: dict[str, str] = field(default_factory=dict)
    _twins: dict[str, Twin] = field(default_factory=dict)
    _speeds: dict[str, list[Measurement]] = field(default_factory=dict)

    @property
    def opened(self) -> bool:
        """Tell whether there is a run folder."""
        return self._folder is not None

    @property
    def folder(self) -> Path:
        """The run's folder."""
        if self._folder is None:
            self._folder = open_planned(self.context, self._plan(), fresh=self.fresh)
            tell_begun(self.context, self._folder)
        return self._folder

    def plan_all(self) -> Plan:
        """Plan every stage of every camera that runs."""
        return fresh_plan(self.context, Lane.COMMIT, Trigger("commit", self.packages))

    def _plan(self) -> Plan:
        """Plan the stages that are needed and no others."""
        plan = self.plan_all()
        order, planned = list(Stage), plan.cameras
        last = {name: -1 if need is None else order.index(need) for name, need in self.needs.items()}
        steps = tuple(step for step in plan.steps if order.index(step.stage) <= last.get(step.camera, -1))
        reasons = [NotRun(name, why) for name, why in self.left_out.items() if name in planned]
        told = {one.camera for one in (*plan.not_run, *reasons)} | set(self.needs)
        others = [NotRun(name, NOT_ASKED) for name in planned if name not in told]
        return replace(plan, steps=steps, not_run=(*plan.not_run, *reasons, *others))

    def record(self) -> RunRecord:
        """Return what is known of the run."""
        return read_record(self.folder)

    def reach(self, camera: str, stage: Stage) -> RunRecord:
        """Carry out a camera's steps up to a stage.

        Raises
        ------
        NotReachedError
            If one of them failed, now or for an earlier check.
        """
        if camera in self._failed:  # tried once, and not again for every check
            raise NotReachedError(self._failed[camera])
        record = run_until(self.context, self.folder, camera, last=stage)
        if (failure := record.failure(camera)) is not None:
            self._failed[camera] = failure
            raise NotReachedError(failure)
        return record

    def twin(self, camera: Camera) -> Twin:
        """Return a camera's small twin, drawn."""
        from ci.suite.frames import Twin  # noqa: PLC0415 - what reads pixels is an extra

        if camera.name not in self._twins:
            self.reach(camera.name, Stage.DRAW)
            self._twins[camera.name] = Twin((self._place(camera) / "twin").resolve())
        return self._twins[camera.name]

    def calibrated(self, camera: Camera) -> Calibrated:
        """Return a camera's small twin with master calibrations."""
        from ci.suite.frames import Calibrated  # noqa: PLC0415 - what reads pixels is an extra

        self.reach(camera.name, Stage.CALIBRATIONS)
        return Calibrated(self.twin(camera), self.repository(camera))

    def repository(self, camera: Camera) -> Path:
        """Return the place of the repository of a camera's small twin."""
        return self._place(camera) / REPOSITORY

    def _place(self, camera: Camera) -> Path:
        return self.folder / camera.name / small_twin(camera).name

    def judged(self, camera: str) -> Judged:
        """Return all verdicts on a camera, by metric and scope; it is processed to the end for them."""
        if camera not in self._judged:
            record = self.reach(camera, Stage.MEASURE)
            judged = judge(self.context, self.folder, record).judged
            own = (one for one in judged.comparisons if one.scope.camera == camera)
            self._judged[camera] = {(one.metric, one.scope): one for one in own}
            self._unjudged |= judged.unjudged
        return self._judged[camera]

    def unjudged(self, camera: str) -> str:
        """Return why a camera was not judged, '' where it was."""
        return self._unjudged.get(camera, "")

    def judge_speed(self, speed: Measurement) -> Comparison:
        """Keep a measured speed for the history, and compare it with what was accepted."""
        camera = speed.scope.camera
        self._speeds.setdefault(camera, []).append(speed)
        self._append(Measured(camera, DATASET, tuple(self._speeds[camera])))
        measured = Measured(camera, DATASET, (speed,))
        (found,), _ = compare_measured(self.context, self.record(), [measured])
        return found

    def note(self, outcome: CheckOutcome) -> None:
        """Write down how a check ended."""
        self._append(Checked(outcome))

    def _append(self, event: Measured | Checked) -> None:
        with Journal(self.folder / FILE_NAME, self.context.clock) as journal:
            journal.append(event)

    def finish(self) -> RunRecord:
        """Judge the run, where a camera asks for it by a second processing, and write its report."""
        with told_when_cut_off(self.context, self.folder):
            record = conclude(self.context, self.folder, process=True)
        tell(self.context, self.folder, record)
        return record

    def report_so_far(self) -> None:
        """Write the report of what there is, of a run that can be continued."""
        report_so_far(self.context, self.folder)
        tell_cut_off(self.context, self.folder)

    def caveats(self, camera: str) -> tuple[str, ...]:
        """Return what the steps of a camera had to say."""
        outcomes = (one for one in self.record().outcomes.values() if one.step.camera == camera)
        return tuple(one.message for one in outcomes if one.status is StepStatus.CAVEATS)


def small_twin(camera: Camera) -> Dataset:
    """Return a camera's simulated data set of the commit lane.

    Raises
    ------
    NoTwinError
        If it has none.
    """
    for dataset in camera.datasets:
        if dataset.kind == "twin" and dataset.lane.value == Lane.COMMIT.value:
            return dataset
    raise NoTwinError(camera.name)
