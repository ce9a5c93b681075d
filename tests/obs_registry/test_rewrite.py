from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_registry.errors import LeaseError
from obs_registry.lease import renewed
from obs_registry.loader import parse_camera
from obs_registry.rewrite import renewed_text

if TYPE_CHECKING:
    from obs_registry.model import Camera

TODAY = date(2026, 11, 22)


def camera_of(text: str) -> Camera:
    """Read a sound text."""
    camera = parse_camera(text, "curio.yaml").camera
    assert camera is not None
    return camera


def test_only_the_dates_change(sound: str) -> None:
    """Comments, order and layout stay; the contact is not touched when it is the same."""
    after = renewed(camera_of(sound), until=date(2028, 1, 1), today=TODAY)
    expected = sound.replace("granted: 2026-01-01", "granted: 2026-11-22").replace(
        "until: 2026-12-31", "until: 2028-01-01"
    )
    assert renewed_text(sound, after) == expected


def test_a_new_contact_is_written(sound: str) -> None:
    """The contact goes to its place, the deputy stays."""
    after = renewed(camera_of(sound), until=date(2028, 1, 1), contact="https://example.org/#curio", today=TODAY)
    assert '  contact: "https://example.org/#curio"\n  deputy: deputy@example.org\n' in renewed_text(sound, after)


@given(st.dates(date(2027, 1, 1), date(2100, 1, 1)), st.emails() | st.none())
def test_the_new_text_reads_as_the_renewed_camera(until: date, contact: str | None) -> None:
    """Writing and reading agree, whatever the contact is made of."""
    sound = TEXT
    after = renewed(camera_of(sound), until=until, contact=contact, today=TODAY)
    assert camera_of(renewed_text(sound, after)) == after


def test_a_renewal_without_change_is_no_change(sound: str) -> None:
    """The same camera is the same text."""
    assert renewed_text(sound, camera_of(sound)) == sound


def test_a_camera_without_a_lease_has_nothing_to_change() -> None:
    """A proposed camera's text stays as it is."""
    text = "".join(line for line in TEXT.splitlines(keepends=True) if not line.startswith(("sponsor", "lease")))
    assert renewed_text(text, camera_of(text)) == text


def test_a_lease_that_an_anchor_shares_is_left_to_its_owner(sound: str) -> None:
    """Where one change would change two things, nothing is written."""
    text = sound.replace("until: 2026-12-31 ", "until: &end 2026-12-31 ") + "retired: *end\n"
    with pytest.raises(LeaseError, match="must be edited by hand"):
        renewed_text(text, renewed(camera_of(text), until=date(2028, 1, 1), today=TODAY))


def test_a_lease_that_is_merged_from_elsewhere_is_left_to_its_owner(sound: str) -> None:
    """The same, where the key is not even there."""
    old = "sponsor:\n  team: Curio team\n  contact: curio@example.org\n"
    new = "sponsor:\n  team: Curio team\n  <<: {contact: curio@example.org}\n"
    text = sound.replace(old, new)
    after = renewed(camera_of(text), until=date(2028, 1, 1), contact="new@example.org", today=TODAY)
    with pytest.raises(LeaseError, match="must be edited by hand"):
        renewed_text(text, after)


def test_nothing_but_the_lease_is_written(sound: str) -> None:
    """A camera that differs elsewhere is refused, and so is a text that is no camera."""
    other = camera_of(sound).model_copy(update={"title": "Another"})
    with pytest.raises(LeaseError):
        renewed_text(sound, other)
    with pytest.raises(LeaseError):
        renewed_text("a: 1", camera_of(sound))


TEXT = """\
schema: 1
name: curio
title: Curio
package: {name: obs_curio, repository: https://example.org/obs_curio}
sponsor: {team: Curio team, contact: curio@example.org, deputy: deputy@example.org}
lease: {granted: 2026-01-01, until: 2026-12-31}
instrument:
  {name: C, detectors: 1, detector_size: [8, 8], pixel_um: 10, plate_scale: 20, pixel_scale: 0.2, filters: {r: r}}
"""
