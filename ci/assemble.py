"""From a run's record to the night that a report shows."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from ci.naming import RUN_ID
from obs_registry.lease import state_of
from obs_registry.services import Service
from qa import baselines
from qa.errors import DocumentError
from qa.foreign.definitions import definitions
from qa.journal import read_record, runs_under
from qa.judging.judged import FindingState
from qa.judging.verdict import ExitCode
from qa.plan import NOT_ASKED
from reports.night import CameraNight, Night, Picture, RunStatus
from reports.order import band_rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from ci.lanes import Context
    from obs_registry.model import Camera
    from qa.baselines.ledger import Entry
    from qa.judging.judged import Finding, Incident
    from qa.record import RunRecord

COMMIT = "commit"
"""What asked for a run that is about some cameras only."""

SHOWN = timedelta(days=180)
"""How far back the histories of a report reach: its charts show sixty nights."""

_ID_LENGTH = len("20260101T000000Z")


def night_of(context: Context, folder: Path, record: RunRecord) -> Night:
    """Put together what a report shows of a run."""
    last_coadds = context.store.last_coadds() if context.store else {}
    history = context.store.history(after=_since(record)) if context.store else {}
    previous = _previous_datasets(folder, record)
    return Night(
        plan=record.plan,
        started=record.started,
        finished=record.finished or context.clock(),
        cameras=(
            *(_camera_night(context, folder, record, one, last_coadds) for one in _concerned(context, record)),
            *_unknown_cameras(context, record),
        ),
        comparisons=record.comparisons,
        definitions=definitions(record),
        exit_code=ExitCode.INCOMPLETE if record.exit_code is None else record.exit_code,
        history={series: tuple(points) for series, points in history.items()},
        provenance=record.provenance,
        previous_cameras=tuple(dict.fromkeys(camera for camera, _ in previous)),
        previous_datasets=previous,
        shifts=record.shifts,
        incidents=record.incidents,
        findings=tuple(_findings(context, record)),
        earlier=tuple(_earlier_incidents(folder, record)),
        ledger=_ledger(context),
        checks=tuple(record.checks.values()),
    )


def _concerned(context: Context, record: RunRecord) -> Iterator[Camera]:
    """Yield the cameras that a report is about: of a commit's only those that it concerns."""
    spared = {one.camera for one in record.plan.not_run if one.reason == NOT_ASKED}
    for camera in context.cameras:
        if record.plan.trigger.kind != COMMIT or camera.name not in spared:
            yield camera


def _findings(context: Context, record: RunRecord) -> Iterator[Finding]:
    """Yield the findings that a report is about."""
    concerned = {camera.name for camera in _concerned(context, record)}
    spared = {camera.name for camera in context.cameras} - concerned
    yield from (one for one in record.findings if one.scope.camera not in spared)


def _since(record: RunRecord) -> datetime | None:
    """Return how far back histories are read; imported files are few and years apart."""
    return None if record.imported else record.started - SHOWN


def _earlier_incidents(folder: Path, record: RunRecord) -> Iterator[Incident]:
    """Yield the incidents of nights before that findings of this one belong to, from the runs that opened them."""
    known = {one.id for one in record.incidents}
    lost = [
        one for one in record.findings if one.incident not in known | {None} and one.state is not FindingState.FIXED
    ]
    nights = {f"{when:{RUN_ID}}" for one in lost for when in (one.first, one.since) if when is not None}
    wanted = {one.incident for one in lost}
    for run in runs_under(folder.parent):
        if run.name[:_ID_LENGTH] in nights and run.name < folder.name:
            with suppress(DocumentError):  # told when that night is asked for
                yield from (one for one in read_record(run).incidents if one.id in wanted)


def _ledger(context: Context) -> tuple[Entry, ...]:
    """Return every decision about baselines; a ledger that cannot be read costs its page, not the report."""
    try:
        return baselines.ledger(context.settings.regression_data)
    except DocumentError as error:
        context.console.say(f"warning: the report is without the ledger: {error}")
        return ()


def _camera_night(
    context: Context, folder: Path, record: RunRecord, camera: Camera, last_coadds: Mapping[str, datetime]
) -> CameraNight:
    status, reason = _status(record, camera.name)
    return CameraNight(
        name=camera.name,
        title=camera.title,
        package=camera.package.name,
        team=camera.sponsor.team if camera.sponsor else None,
        contact=camera.sponsor.contact if camera.sponsor else None,
        lease=state_of(camera, context.clock().date()).value,
        lease_until=camera.lease.until if camera.lease else None,
        status=status,
        reason=reason,
        steps=tuple(one for one in record.outcomes.values() if one.step.camera == camera.name),
        caveats=tuple(text for key, one in record.measured.items() if key[0] == camera.name for text in one.caveats),
        last_coadd=record.coadds_measured(camera.name) or last_coadds.get(camera.name),
        coadds=not isinstance(camera, Service),
        pictures=tuple(_pictures(folder, camera)),
    )


def _status(record: RunRecord, camera: str) -> tuple[RunStatus, str]:
    left_out = {one.camera: one.reason for one in record.plan.not_run}
    failure = record.failure(camera)
    if failure:
        return RunStatus.FAILED, f"{failure.step.stage}: {failure.message}"
    if camera in record.unjudged:
        return RunStatus.FAILED, f"judge: {record.unjudged[camera]}"
    checked = any(one.camera == camera for one in record.checks.values())
    if checked or (record.completed(camera) and camera in record.plan.cameras):
        return RunStatus.RAN, ""
    return RunStatus.NOT_RUN, left_out.get(camera, "not in the plan of this run")


def _pictures(folder: Path, camera: Camera) -> Iterator[Picture]:
    for dataset in camera.datasets:
        found = (folder / camera.name / dataset.name / "pictures").glob("coadd-*.npz")
        paths = {path.stem.removeprefix("coadd-"): path for path in found}
        yield from (Picture(band, paths[band]) for band in sorted(paths, key=band_rank))


def _unknown_cameras(context: Context, record: RunRecord) -> Iterator[CameraNight]:
    """Yield the cameras of the run that the registry does not tell of: their files have faults, or are gone."""
    known = {camera.name for camera in context.cameras}
    for name in dict.fromkeys((*record.plan.cameras, *(one.camera for one in record.plan.not_run))):
        if name not in known:
            status, reason = _status(record, name)
            steps = tuple(one for one in record.outcomes.values() if one.step.camera == name)
            caveats = tuple(text for key, one in record.measured.items() if key[0] == name for text in one.caveats)
            yield CameraNight(
                name, name, "", lease="unknown", status=status, reason=reason, steps=steps, caveats=caveats
            )


def _previous_datasets(folder: Path, record: RunRecord) -> tuple[tuple[str, str], ...]:
    """Return cameras and data sets of the run before this one in its lane, but for what was not asked for in this one.

    Of imported files none are missed.
    """
    if record.imported is not None:
        return ()  # files come as they come
    spared = {one.camera for one in record.plan.not_run if one.reason == NOT_ASKED}
    for run in reversed([run for run in runs_under(folder.parent) if run.name < folder.name]):
        with suppress(DocumentError):  # a damaged journal of another night is told when that night is asked for
            earlier = read_record(run).plan
            if earlier.lane is not record.plan.lane:
                continue
            places = dict.fromkeys((step.camera, step.dataset) for step in earlier.steps)
            return tuple(place for place in places if place[0] not in spared)
    return ()
