from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from obs_registry.lease import LeaseState, renewed, state_of
from obs_registry.loader import read_registry
from obs_registry.model import Camera, Lane, Suite
from obs_registry.rewrite import renewed_text
from obs_registry.select import touched
from obs_registry.services import Service
from qa.testing import NOW, a_camera

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = """schema: 1
name: archive
title: Alert archive
package: {name: alert_archive, repository: https://example.org/alert_archive}
sponsor: {team: archive team, contact: archive@example.org, deputy: deputy@example.org}
lease: {granted: 2026-01-01, until: 2027-12-31}
datasets:
  - name: queries
    kind: suite
    lane: nightly
    source: tests
    command: [pytest, "{source}", --junitxml=junit.xml]
    results: ["*.xml"]
    limits:
      - {metric: query_seconds, at_most: 2.0}
"""


def _read(tmp_path: Path, text: str) -> tuple[Service | None, list[str]]:
    folder = tmp_path / "services"
    folder.mkdir()
    (folder / "archive.yaml").write_text(text)
    (tmp_path / "empty").mkdir()
    reading = read_registry([tmp_path], shipped=tmp_path / "empty", plugins=False)
    found = reading.registry.get("archive")
    assert found is None or isinstance(found, Service)
    return found, [f"{one.line}: {one.key}: required {one.required}, found {one.found}" for one in reading.faults]


def test_a_service_is_read_from_the_folder_beside_the_cameras(tmp_path: Path) -> None:
    """It has a sponsor, a lease and suites as a camera has data sets, and no instrument and no band."""
    service, faults = _read(tmp_path, SERVICE)
    assert faults == []
    assert service is not None
    assert isinstance(service, Camera)
    assert service.bands == ()
    assert service.instrument.detectors == 0
    (suite,) = service.datasets
    assert (suite.kind, suite.lane, suite.bands) == ("suite", Lane.NIGHTLY, ())
    assert suite.source == str(tmp_path / "services" / "./tests")
    assert state_of(service, NOW.date()) is LeaseState.SPONSORED
    assert touched([service], ["alert_archive"], today=NOW.date()) == (service,)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title:", "instrument: {}\ntitle:", "3: instrument: required one of the keys datasets, "),
        ("limits:", "limit:", "14: datasets.0.limit: required one of the keys bands, command, "),
        (
            '["*.xml"]',
            '["../*.xml"]',
            "13: datasets.0.results.0: required a pattern of files in the command's own folder",
        ),
        ('["*.xml"]', '["/tmp/*.xml"]', "13: datasets.0.results.0: required a pattern of files"),
        (
            'command: [pytest, "{source}", --junitxml=junit.xml]',
            "command: []",
            "12: datasets.0.command: required a list",
        ),
        (", at_most: 2.0", "", "15: datasets.0.limits.0.at_least: required one of at_most and at_least, found neither"),
        ("at_most: 2.0", "at_most: 2.0, at_least: 1.0", "15: datasets.0.limits.0.at_least: required one of"),
        ("at_most: 2.0", "at_most: .nan", "15: datasets.0.limits.0.at_most: required a finite number"),
        ("kind: suite", "kind: twin", "kind"),
        ("name: archive\n", "name: other\n", "2: name: required 'archive', like the file"),
    ],
)
def test_what_is_wrong_with_a_service_is_told_at_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    """As of a camera: the key, what was required and what was found."""
    assert old in SERVICE
    service, faults = _read(tmp_path, SERVICE.replace(old, new, 1))
    assert service is None
    assert any(told in one for one in faults), faults


def test_a_camera_may_have_a_suite_beside_its_data() -> None:
    """The tests of its own package."""
    suite = Suite(name="own-tests", lane=Lane.COMMIT, command=("scons",), results=("tests/.tests/*.xml",))
    plain = a_camera().model_dump(mode="json")
    camera = Camera.model_validate(plain | {"datasets": [*plain["datasets"], suite.model_dump(mode="json")]})
    assert camera.datasets[-1] == suite


def test_a_service_cannot_have_the_name_of_a_camera(tmp_path: Path) -> None:
    """Both share plans, records and reports."""
    for folder in ("services", "more/services"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "archive.yaml").write_text(SERVICE)
    (tmp_path / "empty").mkdir()
    reading = read_registry([tmp_path, tmp_path / "more"], shipped=tmp_path / "empty", plugins=False)
    assert list(reading.registry) == ["archive"]
    assert "which is in" in reading.faults[0].found


def test_the_lease_of_a_service_is_renewed_in_its_file(tmp_path: Path) -> None:
    """Also where the file names paths, which are seen from its folder."""
    service, _ = _read(tmp_path, SERVICE)
    assert service is not None
    until = date(2028, 6, 30)
    text = renewed_text(SERVICE, renewed(service, until=until, today=NOW.date()))
    assert text == SERVICE.replace("granted: 2026-01-01, until: 2027-12-31", "granted: 2026-03-01, until: 2028-06-30")
