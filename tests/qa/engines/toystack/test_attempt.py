from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Batch, BatchService, Limits, Runtime, Stored
from qa.engines.base import Job, StepReport
from qa.engines.stack import StackEngine
from qa.model import Stage, Step, StepStatus
from qa.testing import a_camera

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Stack

pytestmark = pytest.mark.pipeline
pytest.importorskip("lsst.ctrl")
pytest.importorskip("parsl")

BPS = "import sys\nfrom lsst.ctrl.bps.cli.bps import main\nsys.exit(main())\n"


@pytest.fixture(scope="session")
def batch_stack(toy_stack: Stack) -> Stack:
    """Return the toy stack with BPS and what Parsl looks for on PATH."""
    ours = Path(sys.executable).parent
    for name in ("process_worker_pool.py", "interchange.py"):
        shutil.copy(ours / name, toy_stack.env / "bin" / name)
    texts = {"bps": BPS} | {name: (ours / name).read_text() for name in ("process_worker_pool.py", "interchange.py")}
    for name, text in texts.items():
        script = toy_stack.env / "bin" / name
        script.write_text(f"#!{toy_stack.env}/bin/python\n{text}")
        script.chmod(0o755)
    return toy_stack


@pytest.fixture
def step(tmp_path: Path, batch_stack: Stack) -> Callable[..., StepReport]:
    """Return a function that carries out one stage of the toy stack's data, by Parsl unless `batch` is None."""

    def carry_out(stage: Stage, name: str, batch: Batch | None, **changes: object) -> StepReport:
        sound = {
            "name": "sky",
            "kind": "butler",
            "lane": "nightly",
            "bands": ["g", "r"],
            "repository": "$TOY_DATA/repo",
            "collections": ["ToyCam/defaults"],
            "query": "instrument = 'ToyCam' AND skymap = 'toy_sky'",
            "pipeline": "$TOY_PIPE_DIR/pipelines/toy.yaml#all",
            "bundles": ["*_metrics"],
        }
        dataset = Stored.model_validate(sound | changes)
        runtime = Runtime(setup=str(batch_stack.setup), limits=Limits(hours=0.2), batch=batch)
        camera = a_camera().model_copy(update={"datasets": (dataset,), "runtime": runtime})
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        job = Job(Step("testcam", "sky", stage), camera, dataset, folder, folder, folder)
        return StackEngine().run(job, lambda *_: None)

    return carry_out


PARSL = Batch(service=BatchService.PARSL, options={"cores": 2}, quanta_per_job=4)


def test_somebody_elses_pipeline_runs_by_bps_where_there_is_no_obsqa(step: Callable[..., StepReport]) -> None:
    """Graph, jobs and collection are made in the stack's own environment, and give the same numbers as `pipetask`."""
    results = []
    for name, where in (("here", None), ("bps", PARSL)):
        for stage in (Stage.PROCESS, Stage.MEASURE):
            report = step(stage, name, where)
            assert report.outcome.status is StepStatus.DONE, report.outcome.message
        results.append(report.results)
    assert results[0] == results[1] != ()


def test_a_quantum_that_fails_there_is_told_and_taken_up_again(step: Callable[..., StepReport], tmp_path: Path) -> None:
    """The others go on; a second attempt has the same graph, and passes over what is done."""
    first, second = (step(Stage.PROCESS, "bps", PARSL, config={"sky": {"refuses": 12}}) for _ in range(2))
    for report in (first, second):
        assert report.outcome.status is StepStatus.CAVEATS, report.outcome.message
        assert [line.partition(":")[0] for line in sorted(report.caveats)] == [
            f"sky instrument ToyCam detector {detector} visit 12" for detector in (0, 1)
        ]
    ((_, again),) = [sorted(path.iterdir()) for path in (tmp_path / "bps" / "batch").iterdir()]
    assert "refused" in first.caveats[0]
    assert f"qgraphFile: {again.with_name('001')}/submit/" in (again / "bps.yaml").read_text()
