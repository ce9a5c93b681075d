from __future__ import annotations

from typing import TYPE_CHECKING

from ci.console import LineConsole
from ci.lanes import Context, open_run, run_steps
from ci.publish import conclude
from ci.settings import Settings
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.model import Lane, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.testing import Clock, MemoryStore, a_camera, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def measured(camera: str) -> tuple[str, StepReport]:
    """Return a measuring step's key and report."""
    step = Step(camera, "twin", Stage.MEASURE)
    return step.key, StepReport(StepOutcome(step, StepStatus.DONE, 1, 1, 1), (a_measurement(camera=camera),))


def test_broken_baselines_of_one_camera_leave_the_others_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A baseline file edited into nonsense is told with its name; its camera is not judged, and the night not whole."""
    broken = tmp_path / "baselines" / "broken" / "twin.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("<<<<<<< HEAD\n")
    context = Context(
        settings=Settings(runs=tmp_path / "runs", cache=tmp_path, regression_data=tmp_path),
        cameras=[a_camera("broken"), a_camera("whole")],
        engine=RecordedEngine(dict(map(measured, ("broken", "whole")))),
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={},
    )
    folder = open_run(context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=False)
    run_steps(context, folder)
    record = conclude(context, folder)
    assert "broken is not judged" in capsys.readouterr().err
    assert {one.scope.camera for one in record.comparisons} == {"whole"}
    assert str(broken) in record.unjudged["broken"]
    assert record.exit_code != 0
    assert "broken/twin.json" in (folder / "report" / "index.html").read_text()
