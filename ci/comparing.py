"""The first stage of judging: every measured data set against its baselines, its requirements and its history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from obs_registry.lease import state_of
from obs_registry.model import Stored, Suite
from qa import baselines
from qa.errors import DocumentError, RequestError
from qa.foreign.definitions import ImportedTargets, definitions
from qa.journal import FILE_NAME, read_record
from qa.judging.compare import compare_all
from qa.judging.manifest import expected
from qa.judging.policy import Policy
from qa.model import Baseline, Level
from qa.record import Imported
from qa.requirements import load
from qa.requirements.cameras import waivers_of
from qa.suites.targets import SuiteTargets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from ci.lanes import Context
    from obs_registry.model import Camera, Dataset
    from qa.judging.compare import Accepted
    from qa.judging.judged import Shift
    from qa.model import Comparison, Result
    from qa.record import Measured, RunRecord

PROCESSOR = ("machine", "cpu")
"""The facts on which the last bits of a result depend; a baseline's line keeps them as its `processor`."""


def compare_measured(
    context: Context, record: RunRecord, measured: Iterable[Measured], shifts: tuple[Shift, ...] = ()
) -> tuple[tuple[Comparison, ...], dict[str, str]]:
    """Compare data sets, and say by camera why one could not be.

    A camera whose baselines cannot be read is not judged, which leaves the night incomplete; the others are. One that
    is gone from the registry is left out: the report says so.
    """
    comparisons: list[Comparison] = []
    unjudged: dict[str, str] = {}
    cameras = {camera.name: camera for camera in context.cameras}
    for one in measured:
        own = tuple(shift for shift in shifts if (shift.scope.camera, shift.scope.dataset) == (one.camera, one.dataset))
        try:
            if record.imported is not None:
                comparisons += _compare_imported(context, record, cameras.get(one.camera), one, own)
            elif one.camera in cameras:
                comparisons += _compare_dataset(context, record, cameras[one.camera], one, own)
        except RequestError as error:
            unjudged[one.camera] = str(error)
            context.console.say(f"{one.camera} is not judged: {error}")
    return tuple(comparisons), unjudged


def policy_of(camera: Camera, today: date) -> Policy:
    """Return what a camera's results answer to on a day."""
    return Policy(
        requirements=load(camera.requirements.profile),
        gate=Level(camera.requirements.gate),
        gating=state_of(camera, today).gates,
        waivers=waivers_of(camera.requirements),
        today=today,
    )


def _policy_for(camera: Camera, dataset: Dataset | None, today: date, measured: Iterable[Result]) -> Policy:
    """Return what the results of a data set answer to; others' pipelines have names of their own for metrics."""
    policy = policy_of(camera, today)
    if isinstance(dataset, Suite):
        return replace(policy, requirements=SuiteTargets(camera.name, dataset, measured))
    if not isinstance(dataset, Stored) or policy.requirements is None:
        return policy
    return replace(policy, requirements=ImportedTargets(policy.requirements, Imported((), ())))


def _compare_dataset(
    context: Context, record: RunRecord, camera: Camera, measured: Measured, shifts: tuple[Shift, ...]
) -> tuple[Comparison, ...]:
    known = definitions(record)
    dataset = next((one for one in camera.datasets if one.name == measured.dataset), None)
    accepted = baselines.load(context.settings.regression_data, camera.name, measured.dataset)
    alike = runs_alike(context.settings.runs, accepted.values(), record)
    reported = {(one.metric, one.scope) for one in measured.results}
    policy = _policy_for(camera, dataset, record.plan.created.date(), measured.results)
    return compare_all(
        measured.results,
        expected(camera.name, dataset, known) if dataset else (),
        accepted if dataset else {key: one for key, one in accepted.items() if key in reported},
        definitions=known,
        policy=replace(policy, same_processor=alike),
        shifts=shifts,
    )


def _compare_imported(
    context: Context, record: RunRecord, camera: Camera | None, measured: Measured, shifts: tuple[Shift, ...]
) -> tuple[Comparison, ...]:
    """Compare a data set that was measured elsewhere: in the bands at hand, all that was once accepted is expected.

    A camera that the registry does not know answers to the minimum of the default requirements.
    """
    today = record.plan.created.date()
    policy = policy_of(camera, today) if camera else Policy(load(), today=today)
    asked = load(camera.requirements.profile) if camera else load()
    if record.imported is not None:
        # Whoever has a file judged wants to know, whether or not its camera had a sponsor at the file's date.
        policy = replace(policy, requirements=ImportedTargets(asked, record.imported), gating=True)
    here = {(one.scope.band, one.scope.tract) for one in measured.results}
    accepted = baselines.load(context.settings.regression_data, measured.camera, measured.dataset)
    return compare_all(
        measured.results,
        (),
        {key: one for key, one in accepted.items() if (key[1].band, key[1].tract) in here},
        definitions=definitions(record),
        policy=policy,
        shifts=shifts,
    )


def processor_of(facts: Mapping[str, str]) -> str:
    """Name the kind of processor that facts tell of, '' where they do not tell all of it."""
    named = [facts.get(fact, "") for fact in PROCESSOR]
    return ", ".join(named) if all(named) else ""


def runs_alike(runs: Path, accepted: Iterable[Accepted], record: RunRecord) -> frozenset[str]:
    """Return the runs of learned baselines that are known to have been made on a processor like that of a run.

    Baselines tell it themselves; of those written before they did, the folder of their run may.
    """
    here = processor_of(record.provenance)
    learned = {(one.run, one.processor) for one in accepted if isinstance(one, Baseline) and one.learned}
    return frozenset(
        run for run, processor in learned if (processor == here if processor else on_the_same(runs / run, record))
    )


def on_the_same(folder: Path, record: RunRecord) -> bool:
    """Tell whether a run is known, and known to have been made on a processor like that of another."""
    if not (folder / FILE_NAME).is_file():
        return False
    try:
        then = read_record(folder).provenance
    except DocumentError:
        return False
    return all(fact in then and then[fact] == record.provenance.get(fact) for fact in PROCESSOR)
