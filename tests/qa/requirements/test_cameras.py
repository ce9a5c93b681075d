"""A camera's requirements: its profile and waivers."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from obs_registry.loader import read_file
from qa.requirements.cameras import Checked, check_camera, waivers_of

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 23)


def check(folder: Path, requirements: str) -> Checked:
    """Check the camera hsc with other requirements."""
    text = (files("obs_registry") / "cameras" / "hsc.yaml").read_text()
    head = text[: text.index("requirements:")]
    path = folder / "hsc.yaml"
    path.write_text(head + requirements)
    entry = read_file(path)
    assert entry.faults == ()
    assert entry.camera is not None
    return check_camera(entry.camera, path, today=TODAY)


WAIVER = """\
requirements:
  profile: lpm-17
  waivers:
    - metric: {metric}
      bands: {bands}
      reason: the ghost of the filter
      ticket: DM-1
      expires: {expires}
"""


def test_a_waiver_of_what_is_required_is_sound(tmp_path: Path) -> None:
    """And is what the verdict is given."""
    text = WAIVER.format(metric="PA1", bands="[r, i]", expires="2026-11-23")
    assert check(tmp_path, text) == Checked((), ())
    entry = read_file(tmp_path / "hsc.yaml").camera
    assert entry is not None
    (one,) = waivers_of(entry.requirements)
    assert (one.metric, one.bands, one.ticket, one.expires) == ("PA1", ("r", "i"), "DM-1", TODAY)
    assert one.reason == "the ghost of the filter"


@pytest.mark.parametrize(
    ("metric", "bands", "key", "required"),
    [
        ("PA11", "[r]", "metric", "a metric of the camera's requirements (PA1, PF1"),
        ("AM1", "[r, g, z]", "bands", "bands in which AM1 is required"),
    ],
)
def test_a_waiver_of_what_is_not_required_is_a_fault(
    tmp_path: Path, metric: str, bands: str, key: str, required: str
) -> None:
    """With file, line, key and what was found."""
    checked = check(tmp_path, WAIVER.format(metric=metric, bands=bands, expires="2027-01-01"))
    (fault,) = checked.faults
    assert fault.key == f"requirements.waivers.0.{key}"
    assert fault.required.startswith(required)
    assert fault.found == ("'PA11'" if key == "metric" else "g, z")
    lines = (tmp_path / "hsc.yaml").read_text().splitlines()
    assert f"{key}:" in lines[fault.line - 1]
    assert checked.warnings == ()


@pytest.mark.parametrize(
    ("expires", "found"), [("2026-11-22", "2026-11-22, past for 1 day"), ("2026-10-01", "2026-10-01, past for 53 days")]
)
def test_an_expired_waiver_is_told(tmp_path: Path, expires: str, found: str) -> None:
    """It is no fault of the file: the file did not change."""
    checked = check(tmp_path, WAIVER.format(metric="PA1", bands="[r]", expires=expires))
    (warning,) = checked.warnings
    assert (warning.key, warning.found) == ("requirements.waivers.0.expires", found)
    assert checked.faults == ()


def test_a_profile_that_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    """The waivers cannot be checked then."""
    (fault,) = check(tmp_path, "requirements: {profile: nosuch}\n").faults
    assert fault.key == "requirements.profile"
    assert "'nosuch'; known: lpm-17" in fault.found


def test_a_telescopes_own_profile_lies_beside_its_cameras(tmp_path: Path) -> None:
    """In the folder `requirements`, by name or by path; what is wrong with it is told with the camera."""
    (tmp_path / "requirements").mkdir()
    own = tmp_path / "requirements" / "mine.yaml"
    own.write_text("base: lpm-17-elsewhere\nwhy: a test\nwithout: [PA1]\n")
    for name in ("mine", "requirements/mine.yaml"):
        text = WAIVER.format(metric="PA1", bands="[r]", expires="2027-01-01").replace("lpm-17", name)
        (fault,) = check(tmp_path, text).faults
        assert fault.key.endswith("metric")
        assert "(PF1, " in fault.required
    own.write_text("base: lpm-17\nwhy: a test\nwithout: [XX]\n")
    (fault,) = check(tmp_path, "requirements: {profile: mine}\n").faults
    assert "mine.yaml:3: without: must name metrics of lpm-17, got XX" in fault.found


def test_a_path_that_leads_nowhere_is_a_fault_of_the_camera_file(tmp_path: Path) -> None:
    """Told when the file is read."""
    text = (files("obs_registry") / "cameras" / "hsc.yaml").read_text()
    path = tmp_path / "hsc.yaml"
    path.write_text(text.replace("profile: lpm-17-elsewhere", "profile: requirements/mine.yaml"))
    entry = read_file(path)
    assert entry.camera is None
    (fault,) = entry.faults
    assert fault.key == "requirements.profile"
    assert fault.found == f"none at {tmp_path}/requirements/mine.yaml"
    assert "profile:" in path.read_text().splitlines()[fault.line - 1]
