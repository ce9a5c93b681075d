"""Raw to coadd on the small data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.suite.fixtures import got
from qa.model import Lane, Stage

if TYPE_CHECKING:
    from ci.suite.night import Night
    from obs_registry.model import Camera


@pytest.mark.obsqa(needs="measure", words=("coadd", "process", "calibrate", "characterize"))
def test_raw_to_coadd(camera: Camera, night: Night) -> None:
    """Every step from raw exposures through measurement on coadds ends well, and each band has a measured coadd."""
    record = night.reach(camera.name, Stage.MEASURE)
    small = [dataset for dataset in camera.datasets if dataset.lane.value == Lane.COMMIT.value]
    measured = {(one.scope.dataset, one.scope.band) for one in record.results if one.scope.camera == camera.name}
    assert {(dataset.name, band) for dataset in small for band in dataset.bands} <= measured


@pytest.mark.obsqa(needs="measure", words=("cost", "memory", "resources"))
def test_cost(camera: Camera, night: Night) -> None:
    """No task, nor the middleware, takes so much more time or memory than accepted that it fails."""
    judged = got(lambda: night.judged(camera.name))
    failing = [one.reason for one in judged.values() if one.scope.task and one.status.value == "fail"]
    assert failing == []
