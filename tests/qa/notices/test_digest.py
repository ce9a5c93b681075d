from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qa.judging.judged import Cause, FindingState
from qa.model import Lane, Status
from qa.notices.digest import Digest, digests
from qa.notices.model import Address, Person, Service, Want
from qa.notices.news import Topic
from qa.notices.testing import a_finding, a_run, an_incident
from qa.testing import NOW, a_camera

if TYPE_CHECKING:
    from obs_registry.model import Camera
    from qa.record import RunRecord

CAMERAS = [a_camera("hsc"), a_camera("decam")]
TODAY = NOW.date()


def a_person(*wants: Want, sponsors: tuple[str, ...] = (), always: bool = False) -> Person:
    """Build a person who subscribed to this."""
    return Person("Ada", (Address(Service.MAIL, "ada@example.org"),), wants, sponsors=sponsors, always=always)


def told(
    person: Person, record: RunRecord, previous: RunRecord | None = None, cameras: list[Camera] = CAMERAS
) -> Digest | None:
    """Return one person's digest, None if there is none."""
    found = digests(record, previous, [person], cameras=cameras, today=TODAY)
    return found[0] if found else None


def metrics(digest: Digest | None, topic: Topic = Topic.NEW) -> list[str]:
    """Return the metrics of the findings of a topic."""
    return [] if digest is None else [one.finding.metric for one in digest.of(topic)]


@pytest.mark.parametrize(
    ("want", "expected"),
    [
        (Want(), ["PA1", "AM1", "PA1"]),
        (Want(camera="hsc"), ["PA1", "AM1"]),
        (Want(camera="h*"), ["PA1", "AM1"]),
        (Want(metric="PA?"), ["PA1", "PA1"]),
        (Want(camera="decam", metric="AM1"), []),
        (Want(requirement="LPM-17*"), ["PA1", "AM1", "PA1"]),
        (Want(requirement="*table 14"), ["PA1", "AM1", "PA1"]),
        (Want(requirement="lpm-17"), ["PA1", "AM1", "PA1"]),
        (Want(requirement="desc-srd"), []),
        (Want(status=Status.FAIL), ["PA1", "PA1"]),
        (Want(cause=Cause.ALGORITHM), ["PA1"]),
    ],
)
def test_a_subscription_asks_for_what_it_names(want: Want, expected: list[str]) -> None:
    """By camera, metric, requirement, cause and severity, all of it at once."""
    broken = a_finding("decam", incident="i-1")
    record = a_run(
        a_finding("hsc"),
        a_finding("hsc", "AM1", status=Status.WARN),
        broken,
        incidents=[an_incident(Cause.ALGORITHM, broken)],
    )
    assert metrics(told(a_person(want), record)) == expected


def test_what_no_requirement_asks_for_is_not_of_a_requirement() -> None:
    """A subscription to requirements leaves it out."""
    record = replace(a_run(a_finding("hsc")), comparisons=())
    assert told(a_person(Want(requirement="*")), record) is None


@pytest.mark.parametrize("cause", list(Cause))
def test_the_sponsor_is_told_of_what_the_camera_is_blamed_for(cause: Cause) -> None:
    """And of nothing that the stack, the data, the environment or noise is blamed for."""
    finding = a_finding("hsc", incident="i-1")
    record = a_run(finding, a_finding("hsc", "AM1"), incidents=[an_incident(cause, finding)])
    digest = told(a_person(sponsors=("hsc",)), record)
    assert metrics(digest) == (["PA1"] if cause is Cause.CAMERA else [])
    if digest is not None:
        assert digest.because == ("you sponsor hsc",)


def test_a_sponsor_is_not_told_of_other_cameras() -> None:
    """Though one incident may have moved both."""
    both = a_finding("hsc", incident="i-1"), a_finding("decam", incident="i-1")
    record = a_run(*both, incidents=[an_incident(Cause.CAMERA, *both)])
    digest = told(a_person(sponsors=("decam",)), record)
    assert digest is not None
    assert [one.camera for one in digest.items] == ["decam"]


