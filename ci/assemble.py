"""From a run's record to the night that a report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_registry.lease import state_of
from qa.journal import read_record, runs_under
from qa.metrics import catalogue
from reports.night import CameraNight, Night, Picture, RunStatus

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
        cameras=tuple(_camera_night(context, folder, record, camera, last_coadds) for camera in context.cameras),
        comparisons=record.comparisons,
        definitions=catalogue(),
        exit_code=record.exit_code or 0,
        history={series: tuple(points) for series, points in history.items()},
        provenance=record.provenance,
        previous_cameras=_previous_cameras(folder),
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
        steps=tuple(record.outcomes[step.key] for step in record.plan.steps if _belongs(record, step.key, camera)),
        caveats=tuple(text for key, one in record.measured.items() if key[0] == camera.name for text in one.caveats),
        last_coadd=record.coadds_measured(camera.name) or last_coadds.get(camera.name),
        pictures=tuple(_pictures(folder, camera)),
    )


def _belongs(record: RunRecord, key: str, camera: Camera) -> bool:
    return key in record.outcomes and key.split("/", 1)[0] == camera.name


def _status(record: RunRecord, camera: str) -> tuple[RunStatus, str]:
    left_out = {one.camera: one.reason for one in record.plan.not_run}
    failure = record.failure(camera)
    if failure:
        return RunStatus.FAILED, f"{failure.step.stage}: {failure.message}"
    if record.completed(camera) and camera in record.plan.cameras:
        return RunStatus.RAN, ""
    return RunStatus.NOT_RUN, left_out.get(camera, "not asked for in this run")


def _pictures(folder: Path, camera: Camera) -> Iterator[Picture]:
    for dataset in camera.datasets:
        for path in sorted((folder / camera.name / dataset.name / "pictures").glob("coadd-*.npz")):
            yield Picture(path.stem.removeprefix("coadd-"), path)


def _previous_cameras(folder: Path) -> tuple[str, ...]:
    """Return the cameras of the run before this one, in the same folder of runs."""
    earlier = [run for run in runs_under(folder.parent) if run.name < folder.name]
    return read_record(earlier[-1]).plan.cameras if earlier else ()
