"""What checks are given; each has a camera, and as much of the run as it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from ci.suite.night import Night, NotReachedError, NoTwinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci.suite.frames import Calibrated, Twin
    from ci.suite.targets import Target
    from obs_registry.model import Camera

T = TypeVar("T")


def got(what: Callable[[], T]) -> T:
    """Return what a check needs; it is skipped where that cannot be had, which other checks and the run tell."""
    try:
        return what()
    except (NotReachedError, NoTwinError) as error:
        pytest.skip(str(error))


@pytest.fixture
def night(pytestconfig: pytest.Config) -> Night:
    """Return the run behind the checks."""
    from ci.suite.hooks import SUITE  # noqa: PLC0415 - it imports this module

    return pytestconfig.stash[SUITE].night


@pytest.fixture
def camera(target: Target) -> Camera:
    """Return the camera that is checked."""
    return target.camera


@pytest.fixture
def twin(night: Night, camera: Camera) -> Twin:
    """Return the camera's small twin: raw exposures in its own format."""
    return got(lambda: night.twin(camera))


@pytest.fixture
def calibrated(night: Night, camera: Camera) -> Calibrated:
    """Return the camera's small twin with master calibrations."""
    return got(lambda: night.calibrated(camera))
