from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_registry.lease import state_of
from obs_registry.model import Camera, Package
from obs_registry.select import touched
from qa.testing import a_camera

TODAY = date(2026, 11, 22)
ENDED = date(2026, 6, 30)


def of_package(name: str, package: str, *watches: str, until: date = date(2028, 1, 1)) -> Camera:
    """Build a camera of a package."""
    repository = f"https://github.com/lsst/{package}.git"
    return a_camera(name, until=until).model_copy(
        update={"package": Package(name=package, repository=repository, watches=watches)}
    )


HSC = of_package("hsc", "obs_subaru", "obs_subaru_data")
LSSTCAM = of_package("lsstcam", "obs_lsst", "obs_lsst_data")
LATISS = of_package("latiss", "obs_lsst", "obs_lsst_data", "testdata_latiss")
ORPHAN = of_package("orphan", "obs_orphan", until=ENDED)
RETIRED = of_package("retired", "obs_retired").model_copy(update={"retired": ENDED})
ALL = (HSC, LSSTCAM, LATISS, ORPHAN, RETIRED)

PACKAGES = ["obs_subaru", "obs_lsst", "obs_lsst_data", "obs_orphan", "obs_retired", "afw", "meas_base", "obs_base"]
CHANGES = st.lists(st.sampled_from(PACKAGES), max_size=4)


def names(*packages: str) -> list[str]:
    """Name the cameras that changes touch."""
    return [camera.name for camera in touched(ALL, packages, today=TODAY)]


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("obs_subaru", ["hsc"]),
        ("obs_subaru_data", ["hsc"]),
        ("obs_lsst", ["lsstcam", "latiss"]),
        ("testdata_latiss", ["latiss"]),
        ("obs_orphan", ["orphan"]),
        ("obs_retired", []),
        ("meas_algorithms", ["hsc", "lsstcam", "latiss"]),
    ],
)
def test_who_is_touched_by_a_package(package: str, expected: list[str]) -> None:
    """A camera's own package touches its cameras; any other touches every camera whose verdict counts."""
    assert names(package) == expected


@pytest.mark.parametrize(
    "written",
    ["lsst/obs_subaru", "https://github.com/lsst/obs_subaru", "git@github.com:lsst/obs_subaru.git", "OBS_Subaru/"],
)
def test_a_package_is_known_however_it_is_written(written: str) -> None:
    """Jenkins, GitHub and people write it differently."""
    assert names(written) == ["hsc"]


def test_a_repository_of_another_name_is_the_camera_s_too() -> None:
    """`legacy-obs_sdss` holds obs_sdss."""
    camera = a_camera().model_copy(
        update={"package": Package(name="obs_sdss", repository="https://github.com/lsst-dm/legacy-obs_sdss")}
    )
    others = (camera, HSC)
    assert touched(others, ["legacy-obs_sdss"], today=TODAY) == (camera,)
    assert touched(others, ["obs_sdss"], today=TODAY) == (camera,)


def test_no_change_touches_nobody() -> None:
    """Without a package there is nothing to choose."""
    assert touched(ALL, [], today=TODAY) == ()


@given(CHANGES, CHANGES)
def test_changes_together_touch_what_they_touch_apart(one: list[str], other: list[str]) -> None:
    """Selection distributes over the union of changes; order and repetition do not matter."""
    apart = {*names(*one), *names(*other)}
    assert set(names(*one, *other)) == apart
    assert names(*other, *one, *one) == names(*one, *other)


@given(CHANGES)
def test_only_cameras_that_run_are_touched_and_in_registry_order(changes: list[str]) -> None:
    """Retired and proposed cameras take no part."""
    chosen = touched(ALL, changes, today=TODAY)
    assert all(state_of(camera, TODAY).runs for camera in chosen)
    assert [camera for camera in ALL if camera in chosen] == list(chosen)


@given(CHANGES)
def test_a_common_package_touches_every_camera_that_gates(changes: list[str]) -> None:
    """A change of the stack is checked on all sponsored cameras, whatever else changed."""
    assert {"hsc", "lsstcam", "latiss"} <= set(names(*changes, "afw"))