def test_a_waiver_that_is_over_is_the_sponsors() -> None:
    """It stands in the camera's own file."""
    assert metrics(told(a_person(sponsors=("hsc",)), a_run(a_finding("hsc", kind="waiver")))) == ["PA1"]


def test_an_incident_of_the_night_before_still_names_the_cause() -> None:
    """A finding that was reopened keeps the incident that opened it."""
    finding = a_finding("hsc", incident="i-1", state=FindingState.REOPENED)
    before = a_run(replace(finding, state=FindingState.FIXED), incidents=[an_incident(Cause.CAMERA, finding)])
    assert metrics(told(a_person(sponsors=("hsc",)), a_run(finding, nights=1), before)) == ["PA1"]


@pytest.mark.parametrize(
    ("before", "now", "topic"),
    [
        (None, FindingState.OPEN, Topic.NEW),
        (FindingState.UNCONFIRMED, FindingState.OPEN, Topic.NEW),
        (FindingState.ACKNOWLEDGED, FindingState.REOPENED, Topic.NEW),
        (FindingState.OPEN, FindingState.OPEN, Topic.STANDING),
        (FindingState.OPEN, FindingState.FIXED, Topic.FIXED),
        (FindingState.ACKNOWLEDGED, FindingState.FIXED, Topic.FIXED),
        (FindingState.FIXED, FindingState.FIXED, None),
        (None, FindingState.UNCONFIRMED, None),
        (FindingState.OPEN, FindingState.ACKNOWLEDGED, None),
    ],
)
def test_news_is_what_the_night_before_did_not_say(
    before: FindingState | None, now: FindingState, topic: Topic | None
) -> None:
    """What is acknowledged or not confirmed is not spoken of; what is mended is, once."""
    person = a_person(Want(), always=True)
    previous = a_run(*([a_finding("hsc", state=before)] if before else []))
    digest = told(person, a_run(a_finding("hsc", state=now), nights=1), previous)
    assert digest is not None
    assert [one.topic for one in digest.items] == ([topic] if topic else [])


def test_without_news_nobody_is_told_anything() -> None:
    """Unless they asked for a digest of every run; what still stands is then in it."""
    previous, record = a_run(a_finding("hsc")), a_run(a_finding("hsc"), nights=1)
    assert told(a_person(Want()), record, previous) is None
    assert metrics(told(a_person(Want(), always=True), record, previous), Topic.STANDING) == ["PA1"]
    assert told(a_person(), a_run(a_finding("hsc"))) is None


def test_leases_are_told_to_sponsor_deputy_and_the_cameras_followers() -> None:
    """Not to those who asked for a metric only, and by nights only: a commit has nothing to do with it."""
    cameras = [a_camera("hsc", until=TODAY)]
    record = a_run()
    sponsor, deputy = a_person(sponsors=("hsc",)), replace(a_person(), deputy_of=("hsc",))
    for person in (sponsor, deputy, a_person(Want(camera="hsc"))):
        digest = told(person, record, cameras=cameras)
        assert digest is not None
        assert digest.leases[0].startswith("the lease of hsc")
    assert told(a_person(Want(metric="PA1")), record, cameras=cameras) is None
    assert told(a_person(Want(camera="decam")), record, cameras=cameras) is None
    assert told(sponsor, a_run(lane=Lane.COMMIT), cameras=cameras) is None


def test_a_finding_wanted_twice_is_told_once() -> None:
    """With both reasons."""
    digest = told(a_person(Want(camera="hsc"), Want(metric="PA1")), a_run(a_finding("hsc")))
    assert metrics(digest) == ["PA1"]
    assert digest is not None
    assert digest.because == ("you subscribed to camera hsc", "you subscribed to metric PA1")
