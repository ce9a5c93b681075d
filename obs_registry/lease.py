"""How far a camera is supported: proposed -> sponsored -> lapsing -> orphaned -> retired, from dates. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from obs_registry.errors import LeaseError

if TYPE_CHECKING:
    from obs_registry.model import Camera, Lease, Sponsor

NOTICE = timedelta(days=60)
"""A lease that ends within this time is lapsing: time enough to renew it, or to find another sponsor."""


class LeaseState(StrEnum):
    """What a camera's lease says on one day."""

    PROPOSED = "proposed"
    SPONSORED = "sponsored"
    LAPSING = "lapsing"
    ORPHANED = "orphaned"
    RETIRED = "retired"

    @property
    def runs(self) -> bool:
        """Whether the camera takes part in a run: not before it has a sponsor, not after it was retired."""
        return self not in {LeaseState.PROPOSED, LeaseState.RETIRED}

    @property
    def gates(self) -> bool:
        """Whether a failed verdict of the camera fails the run: only while a sponsor answers for it."""
        return self in {LeaseState.SPONSORED, LeaseState.LAPSING}

    @property
    def warns(self) -> bool:
        """Whether the state asks for something to be done."""
        return self in {LeaseState.LAPSING, LeaseState.ORPHANED}


def state_of(camera: Camera, today: date) -> LeaseState:
    """Tell how far a camera is supported on a day; a lease holds through its last day."""
    if camera.retired is not None and camera.retired <= today:
        return LeaseState.RETIRED
    if camera.lease is None or today < camera.lease.granted:
        return LeaseState.PROPOSED
    if camera.lease.until < today:
        return LeaseState.ORPHANED
    if camera.lease.until - today <= NOTICE:
        return LeaseState.LAPSING
    return LeaseState.SPONSORED


def days_left(camera: Camera, today: date) -> int | None:
    """Count the days to the last day of the lease, negative once it is over; None without a lease."""
    return None if camera.lease is None else (camera.lease.until - today).days


def renewed(camera: Camera, *, until: date, contact: str | None = None, today: date) -> Camera:
    """Return the camera with its lease granted anew.

    A renewal is a new promise, granted `today`; one that has not begun yet keeps its first day.

    Parameters
    ----------
    camera
        The camera; it must have a sponsor.
    until
        Last day of the new lease.
    contact
        Whom to write to from now on; the same as before if None.
    today
        The day of the renewal.

    Raises
    ------
    LeaseError
        If the camera has no sponsor or is retired, or if the new lease is no longer than the old one or already over.
    pydantic.ValidationError
        If `contact` is neither an e-mail nor a web address.
    """
    if state_of(camera, today) is LeaseState.RETIRED:
        raise LeaseError(camera.name, required="a camera in use", found=f"one retired on {camera.retired}")
    if camera.sponsor is None or camera.lease is None:
        raise LeaseError(camera.name, required="a sponsor and a lease in the camera's file", found="neither")
    latest = max(camera.lease.until, today, camera.lease.granted)
    if until <= latest:
        raise LeaseError(camera.name, required=f"an end after {latest}", found=str(until))
    return camera.model_copy(
        update={
            "sponsor": _reached_at(camera.sponsor, contact or camera.sponsor.contact),
            "lease": _prolonged(camera.lease, until, today),
        }
    )


def _reached_at(sponsor: Sponsor, contact: str) -> Sponsor:
    return type(sponsor).model_validate(sponsor.model_dump() | {"contact": contact})


def _prolonged(lease: Lease, until: date, today: date) -> Lease:
    return type(lease)(granted=max(lease.granted, today), until=until)
