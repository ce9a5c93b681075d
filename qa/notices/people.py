"""Everybody who may be told something: the people of the site and the sponsors of the cameras, each of them once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from obs_registry.lease import state_of
from qa.notices.model import Address, Person, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from obs_registry.model import Camera


@dataclass(frozen=True, slots=True)
class Everybody:
    """The people there are, and a line for each contact nobody can write to."""

    people: tuple[Person, ...]
    unreachable: tuple[str, ...] = ()


def everybody(people: Iterable[Person], cameras: Iterable[Camera], today: date) -> Everybody:
    """Add the contacts and deputies of the cameras in use to the people of a site.

    A contact who is one of these, by mail address or by what that person is known as, is told in one digest. A contact
    that is a web address can be told only so.
    """
    found = list(people)
    known = {handle: number for number, one in enumerate(found) for handle in _handles(one)}
    unreachable: list[str] = []
    for camera in cameras:
        for contact, with_role in _contacts(camera, today):
            number = known.get(contact.casefold())
            if number is None and "@" not in contact.partition("://")[0]:
                unreachable.append(_nobody(camera, contact))
                continue
            if number is None:
                number = known[contact.casefold()] = len(found)
                found.append(Person(contact, (Address(Service.MAIL, contact),)))
            found[number] = with_role(found[number], camera.name)
    return Everybody(tuple(found), tuple(unreachable))


def _handles(person: Person) -> Iterable[str]:
    mails = (one.where for one in person.addresses if one.service is Service.MAIL)
    return (handle.casefold() for handle in (*mails, *person.known_as))


def _contacts(camera: Camera, today: date) -> Iterable[tuple[str, Callable[[Person, str], Person]]]:
    """Return whom to write to of a camera, and how such a person is given that role."""
    if camera.sponsor is None or not state_of(camera, today).runs:
        return ()
    return (camera.sponsor.contact, _as_sponsor), (camera.sponsor.deputy, _as_deputy)


def _as_sponsor(person: Person, camera: str) -> Person:
    return replace(person, sponsors=(*person.sponsors, camera))


def _as_deputy(person: Person, camera: str) -> Person:
    return replace(person, deputy_of=(*person.deputy_of, camera))


def _nobody(camera: Camera, contact: str) -> str:
    return (
        f"{camera.name}: its contact must be a mail address to be told anything, found {contact}; "
        "name a person of the subscriptions who is known_as that"
    )
