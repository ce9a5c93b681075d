from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_registry.model import OwnRaws
from qa.drp.accounting import account
from qa.drp.command import PipelineRun
from qa.drp.harvest import Harvest, of_real_pixels
from qa.drp.ingest import Ingested
from qa.engines.base import Job
from qa.engines.stages import calibrations, measure, process
from qa.errors import EngineError
from qa.model import Measurement, Scope, Stage, Step, Unmeasured
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


def test_data_without_calibration_exposures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run: that no detector can be processed is told later, detector by detector."""
    monkeypatch.setattr("qa.drp.ingest.read_ingested", lambda _: Ingested("testcam", "twin", "Test", "map", ()))
    produced = calibrations(a_job(tmp_path, monkeypatch), lambda _done, _total: None)
    assert produced.caveats == ("there are no calibration exposures",)


@pytest.mark.parametrize("reference", [True, False])
def test_raws_without_a_reference_are_tied_to_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, reference: bool
) -> None:
    """A user's raws are calibrated relative to each other only where there is no reference catalogue."""
    asked: list[PipelineRun] = []
    pytest.importorskip("lsst.pipe.base")
    from qa.drp.executor.run import Execution

    def execute(what: PipelineRun, **options: object) -> Execution:
        assert options["workers"] == 3
        asked.append(what)
        return Execution(1, again=("isr visit 1: done again",))

    run = PipelineRun(tmp_path, "obsqa", tmp_path, (), "")
    monkeypatch.setattr("qa.drp.command.processing", lambda *_args, **_options: run)
    monkeypatch.setattr("qa.drp.executor.run.execute", execute)
    monkeypatch.setattr("qa.drp.executor.run.log_like_pipetask", lambda: None)
    dataset = OwnRaws(name="m51", bands=("r",), reference=reference)
    step = Step("testcam", "m51", Stage.PROCESS)
    job = Job(step, a_camera(), dataset, tmp_path, tmp_path, tmp_path, workers=3)
    assert process(job, lambda _done, _total: None).caveats == ("isr visit 1: done again",)
    assert asked[0].config == (() if reference else (("calibrate", "relative", "True"),))


def test_of_real_pixels_no_truth_is_told() -> None:
    """What rests on the truth is left out; without a reference, depths say why they are not measured."""
    scope = Scope("testcam", "m51", "r", 0)
    depth, fwhm = (Measurement(name, scope, 24.5, unit, 9) for name, unit in (("D1", "mag"), ("psf_fwhm", "arcsec")))
    bias = Measurement("photometric_bias", scope, 1.0, "mmag", 9)
    assert of_real_pixels((depth, fwhm, bias), reference=True) == (depth, fwhm)
    absent, same = of_real_pixels((depth, fwhm, bias), reference=False)
    assert same == fwhm
    assert isinstance(absent, Unmeasured)
    assert absent.reason == "magnitudes on the AB scale are needed, and there is no reference catalogue"
