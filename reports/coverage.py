"""What the night does not say: cameras that ran last night and not tonight, are overdue, or have lost their sponsor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.plan import NO_ROOM, NOT_ASKED
from reports.night import RunStatus
from reports.wording import ago, day, moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reports.night import CameraNight, Night

OVERDUE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing missing from the coverage. `kind` is one of `_ORDER`."""

    kind: str
    camera: str
    title: str
    sentence: str

    @property
    def grave(self) -> bool:
        """Tell whether it wants action, rather than being good to know."""
        return self.kind in {"shrank", "overdue", "promise", "orphaned", "left-out", "caveat"}


_ORDER = ("shrank", "overdue", "promise", "orphaned", "left-out", "caveat", "lapsing", "not-run")


def gaps(night: Night) -> tuple[Gap, ...]:
    """Return the gaps in a night's coverage, gravest first; of imported files, what is amiss with them."""
    if night.imported:
        return tuple(Gap("caveat", one.name, one.title, text) for one in night.cameras for text in one.caveats)
    shrank = tuple(_shrank(night))
    told = {gap.camera for gap in shrank}
    others = (gap for camera in night.cameras for gap in _camera_gaps(camera, night.finished))
    found = [
        *shrank,
        *_shrank_datasets(night),
        *_left_out(night),
        *_promises(night),
        *(gap for gap in others if gap.kind != "not-run" or gap.camera not in told),
    ]
    if night.of_commit:  # how the nights cover the cameras is no matter of a commit's
        found = [gap for gap in found if gap.kind not in {"shrank", "overdue", "promise", "lapsing"}]
    return tuple(sorted(found, key=lambda gap: (_ORDER.index(gap.kind), gap.title, gap.camera)))


def _shrank(night: Night) -> Iterator[Gap]:
    known = {camera.name: camera for camera in night.cameras}
    for name in night.previous_cameras:
        camera = known.get(name)
        if camera is None:
            yield Gap("shrank", name, name, "Ran in the previous night and is gone from the registry tonight.")
        elif camera.status is RunStatus.NOT_RUN and not camera.reason.startswith(NO_ROOM):
            why = f": {camera.reason}" if camera.reason else ", and no reason was given"
            yield Gap("shrank", name, camera.title, f"Ran in the previous night and was not run tonight{why}.")


def _shrank_datasets(night: Night) -> Iterator[Gap]:
    """Yield the data sets that are missing of cameras that ran."""
    known = {camera.name: camera for camera in night.cameras}
    planned = {(step.camera, step.dataset) for step in night.plan.steps}
    reasons = {(one.camera, one.dataset): f": {one.reason}" for one in night.plan.left_out}
    for name, dataset in night.previous_datasets:
        if name in night.plan.cameras and name in known and (name, dataset) not in planned:
            why = reasons.get((name, dataset), ": it is not in the registry")
            sentence = f"Data set {dataset} ran in the previous night and was not run tonight{why}."
            yield Gap("shrank", name, known[name].title, sentence)


def _promises(night: Night) -> Iterator[Gap]:
    """Yield the promises of a measurement within the week that are broken, or will be for all that can be foreseen."""
    titles = {camera.name: camera.title for camera in night.cameras}
    tonight = {one.name for one in night.cameras if _is_measured(one, night)}
    for one in night.plan.promises:
        if one.kept or (one.last is None and one.camera in tonight):
            continue
        coming = one.due if one.due is not None and one.due >= night.plan.created else None
        word = f"will be broken on {moment(coming)}" if coming else "is broken"
        word = "was broken until tonight" if one.camera in tonight else word
        sentence = f"The promise of a measurement within the week {word}: {one.reason or 'no reason is known'}."
        yield Gap("promise", one.camera, titles.get(one.camera, one.camera), sentence)


def _is_measured(camera: CameraNight, night: Night) -> bool:
    if not camera.coadds:
        return camera.status is RunStatus.RAN
    return camera.last_coadd is not None and camera.last_coadd >= night.plan.created


def _left_out(night: Night) -> Iterator[Gap]:
    """Yield the data sets that cannot be had here, and never could."""
    titles = {camera.name: camera.title for camera in night.cameras}
    for one in night.plan.left_out:
        if (one.camera, one.dataset) not in night.previous_datasets:
            sentence = f"Data set {one.dataset} not run: {one.reason}."
            yield Gap("not-run", one.camera, titles.get(one.camera, one.camera), sentence)


def _camera_gaps(camera: CameraNight, now: datetime) -> Iterator[Gap]:
    lease = lease_sentence(camera)
    if camera.lease == "retired":
        return
    if sentence := overdue(camera, now):
        yield Gap("overdue", camera.name, camera.title, sentence)
    if camera.lease in {"orphaned", "lapsing"}:
        yield Gap(camera.lease, camera.name, camera.title, lease)
    if camera.caveats:
        more = f" (and {len(camera.caveats) - 1} more)" if len(camera.caveats) > 1 else ""
        yield Gap("left-out", camera.name, camera.title, f"Data left out: {camera.caveats[0]}{more}.")
    if camera.status is RunStatus.NOT_RUN and camera.reason != NOT_ASKED:
        yield Gap("not-run", camera.name, camera.title, f"Not run: {camera.reason or 'no reason was given'}.")


def overdue(camera: CameraNight, now: datetime) -> str:
    """Say that a camera was not measured on coadds within the week; empty where it was, or is retired."""
    if camera.lease == "retired" or not camera.coadds:
        return ""
    if camera.last_coadd is None:
        return "Never measured on coadds."
    age = now - camera.last_coadd
    if age <= OVERDUE:
        return ""
    return (
        f"Not measured on coadds for {age.days} days (last on {moment(camera.last_coadd)}); due every {OVERDUE.days}."
    )


def last_coadd(camera: CameraNight, now: datetime) -> str:
    """Say when a camera was last measured on coadds."""
    if not camera.coadds:
        return "\u2013"
    return "never" if camera.last_coadd is None else ago(now - camera.last_coadd)


def lease_sentence(camera: CameraNight) -> str:
    """Say how a camera stands with its sponsor."""
    until = f" on {day(camera.lease_until)}" if camera.lease_until else ""
    match camera.lease:
        case "sponsored":
            return f"Sponsored until {day(camera.lease_until)}." if camera.lease_until else "Sponsored."
        case "lapsing":
            return f"Lease ends{until or ' soon'}; {camera.team or 'the sponsor'} should renew it."
        case "orphaned":
            ended = f" since its lease ended{until}" if until else ""
            return f"No sponsor{ended}: it still runs but does not gate."
        case "retired":
            return "Retired: kept in the history, not run."
        case "unknown":
            return "Not known to the registry."
        case _:
            return f"{camera.lease.capitalize()}."
