from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from obs_registry.errors import LeaseError
from obs_registry.lease import NOTICE, LeaseState, days_left, renewed, state_of
from obs_registry.model import Camera, Lease
from qa.testing import a_camera

DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
LIFE = [LeaseState.PROPOSED, LeaseState.SPONSORED, LeaseState.LAPSING, LeaseState.ORPHANED, LeaseState.RETIRED]
ORPHAN = a_camera(until=date(2026, 6, 30))


@st.composite
def cameras(draw: st.DrawFn) -> Camera:
    """Draw a camera with or without a lease, retired or not."""
    granted, until = sorted(draw(st.lists(DAYS, min_size=2, max_size=2, unique=True)))
    lease = draw(st.sampled_from([None, Lease(granted=granted, until=until)]))
    made = a_camera(retired=draw(st.none() | DAYS))
    return made.model_copy(update={"lease": lease, "sponsor": made.sponsor if lease else None})


@given(cameras(), DAYS, DAYS)
def test_time_leads_in_one_direction(camera: Camera, one: date, other: date) -> None:
    """No state comes back by waiting: only a renewal, or a change of the file, leads back."""
    earlier, later = sorted([one, other])
    assert LIFE.index(state_of(camera, earlier)) <= LIFE.index(state_of(camera, later))


@given(cameras(), DAYS)
def test_a_camera_gates_just_while_a_lease_holds(camera: Camera, today: date) -> None:
    """A verdict counts from the first to the last day of a lease, both included, and not once retired."""
    holds = camera.lease is not None and camera.lease.granted <= today <= camera.lease.until
    retired = camera.retired is not None and camera.retired <= today
    assert state_of(camera, today).gates == (holds and not retired)


@given(cameras(), DAYS)
def test_what_gates_runs(camera: Camera, today: date) -> None:
    """No camera can fail a night in which it had no part."""
    state = state_of(camera, today)
    assert state.runs or not state.gates
    assert state.runs == (state not in {LeaseState.PROPOSED, LeaseState.RETIRED})


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2025, 12, 31), LeaseState.PROPOSED),
        (date(2026, 1, 1), LeaseState.SPONSORED),
        (date(2027, 3, 1) - NOTICE - timedelta(days=1), LeaseState.SPONSORED),
        (date(2027, 3, 1) - NOTICE, LeaseState.LAPSING),
        (date(2027, 3, 1), LeaseState.LAPSING),
        (date(2027, 3, 2), LeaseState.ORPHANED),
        (date(2028, 1, 1), LeaseState.RETIRED),
    ],
)
def test_the_life_of_a_camera(today: date, state: LeaseState) -> None:
    """The borders: a lease holds through its last day, and notice is given for the sixty days before."""
    assert state_of(a_camera(until=date(2027, 3, 1), retired=date(2028, 1, 1)), today) is state


def test_lapsing_and_orphaned_warn() -> None:
    """They ask for something to be done; the others do not."""
    assert [state for state in LeaseState if state.warns] == [LeaseState.LAPSING, LeaseState.ORPHANED]


def test_an_orphaned_camera_runs_and_does_not_gate() -> None:
    """Nobody answers for it, yet its numbers are kept."""
    assert (LeaseState.ORPHANED.runs, LeaseState.ORPHANED.gates) == (True, False)


def test_the_days_left_are_counted_to_the_last_day() -> None:
    """Zero on the last day, negative afterwards, nothing without a lease."""
    assert days_left(ORPHAN, date(2026, 6, 30)) == 0
    assert days_left(ORPHAN, date(2026, 7, 2)) == -2
    assert days_left(ORPHAN.model_copy(update={"lease": None}), date(2026, 7, 2)) is None


@given(cameras(), DAYS, DAYS)
def test_a_renewal_makes_a_camera_sponsored_or_says_why_not(camera: Camera, today: date, until: date) -> None:
    """After a renewal the lease ends when it was asked to; a refusal changes nothing."""
    try:
        after = renewed(camera, until=until, today=today)
    except LeaseError:
        refused = camera.lease is None or state_of(camera, today) is LeaseState.RETIRED
        assert refused or (camera.lease is not None and until <= max(camera.lease.until, today))
        return
    assert after.lease is not None
    assert camera.lease is not None
    assert after.lease.until == until
    assert state_of(after, today) in {LeaseState.PROPOSED, LeaseState.SPONSORED, LeaseState.LAPSING}
    assert after.model_copy(update={"lease": camera.lease}) == camera
    assert Camera.model_validate(after.model_dump()) == after


@given(cameras(), DAYS, DAYS, DAYS)
def test_renewing_twice_is_renewing_once_for_longer(camera: Camera, today: date, one: date, other: date) -> None:
    """On one day, only the last renewal counts."""
    first, second = sorted([one, other])
    assume(first < second)
    try:
        twice = renewed(renewed(camera, until=first, today=today), until=second, today=today)
    except LeaseError:
        return
    assert twice == renewed(camera, until=second, today=today)


def test_a_renewal_is_a_promise_of_its_day() -> None:
    """The lease is granted anew, and the contact may change with it."""
    after = renewed(ORPHAN, until=date(2027, 12, 31), contact="https://example.org/new", today=date(2026, 11, 22))
    assert after.lease == Lease(granted=date(2026, 11, 22), until=date(2027, 12, 31))
    assert after.sponsor is not None
    assert after.sponsor.contact == "https://example.org/new"


@pytest.mark.parametrize(
    ("camera", "until", "message"),
    [
        (ORPHAN, date(2026, 11, 22), "required an end after 2026-11-22, found 2026-11-22"),
        (a_camera(), date(2027, 1, 1), "required an end after 2027-03-01, found 2027-01-01"),
        (
            a_camera(retired=date(2026, 2, 1)),
            date(2030, 1, 1),
            "required a camera in use, found one retired on 2026-02-01",
        ),
        (
            ORPHAN.model_copy(update={"sponsor": None, "lease": None}),
            date(2030, 1, 1),
            "required a sponsor and a lease in the camera's file, found neither",
        ),
    ],
)
def test_a_refused_renewal_says_what_was_required(camera: Camera, until: date, message: str) -> None:
    """A lease is prolonged into the future, for a camera in use that has a sponsor."""
    with pytest.raises(LeaseError, match=message):
        renewed(camera, until=until, today=date(2026, 11, 22))


def test_a_renewal_checks_the_contact() -> None:
    """A renewed camera is as sound as one that was read."""
    with pytest.raises(ValidationError):
        renewed(ORPHAN, until=date(2030, 1, 1), contact="somebody", today=date(2026, 11, 22))
