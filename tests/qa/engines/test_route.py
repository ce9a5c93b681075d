from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Batch, BatchService, Camera, OwnRaws, Runtime, Stored
from qa.engines.base import Job
from qa.engines.recorded import RecordedEngine
from qa.engines.route import Place, RoutingEngine, place_of
from qa.errors import EngineError
from qa.model import Stage, Step, StepStatus
from qa.testing import a_camera

if TYPE_CHECKING:
    from pathlib import Path

    from obs_registry.model import Dataset

STORED = Stored(
    name="ci",
    kind="butler",
    lane="nightly",
    bands=("r",),
    repository="/repo",
    collections=("HSC/defaults",),
    pipeline="$DRP_PIPE_DIR/x.yaml",
    bundles=("*_metrics",),
)
OWN = OwnRaws(name="m51", bands=("r",), reference=False)
IMAGE, BATCH = Runtime(image="obsqa:night"), Runtime(image="i", batch=Batch(service=BatchService.SLURM))


def a_job(folder: Path, runtime: Runtime, dataset: Dataset | None = None) -> Job:
    """Build a job of a camera with a runtime."""
    camera: Camera = a_camera().model_copy(update={"runtime": runtime})
    chosen = dataset or camera.datasets[0]
    return Job(Step("testcam", chosen.name, Stage.PROCESS), camera, chosen, folder, folder, folder)


@pytest.mark.parametrize(
    ("runtime", "dataset", "place"),
    [
        (Runtime(), None, Place.LOCAL),
        (Runtime(setup="setup.sh"), None, Place.LOCAL),
        (IMAGE, None, Place.CONTAINER),
        (IMAGE, OWN, Place.CONTAINER),
        (IMAGE, STORED, Place.STACK),
        (BATCH, STORED, Place.STACK),
        (BATCH, None, Place.BATCH),
    ],
)
def test_a_cameras_runtime_says_where_its_steps_go(
    tmp_path: Path, runtime: Runtime, dataset: Dataset | None, place: Place
) -> None:
    """Steps of what others process are steered from here: only their commands go into containers."""
    assert place_of(a_job(tmp_path, runtime, dataset)) is place


def test_an_engine_is_made_once_and_only_when_it_is_needed(tmp_path: Path) -> None:
    """A night without containers needs no Docker Engine."""
    made: list[RecordedEngine] = []

    def make() -> RecordedEngine:
        made.append(RecordedEngine({}))
        return made[-1]

    def refuse() -> RecordedEngine:
        pytest.fail("not needed")

    engine = RoutingEngine({Place.LOCAL: make, Place.CONTAINER: refuse})
    for _ in range(2):
        assert engine.run(a_job(tmp_path, Runtime()), lambda *_: None).outcome.status is StepStatus.DONE
    assert [one.ran for one in made] == [["testcam/twin/process"] * 2]


def test_an_engine_that_is_not_there_fails_its_own_cameras_only(tmp_path: Path) -> None:
    """The line is the engine's, and other cameras go on."""

    def gone() -> RecordedEngine:
        text = "a Docker Engine must answer"
        raise EngineError(text)

    engine = RoutingEngine({Place.LOCAL: lambda: RecordedEngine({}), Place.CONTAINER: gone})
    outcome = engine.run(a_job(tmp_path, IMAGE), lambda *_: None).outcome
    assert (outcome.status, outcome.message) == (StepStatus.FAILED, "a Docker Engine must answer")
    assert engine.run(a_job(tmp_path, Runtime()), lambda *_: None).outcome.status is StepStatus.DONE
    outcome = engine.run(a_job(tmp_path, BATCH), lambda *_: None).outcome
    assert outcome.message == "no engine carries out steps in a batch; known: local, container"
