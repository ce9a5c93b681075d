from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Limits, Runtime, Stored
from qa.engines.base import Job
from qa.engines.stack import StackEngine
from qa.model import Measurement, Stage, Step, StepStatus
from qa.testing import a_camera

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Stack

pytestmark = pytest.mark.pipeline


def test_a_repository_of_others_is_processed_in_a_container(toy_stack: Stack, whole_image: str, tmp_path: Path) -> None:
    """Repository and pipeline are mounted, all else is the image's; the numbers are those of the arithmetic."""
    code = tmp_path / "code"
    code.mkdir()
    shutil.copy(toy_stack.code / "toycam.py", code)
    shutil.copy(toy_stack.code / "pipelines" / "toy.yaml", code)
    repository = tmp_path / "repo"
    shutil.copytree(toy_stack.repository, repository)
    setup = tmp_path / "setup.sh"
    setup.write_text(f"export PYTHONPATH={code}\n")
    folder = tmp_path / "night"
    folder.mkdir()
    dataset = Stored(
        name="sky",
        kind="butler",
        lane="nightly",
        bands=("g", "r"),
        repository=str(repository),
        collections=("ToyCam/defaults",),
        query="instrument = 'ToyCam' AND skymap = 'toy_sky'",
        pipeline=f"{code}/toy.yaml#all",
        bundles=("*Core_metrics",),
    )
    runtime = Runtime(image=whole_image, setup=str(setup), limits=Limits(hours=0.2))
    camera = a_camera().model_copy(update={"datasets": (dataset,), "runtime": runtime})
    for stage in (Stage.PROCESS, Stage.MEASURE):
        job = Job(Step("testcam", "sky", stage), camera, dataset, folder, folder, folder)
        report = StackEngine().run(job, lambda *_: None)
        assert report.outcome.status is StepStatus.DONE, report.outcome.message
    found = {(one.metric, one.scope.band): one.value for one in report.results if isinstance(one, Measurement)}
    assert found["toy_tools.tractSky_meanLevel", "r"] == pytest.approx(231.5)
    assert found["toy_tools.tractCount_detectors", None] == 6
    owners = {path.stat().st_uid for path in repository.rglob("*")}
    assert owners == {folder.stat().st_uid}  # what the container wrote is the caller's
