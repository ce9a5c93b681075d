from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qa.drp.accounting import account
from qa.drp.harvest import Harvest
from qa.engines.base import Job
from qa.engines.stages import measure
from qa.errors import EngineError
from qa.model import Measurement, Scope, Stage, Step
from qa.testing import a_camera, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

    from qa.model import Result

COST = Measurement("cpu_per_megapixel", Scope("testcam", "twin", task="isr"), 20.0, "ms/Mpix", 1)
NO_DATA = "isr detector 3: detector: must have pixels with data, found none"


def a_job(folder: Path, monkeypatch: pytest.MonkeyPatch, *results: Result) -> Job:
    """Build a measuring job whose repository gives these results and lost a detector."""
    found = Harvest(results, (), (NO_DATA,), account(()), (), ())
    monkeypatch.setattr("qa.drp.harvest.harvest", lambda *_: found)
    camera = a_camera()
    return Job(
        Step("testcam", "twin", Stage.MEASURE), camera, camera.datasets[0], folder, folder, folder, keep_pixels=True
    )


def test_a_camera_of_which_no_band_was_measured_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all detectors were left out, the first reason is the camera's: costs alone are no measurement of it."""
    with pytest.raises(EngineError, match=NO_DATA):
        measure(a_job(tmp_path, monkeypatch, COST), lambda _done, _total: None)


def test_data_left_out_are_caveats_of_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One lost detector is told beside the results of the others."""
    produced = measure(a_job(tmp_path, monkeypatch, COST, a_measurement()), lambda _done, _total: None)
    assert produced.caveats == (NO_DATA,)
    assert produced.results == (COST, a_measurement())
