"""From a run's record to the night that a report shows."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from obs_registry.lease import state_of
from qa.errors import DocumentError
from qa.journal import read_record, runs_under
from qa.metrics import catalogue
from qa.plan import NOT_ASKED
from reports.night import CameraNight, Night, Picture, RunStatus
from reports.order import band_rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from ci.lanes import Context
    from obs_registry.model import Camera
    from qa.record import RunRecord


def night_of(context: Context, folder: Path, record: RunRecord) -> Night:
    """Put together what a report shows of a run."""
    last_coadds = context.store.last_coadds() if context.store else {}
    history = context.store.history() if context.store else {}
    return Night(
        plan=record.plan,
        started=record.started,
        finished=record.finished or context.clock(),
        cameras=(
            *(_camera_night(context, folder, record, camera, last_coadds) for camera in context.cameras),
            *_unknown_cameras(context, record),
        ),
        comparisons=record.comparisons,
        definitions=catalogue(),
        exit_code=record.exit_code or 0,
        history={series: tuple(points) for series, points in history.items()},
        provenance=record.provenance,
        previous_cameras=_previous_cameras(folder, record),
    )


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
        pictures=tuple(_pictures(folder, camera)),
    )


def _status(record: RunRecord, camera: str) -> tuple[RunStatus, str]:
    left_out = {one.camera: one.reason for one in record.plan.not_run}
    failure = record.failure(camera)
    if failure:
        return RunStatus.FAILED, f"{failure.step.stage}: {failure.message}"
    if camera in record.unjudged:
        return RunStatus.FAILED, f"judge: {record.unjudged[camera]}"
    if record.completed(camera) and camera in record.plan.cameras:
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
            yield CameraNight(name, name, "", lease="unknown", status=status, reason=reason, steps=steps)


def _previous_cameras(folder: Path, record: RunRecord) -> tuple[str, ...]:
    """Return the cameras of the run before this one in its lane, but for those deliberately left out of this one."""
    spared = {one.camera for one in record.plan.not_run if one.reason == NOT_ASKED}
    for run in reversed([run for run in runs_under(folder.parent) if run.name < folder.name]):
        with suppress(DocumentError):  # a damaged journal of another night is told when that night is asked for
            earlier = read_record(run).plan
            if earlier.lane is not record.plan.lane:
                continue
            return tuple(camera for camera in earlier.cameras if camera not in spared)
    return ()
