"""Writes a renewed lease into the text of a camera file, leaving comments and layout as they are. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_registry.document import replace
from obs_registry.errors import LeaseError
from obs_registry.loader import parse_camera

if TYPE_CHECKING:
    from datetime import date

    from obs_registry.model import Camera


_WITH_PATHS = ("datasets", "runtime", "requirements")


def renewed_text(text: str, camera: Camera) -> str:
    """Return a camera file's text with the lease and the contact of `camera`.

    Raises
    ------
    LeaseError
        If the text then does not read as `camera`: it says more than its lease differently, or repeats keys by
        anchors, so that one change changes several.
    """
    before = parse_camera(text, camera.name, kind=type(camera)).camera
    try:
        renewed = replace(text, _changes(before, camera) if before else {})
    except KeyError:  # merged from an anchor elsewhere
        renewed = text
    # Paths in the file are seen from its folder, which those of the camera are not any more.
    wanted = before and camera.model_copy(update={name: getattr(before, name) for name in _WITH_PATHS})
    if wanted is None or parse_camera(renewed, camera.name, kind=type(camera)).camera != wanted:
        required = "a file in which only the lease and the contact change"
        raise LeaseError(camera.name, required=required, found="one that must be edited by hand")
    return renewed


def _changes(before: Camera, after: Camera) -> dict[tuple[str, ...], date | str]:
    old, new = _renewable(before), _renewable(after)
    return {key: value for key, value in new.items() if old.get(key) != value}


def _renewable(camera: Camera) -> dict[tuple[str, ...], date | str]:
    values: dict[tuple[str, ...], date | str] = {}
    if camera.lease:
        values |= {("lease", "granted"): camera.lease.granted, ("lease", "until"): camera.lease.until}
    if camera.sponsor:
        values[("sponsor", "contact")] = camera.sponsor.contact
    return values
