"""A small repository to be processed, and what processes it on a batch system."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Batch, BatchService, Limits, Runtime
from qa.engines.base import Job, StepReport
from qa.model import Stage, Step
from qa.testing import a_camera

if TYPE_CHECKING:
    from obs_registry.model import Option
    from qa.twins.recipe import Recipe

Run = Callable[..., StepReport]


LARGER = {
    "detector_shape": (256, 256),
    "detectors": [{"id": 49, "name": "0_12", "centre": (-140, 0)}, {"id": 50, "name": "1_12", "centre": (140, 0)}],
    "stars": {"density": 150.0, "brightest": 16.0, "faintest": 24.0, "slope": 0.2},
    "tract": {"pixel_scale": 0.2, "npix": 680, "patch_npix": 340, "border": 20},
}
"""What a toy twin needs to have stars enough to be measured."""


@pytest.fixture(scope="session")
def ready(toy_recipe: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bring a small twin into a repository and make its master calibrations, here and in a process of their own."""
    pytest.importorskip("lsst.pipe.base")
    pytest.importorskip("galsim")
    from qa.engines.local import LocalEngine
    from qa.twins.produce import produce

    folder = tmp_path_factory.mktemp("ready")
    (folder / "twin").mkdir()
    recipe = toy_recipe("hsc", **LARGER)
    produce(recipe, dataset="toy", folder=folder / "twin", progress=lambda _done, _total: None)
    for stage in (Stage.INGEST, Stage.CALIBRATIONS):
        outcome = LocalEngine().run(a_job(folder, stage), lambda _step, _done, _total: None).outcome
        assert outcome.message == ""
    return folder


@pytest.fixture
def folder(ready: Path, tmp_path: Path) -> Path:
    """Copy the repository that is ready to be processed."""
    return Path(shutil.copytree(ready, tmp_path / "run", symlinks=True))


def a_job(
    folder: Path, stage: Stage = Stage.PROCESS, *, batch: Batch | None = None, hours: float = 0.5, setup: str = ""
) -> Job:
    """Build a job of a camera that runs on a batch system, or here."""
    runtime = Runtime(batch=batch, limits=Limits(hours=hours, cpus=2.0), setup=setup or None)
    camera = a_camera("hsc").model_copy(update={"runtime": runtime})
    return Job(Step("hsc", "twin", stage), camera, camera.datasets[0], folder, folder, folder, workers=2)


def on_slurm(quanta_per_job: int = 50, **options: Option) -> Batch:
    """Return the partition of the tests' cluster."""
    known: dict[str, Option] = {"partition": "debug", "walltime": "00:30:00", "cores_per_node": 2}
    return Batch(service=BatchService.SLURM, options=known | options, quanta_per_job=quanta_per_job)


@pytest.fixture(name="a_job", scope="session")
def a_job_fixture() -> Callable[..., Job]:
    """Return the function that builds jobs."""
    return a_job


@pytest.fixture(name="on_slurm", scope="session")
def on_slurm_fixture() -> Callable[..., Batch]:
    """Return the function that describes the tests' cluster."""
    return on_slurm
