"""What the night does not say: cameras that ran last night and not tonight, are overdue, or have lost their sponsor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qa.plan import NOT_ASKED
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
        return self.kind in {"shrank", "overdue", "orphaned", "left-out", "caveat"}


_ORDER = ("shrank", "overdue", "orphaned", "left-out", "caveat", "lapsing", "not-run")


def gaps(night: Night) -> tuple[Gap, ...]:
    """Return the gaps in a night's coverage, gravest first; of imported files, what is amiss with them."""
    if night.imported:
        return tuple(Gap("caveat", one.name, one.title, text) for one in night.cameras for text in one.caveats)
    shrank = tuple(_shrank(night))
    told = {gap.camera for gap in shrank}
    others = (gap for camera in night.cameras for gap in _camera_gaps(camera, night.finished))
    found = [*shrank, *(gap for gap in others if gap.kind != "not-run" or gap.camera not in told)]
    return tuple(sorted(found, key=lambda gap: (_ORDER.index(gap.kind), gap.title, gap.camera)))


def _shrank(night: Night) -> Iterator[Gap]:
    known = {camera.name: camera for camera in night.cameras}
    for name in night.previous_cameras:
        camera = known.get(name)
        if camera is None:
            yield Gap("shrank", name, name, "Ran in the previous night and is gone from the registry tonight.")
        elif camera.status is RunStatus.NOT_RUN:
            why = f": {camera.reason}" if camera.reason else ", and no reason was given"
            yield Gap("shrank", name, camera.title, f"Ran in the previous night and was not run tonight{why}.")


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
    if camera.lease == "retired":
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
