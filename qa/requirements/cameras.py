"""What a camera's file says of requirements, checked against the requirements: its profile, its waivers.

The registry cannot do that itself: it knows no metrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_registry.document import parse
from obs_registry.errors import Fault
from qa.errors import RequestError
from qa.requirements.loader import load
from qa.requirements.waivers import Waiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from obs_registry import model
    from obs_registry.document import Document
    from qa.requirements.document import Requirements


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a camera's requirements, and what is merely worth knowing: waivers that have expired."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def waivers_of(requirements: model.Requirements) -> tuple[Waiver, ...]:
    """Return the waivers of a camera's file."""
    return tuple(
        Waiver(one.metric, one.reason, one.expires, bands=one.bands, ticket=one.ticket) for one in requirements.waivers
    )


def check_camera(camera: model.Camera, path: Path, *, today: date) -> Checked:
    """Check the profile and the waivers of a camera; `path` is its file, for the lines."""
    document = parse(path.read_text(encoding="utf-8"))
    faults, warnings = [], []
    try:
        profile = load(camera.requirements.profile)
    except RequestError as error:
        required = "a requirements document that exists and is sound"
        found = str(error).partition("\n")[0]
        return Checked((_fault(document, path, ("requirements", "profile"), required, found),), ())
    for place, waiver in enumerate(waivers_of(camera.requirements)):
        for key, required, found in _wrong(waiver, profile):
            faults.append(_fault(document, path, ("requirements", "waivers", place, key), required, found))
        if not waiver.holds(today):
            days = (today - waiver.expires).days
            found = f"{waiver.expires}, past for {days} day{'s' if days > 1 else ''}"
            required = "a day that is still to come, or no waiver"
            where = ("requirements", "waivers", place, "expires")
            warnings.append(_fault(document, path, where, required, found))
    return Checked(tuple(faults), tuple(warnings))


def _wrong(waiver: Waiver, profile: Requirements) -> Iterator[tuple[str, str, str]]:
    """Find what a waiver names that the requirements do not: key, what was required, what was found."""
    requirement = profile.requirement(waiver.metric)
    if requirement is None:
        yield "metric", f"a metric of the camera's requirements ({', '.join(profile.metrics)})", repr(waiver.metric)
        return
    idle = [band for band in waiver.bands or () if profile.ladder(waiver.metric, band) is None]
    if idle:
        yield "bands", f"bands in which {waiver.metric} is required", ", ".join(idle)


def _fault(document: Document, path: Path, key: tuple[str | int, ...], required: str, found: str) -> Fault:
    return Fault(str(path), document.line(*key), ".".join(map(str, key)), required, found)
