"""Which cameras a run takes, in which order, and which it leaves out and why. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_registry.lease import LeaseState, state_of
from qa.model import Lane, NotRun, Plan, Stage, Step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from obs_registry.model import Camera, Dataset
    from qa.model import Trigger

NOT_ASKED = "not asked for in this run"


def make_plan(
    cameras: Iterable[Camera],
    *,
    run_id: str,
    lane: Lane,
    trigger: Trigger,
    created: datetime,
    last_coadds: Mapping[str, datetime],
    asked: Collection[str] = (),
) -> Plan:
    """Plan a run: the camera longest without a coadd measurement first, then the one with most bands.

    Parameters
    ----------
    cameras
        The cameras of the registry.
    asked
        Names of those asked for; empty for all.
    run_id, lane, trigger, created
        Identity of the run; leases are judged at `created`.
    last_coadds
        When each camera was last measured on coadds; absent means never.
    """
    taken: list[tuple[Camera, list[Dataset]]] = []
    left_out: list[NotRun] = []
    for camera in cameras:
        datasets = [dataset for dataset in camera.datasets if dataset.lane.value == lane.value]
        reason = NOT_ASKED if asked and camera.name not in asked else _why_not(camera, datasets, lane, created)
        if reason:
            left_out.append(NotRun(camera.name, reason))
        else:
            taken.append((camera, datasets))
    taken.sort(key=lambda pair: _urgency(pair[0], pair[1], last_coadds))
    steps = tuple(
        Step(camera.name, dataset.name, stage) for camera, datasets in taken for dataset in datasets for stage in Stage
    )
    return Plan(run_id, lane, trigger, created, steps, tuple(left_out))


def _why_not(camera: Camera, datasets: list[Dataset], lane: Lane, when: datetime) -> str:
    state = state_of(camera, when.date())
    if state is LeaseState.RETIRED:
        return f"retired on {camera.retired}"
    if state is LeaseState.PROPOSED:
        return "proposed: no sponsor has taken it yet"
    if not datasets:
        return f"{state}: no data set for the {lane} lane"
    return ""


def _urgency(camera: Camera, datasets: list[Dataset], last_coadds: Mapping[str, datetime]) -> tuple[float, int, str]:
    last = last_coadds.get(camera.name)
    day = last.date().toordinal() if last else 0
    return day, -sum(len(dataset.bands) for dataset in datasets), camera.name
