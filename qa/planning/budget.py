"""Puts a night's budget of hours into a plan, and what becomes of the weekly promise. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from obs_registry.lease import state_of
from obs_registry.services import Service
from qa.model import NotRun
from qa.plan import NO_ROOM, NOT_ASKED
from qa.planning.estimate import estimate
from qa.planning.night import Candidate, Choice, choose
from qa.planning.promises import Night, promises
from qa.planning.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from obs_registry.model import Camera
    from qa.model import Plan
    from qa.planning.estimate import Experience


@dataclass(frozen=True, slots=True)
class Hours:
    """What a night has: `budget` hours (None: as many as it takes) on `slots` slots that work side by side."""

    budget: float | None
    slots: int


def within_budget(
    plan: Plan,
    cameras: Iterable[Camera],
    *,
    hours: Hours,
    known: Experience,
    last_coadds: Mapping[str, datetime],
) -> Plan:
    """Keep of a plan the cameras that fit into the night, and say what becomes of the promise to each.

    Parameters
    ----------
    plan
        All that could be done, in the order of urgency.
    cameras
        The cameras of the registry.
    hours
        What the night has.
    known
        What earlier runs took.
    last_coadds
        When each camera was last measured on coadds; absent means never.
    """
    registry = {camera.name: camera for camera in cameras}
    night = _night(plan, registry, hours, known=known, last_coadds=last_coadds)
    place = {name: number for number, name in enumerate(night.choice.taken)}
    steps = sorted((one for one in plan.steps if one.camera in place), key=lambda one: place[one.camera])
    over = [NotRun(one.name, _no_room(one, night)) for one in night.candidates if one.name not in place]
    out = [one for one in plan.not_run if one.reason != NOT_ASKED and _is_promised(registry.get(one.camera), plan)]
    left_out = {one.camera: one.reason for one in out}
    told = promises(night, left_out, {name: last_coadds.get(name) for name in left_out})
    return replace(plan, steps=tuple(steps), not_run=(*plan.not_run, *over), promises=told, budget_hours=hours.budget)


def _night(
    plan: Plan,
    registry: Mapping[str, Camera],
    hours: Hours,
    *,
    known: Experience,
    last_coadds: Mapping[str, datetime],
) -> Night:
    candidates = tuple(
        Candidate(
            name,
            estimate(registry[name], plan.lane, known).hours / hours.slots,
            last=last_coadds.get(name) if has_coadds(registry[name]) else known.ended.get(name),
            tried=known.tried.get(name),
            promised=_is_promised(registry[name], plan),
            after=number,
            coadds=has_coadds(registry[name]),
        )
        for number, name in enumerate(plan.cameras)
    )
    if hours.budget is None:
        choice = Choice(plan.cameras, Timetable({}), None, 0.0)
    else:
        choice = choose(candidates, now=plan.created, budget=hours.budget)
    return Night(candidates, plan.created, hours.budget, choice)


def has_coadds(camera: Camera) -> bool:
    """Tell whether a camera can be measured on coadds at all, which no service can."""
    return not isinstance(camera, Service)


def _is_promised(camera: Camera | None, plan: Plan) -> bool:
    """Tell whether a camera has a sponsor, and something to be measured in this lane."""
    if camera is None or not state_of(camera, plan.created.date()).gates:
        return False
    return any(dataset.lane.value == plan.lane.value for dataset in camera.datasets)


def _no_room(one: Candidate, night: Night) -> str:
    rest, budget = night.choice.rest, night.budget or 0.0
    takes = f"{NO_ROOM} of {budget:g} h: takes about {one.hours:.2g} h"
    if one.hours > budget:
        return f"{takes}, more than a whole night; what it takes is learned anew from a run without a budget"
    return f"{takes}, {rest:.2g} h are left"
