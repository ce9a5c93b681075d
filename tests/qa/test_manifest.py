from __future__ import annotations

from qa.manifest import expected
from qa.metrics import catalogue
from qa.model import Scope
from qa.testing import a_camera


def test_every_metric_is_owed_in_every_band_it_is_defined_in() -> None:
    """A metric of all bands is owed once a band; one that is measured per task is owed by no one."""
    camera = a_camera(bands=("g", "r"))
    owed = expected(camera.name, camera.datasets[0], catalogue())
    assert {("PA1", Scope("testcam", "twin", band, 0)) for band in ("g", "r")} <= owed
    assert not [metric for metric, _ in owed if catalogue()[metric].per_task]


def test_a_metric_is_not_owed_outside_its_bands() -> None:
    """LPM-17 defines the astrometric repeatability in r and i: nobody misses it in g."""
    camera = a_camera(bands=("g", "r"))
    owed = expected(camera.name, camera.datasets[0], catalogue())
    assert {scope.band for metric, scope in owed if metric == "AM1"} == {"r"}
