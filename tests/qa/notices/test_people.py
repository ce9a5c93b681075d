from __future__ import annotations

from datetime import date

from obs_registry.model import Camera, Sponsor
from qa.notices.model import Address, Person, Service
from qa.notices.people import everybody
from qa.testing import a_camera

TODAY = date(2026, 6, 1)


def sponsored(name: str, contact: str, deputy: str = "deputy@example.org") -> Camera:
    """Build a camera with this contact."""
    sponsor = Sponsor(team="the test team", contact=contact, deputy=deputy)
    return a_camera(name).model_copy(update={"sponsor": sponsor})


def a_person(mail: str, *, known_as: tuple[str, ...] = ()) -> Person:
    """Build a person of the site."""
    return Person("Ada", (Address(Service.MAIL, mail),), known_as=known_as)


def test_sponsors_are_people() -> None:
    """The contact and the deputy of a camera, each with what they answer for."""
    found = everybody([], [sponsored("hsc", "hsc@example.org"), sponsored("decam", "hsc@example.org")], TODAY).people
    assert [(one.name, one.sponsors, one.deputy_of) for one in found] == [
        ("hsc@example.org", ("hsc", "decam"), ()),
        ("deputy@example.org", (), ("hsc", "decam")),
    ]


def test_one_who_is_both_is_there_once() -> None:
    """By mail address, whatever its case; the name and the subscriptions of the site stay."""
    (ada, deputy) = everybody([a_person("Ada@Example.org")], [sponsored("hsc", "ada@example.ORG")], TODAY).people
    assert (ada.name, ada.sponsors) == ("Ada", ("hsc",))
    assert deputy.deputy_of == ("hsc",)


def test_a_contact_and_deputy_in_one_is_there_once() -> None:
    """In both roles."""
    (one,) = everybody([], [sponsored("hsc", "a@example.org", "a@example.org")], TODAY).people
    assert (one.sponsors, one.deputy_of) == (("hsc",), ("hsc",))


def test_a_web_address_is_somebody_the_site_knows() -> None:
    """Or nobody, which is told with what to do."""
    cameras = [sponsored("hsc", "https://example.org/hsc")]
    known = everybody([a_person("a@example.org", known_as=("https://example.org/hsc",))], cameras, TODAY)
    assert known.people[0].sponsors == ("hsc",)
    assert not known.unreachable
    (line,) = everybody([], cameras, TODAY).unreachable
    assert line.startswith("hsc: its contact must be a mail address to be told anything, found https://example.org/hsc")


def test_cameras_out_of_use_have_nobody() -> None:
    """Retired ones, and those without a sponsor."""
    retired = a_camera("hsc", retired=date(2026, 1, 2))
    proposed = a_camera("vircam").model_copy(update={"sponsor": None, "lease": None})
    assert everybody([], [retired, proposed], TODAY).people == ()
