"""Which cameras a run takes, in which order, and which it leaves out and why. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from obs_registry.lease import LeaseState, state_of
from qa.model import Lane, LeftOut, NotRun, Plan, Stage, Step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from obs_registry.model import Camera, Dataset
    from qa.model import Trigger

NOT_ASKED = "not asked for in this run"
NO_ROOM = "no room in the night's budget"
"""How the reason begins why a camera is left to another night."""

_STAGES = {
    "raws": tuple(stage for stage in Stage if stage is not Stage.DRAW),
    "butler": (Stage.PROCESS, Stage.MEASURE),
    "suite": (Stage.PROCESS, Stage.MEASURE),
}


def stages_of(dataset: Dataset) -> tuple[Stage, ...]:
    """Return the stages that a data set goes through: what there is already is not drawn or ingested."""
    return _STAGES.get(dataset.kind, tuple(Stage))


def make_plan(
    cameras: Iterable[Camera],
    *,
    run_id: str,
    lane: Lane,
    trigger: Trigger,
    created: datetime,
    last_coadds: Mapping[str, datetime],
    asked: Collection[str] = (),
    unavailable: Mapping[tuple[str, str], str] = MappingProxyType({}),
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
    unavailable
        Why a data set cannot be had here, by camera and data set: it is left out.
    """
    taken: list[tuple[Camera, list[Dataset]]] = []
    left_out: list[NotRun] = []
    spared: list[LeftOut] = []
    for camera in cameras:
        datasets: list[Dataset] = [dataset for dataset in camera.datasets if dataset.lane.value == lane.value]
        missing = [one for one in datasets if (camera.name, one.name) in unavailable]
        reason = NOT_ASKED if asked and camera.name not in asked else _why_not(camera, datasets, lane, created)
        if not reason and len(missing) == len(datasets):
            reason = "; ".join(f"{one.name}: {unavailable[camera.name, one.name]}" for one in missing)
        if reason:
            left_out.append(NotRun(camera.name, reason))
        else:
            spared += [LeftOut(camera.name, one.name, unavailable[camera.name, one.name]) for one in missing]
            taken.append((camera, [one for one in datasets if one not in missing]))
    taken.sort(key=lambda pair: _urgency(pair[0], pair[1], last_coadds))
    steps = tuple(
        Step(camera.name, dataset.name, stage)
        for camera, datasets in taken
        for dataset in datasets
        for stage in stages_of(dataset)
    )
    return Plan(run_id, lane, trigger, created, steps, tuple(left_out), left_out=tuple(spared))


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
