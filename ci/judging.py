"""Judging a night: history, comparison, validity, confirmation, incidents, findings, exit code.

Each stage takes what the one before made. What is not the night itself may fail without losing it: a history, a ledger,
an earlier run or acknowledgements that cannot be read cost a warning.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ci import extras
from ci.comparing import compare_measured
from ci.confirm import rerun
from obs_registry.lease import state_of
from qa.errors import DocumentError
from qa.journal import read_record, runs_under
from qa.judging.confirmation import as_noise, unrepeated
from qa.judging.findings import OUTAGE, advance, excuse, in_incidents, outage, standing_shifts
from qa.judging.judged import FindingState
from qa.judging.validity import Validity, discount, gate, outages
from qa.judging.verdict import ExitCode, verdict
from qa.metrics import catalogue
from qa.model import Lane, Measurement, Stage, Status
from qa.planning.findings import unmeasured
from qa.record import Judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ci.lanes import Context
    from qa.judging.findings import Key
    from qa.judging.judged import Finding, Shift
    from qa.model import Comparison, Result, Step
    from qa.record import RunRecord

PROCESSED = frozenset({Lane.COMMIT, Lane.NIGHTLY})
"""The lanes whose data sets can be processed a second time."""

VISITS = ("visit_summary",)
"""What metrics of single visits read: the number they rest on tells how many exposures there were."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a run was judged to be, and the exit code that follows."""

    judged: Judged
    exit_code: ExitCode


@dataclass(frozen=True, slots=True)
class _Night:
    """A run while it is judged."""

    context: Context
    folder: Path
    record: RunRecord
    earlier: Sequence[RunRecord] = field(default_factory=tuple)

    @property
    def before(self) -> tuple[Finding, ...]:
        """The findings of the run before this one."""
        return self.earlier[0].findings if self.earlier else ()


def judge(context: Context, folder: Path, record: RunRecord, *, process: bool = False) -> Judgement:
    """Judge a run; with `process`, cameras that ask for it are processed a second time before they fail."""
    night = _Night(context, folder, record, tuple(_earlier(context, folder, record)))
    shifts = extras.shifts(context, record)
    told = (*standing_shifts(night.before), *shifts)
    comparisons, unjudged = compare_measured(context, record, record.measured.values(), told)
    validities = _validities(night, comparisons, unjudged)
    broken = outages(validities, context.faulty)
    comparisons = discount(comparisons, validities)
    comparisons, again = _confirmed(night, comparisons, told, process=process)
    valid = _valid(comparisons, validities)
    incidents = extras.incidents(
        context, folder, record, valid, shifts=_valid_shifts(shifts, valid), again=again.results
    )
    findings = _findings(night, again.without_noise(valid), told, broken=broken)
    findings = in_incidents(findings, incidents, record.plan.created)
    comparisons = excuse(comparisons, findings)
    judged = Judged(comparisons, unjudged, shifts, incidents, findings)
    return Judgement(judged, _exit_code(night, comparisons, broken, findings))


def _earlier(context: Context, folder: Path, record: RunRecord) -> Iterator[RunRecord]:
    """Yield the judged runs of the lane before this one, latest first, until each camera's last whole one is there."""
    wanted = set(record.plan.cameras)
    for run in reversed([run for run in runs_under(folder.parent) if run.name < folder.name]):
        try:
            one = read_record(run)
        except DocumentError as error:
            context.console.say(f"warning: {error}")
            continue
        if one.exit_code is None or one.plan.lane is not record.plan.lane:
            continue
        yield one
        wanted -= _whole(one)
        if not wanted:
            return


def _whole(record: RunRecord) -> set[str]:
    """Return the cameras that came through a run."""
    out = {one.scope.camera for one in record.findings if one.kind == OUTAGE and one.state is not FindingState.FIXED}
    return {one.scope.camera for one in record.comparisons if isinstance(one.result, Measurement)} - out


def _validities(
    night: _Night, comparisons: tuple[Comparison, ...], unjudged: Mapping[str, str]
) -> tuple[Validity, ...]:
    record = night.record
    if record.plan.lane is Lane.IMPORTED:
        return ()
    return gate(
        comparisons,
        record.outcomes.values(),
        planned=_to_be_measured(record),
        unjudged=unjudged,
        exposures=_exposures(night),
    )


def _to_be_measured(record: RunRecord) -> tuple[Step, ...]:
    """Return the steps of data sets that were to be measured: of others a commit's checks need no more than images."""
    whole = {(one.camera, one.dataset) for one in record.plan.steps if one.stage is Stage.MEASURE}
    return tuple(one for one in record.plan.steps if (one.camera, one.dataset) in whole)


