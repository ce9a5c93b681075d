"""When a lease is worth a notice: at certain days before its end, and every month after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_registry.lease import days_left, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from obs_registry.model import Camera

DAYS = (0, 1, 3, 7, 14, 30, 60)
"""Days left at which a lease is spoken of."""

EVERY_DAYS = 30
"""Days after its end between two reminders."""


def due(camera: Camera, last: date | None, today: date) -> str:
    """Return what is to be said of a camera's lease, empty when nothing is.

    Parameters
    ----------
    camera
        The camera; one that is proposed or retired has no lease to speak of.
    last
        The day of the run before, at which leases were spoken of; None if there was none.
    today
        The day of this run.
    """
    left = days_left(camera, today)
    if left is None or not state_of(camera, today).warns:
        return ""
    before = None if last is None else days_left(camera, last)
    if before is not None and _stage(before) == _stage(left):
        return ""
    return _sentence(camera, left)


def all_due(cameras: Iterable[Camera], last: date | None, today: date) -> dict[str, str]:
    """Return what is to be said of leases, by camera."""
    said = {camera.name: due(camera, last, today) for camera in cameras}
    return {name: text for name, text in said.items() if text}


def _stage(left: int) -> int | None:
    """Return which stretch between two notices a day lies in; None before the first."""
    if left < 0:
        return left // EVERY_DAYS
    return next((days for days in DAYS if left <= days), None)


def _sentence(camera: Camera, left: int) -> str:
    until = camera.lease.until if camera.lease else None
    team = camera.sponsor.team if camera.sponsor else "nobody"
    if left < 0:
        when, then = f"ended on {until}", "nobody answers for the camera and it gates no run"
    else:
        when = f"ends in {left} day{'' if left == 1 else 's'}, on {until}" if left else f"ends today, {until}"
        then = "without a new one nobody answers for the camera"
    return f"the lease of {camera.name} (sponsor: {team}) {when}; {then}: obsqa camera renew {camera.name} --until DAY"