def _exposures(night: _Night) -> dict[Key, int]:
    """Return the number of exposures that each camera's last whole run of the same data rested on."""
    of_visits = {name for name, one in catalogue().items() if one.reads == VISITS}
    found: dict[Key, int] = {}
    for record in night.earlier:
        whole = _whole(record)
        for one in record.results:
            same = _data(record, one.scope.camera) == _data(night.record, one.scope.camera)
            if isinstance(one, Measurement) and one.metric in of_visits and one.scope.camera in whole and same:
                found.setdefault((one.metric, one.scope), one.n)
    return found


def _data(record: RunRecord, camera: str) -> dict[str, str]:
    return {name: fact for name, fact in record.provenance.items() if name.startswith(f"data {camera}/")}


@dataclass(frozen=True, slots=True)
class _Again:
    """What a second processing gave, and the series that it did not show to be wrong."""

    results: tuple[Result, ...]
    noise: frozenset[Key]

    def without_noise(self, comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
        """Return comparisons as the findings see them: what did not repeat is well."""
        return tuple(
            replace(one, status=Status.PASS) if (one.metric, one.scope) in self.noise else one for one in comparisons
        )


def _confirmed(
    night: _Night, comparisons: tuple[Comparison, ...], shifts: tuple[Shift, ...], *, process: bool
) -> tuple[tuple[Comparison, ...], _Again]:
    """Process what would fail a second time, where its camera asks for that; what did not repeat only warns."""
    asking = {camera.name for camera in night.context.cameras if camera.judging.confirm == "rerun"}
    wanted = {
        (one.scope.camera, one.scope.dataset)
        for one in comparisons
        if one.status is Status.FAIL and one.scope.camera in asking and night.record.plan.lane in PROCESSED
    } & {(step.camera, step.dataset) for step in night.record.plan.steps}
    second = rerun(night.context, night.folder, night.record, wanted=wanted, process=process)
    again, _ = compare_measured(night.context, night.record, second.values(), shifts)
    by_key = {(one.metric, one.scope): one for one in again}
    noisy = {
        (one.metric, one.scope): as_noise(one, by_key[one.metric, one.scope]) for one in unrepeated(comparisons, by_key)
    }
    results = tuple(result for measured in second.values() for result in measured.results)
    return tuple(noisy.get((one.metric, one.scope), one) for one in comparisons), _Again(results, frozenset(noisy))


def _valid(comparisons: Iterable[Comparison], validities: Iterable[Validity]) -> tuple[Comparison, ...]:
    """Return the comparisons of data sets that could be judged: of the others nothing is known."""
    invalid = {(one.camera, one.dataset) for one in validities if not one.valid}
    return tuple(one for one in comparisons if (one.scope.camera, one.scope.dataset) not in invalid)


def _valid_shifts(shifts: Iterable[Shift], valid: Iterable[Comparison]) -> tuple[Shift, ...]:
    judged = {(one.metric, one.scope) for one in valid}
    return tuple(one for one in shifts if (one.metric, one.scope) in judged)


def _findings(
    night: _Night, valid: tuple[Comparison, ...], shifts: tuple[Shift, ...], *, broken: Mapping[str, Validity]
) -> tuple[Finding, ...]:
    """Advance the findings by what could be judged, and by what is wrong besides."""
    context, when = night.context, night.record.plan.created
    resting = {camera.name for camera in context.cameras if not state_of(camera, when.date()).gates}
    down = [outage(one, status=Status.WARN if name in resting else Status.FAIL) for name, one in broken.items()]
    return advance(
        night.before,
        valid,
        when=when,
        shifts=shifts,
        acknowledgements=extras.acknowledgements(context),
        confirm={one.name: one.judging.confirm for one in context.cameras if isinstance(one.judging.confirm, int)},
        more=(
            *down,
            *extras.decided(context, night.record, valid),
            *unmeasured(night.record, context.clock(), out=broken),
        ),
        forecasts=extras.forecasts(context, night.record, valid, shifts),
    )


def _exit_code(
    night: _Night, comparisons: tuple[Comparison, ...], broken: Mapping[str, Validity], findings: Sequence[Finding]
) -> ExitCode:
    context, record = night.context, night.record
    today = record.plan.created.date()
    excused = {
        one.scope.camera for one in findings if one.kind == OUTAGE and one.state is FindingState.ACKNOWLEDGED
    } & set(broken)
    resting = {camera.name for camera in context.cameras if not state_of(camera, today).gates}
    return verdict(
        comparisons,
        tuple(record.outcomes.values()),
        planned=record.plan.steps,
        not_gating=resting | excused,
        invalid=broken,
        checks=record.checks.values(),
    )
