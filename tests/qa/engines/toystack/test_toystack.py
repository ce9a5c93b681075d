from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from ci.cli import run
from obs_registry.model import Limits, Runtime, Stored
from qa.engines.base import Job, StepReport
from qa.engines.stack import StackEngine
from qa.journal import read_record
from qa.model import Measurement, Scope, Stage, Step, StepStatus
from qa.testing import a_camera

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Stack

pytestmark = pytest.mark.pipeline

CAMERA = """\
schema: 1
name: toy
title: Toy camera
package: {name: toycam, repository: https://example.org/toycam}
sponsor: {team: Toy team, contact: toy@example.org, deputy: deputy@example.org}
lease: {granted: 2026-01-01, until: 2126-01-01}
instrument:
  name: ToyCam
  detectors: 2
  detector_size: [10, 10]
  pixel_um: 10
  plate_scale: 20
  pixel_scale: 0.2
  filters: {toy-g: g, toy-r: r}
runtime: {setup: setup.sh}
datasets:
  - name: sky
    kind: butler
    lane: nightly
    bands: [g, r]
    repository: $TOY_DATA/repo
    collections: [ToyCam/defaults]
    pipeline: $TOY_PIPE_DIR/pipelines/toy.yaml
    steps:
      - {subset: step1, query: "instrument = 'ToyCam'", config: {sky: {offset: 1.5, note: "it's $(fine)"}}}
      - {subset: step2, query: "instrument = 'ToyCam' AND skymap = 'toy_sky'", processes: 1}
    bundles: ["*Core_metrics"]
  - name: elsewhere
    kind: butler
    lane: nightly
    bands: [g]
    repository: $TOY_NOWHERE/repo
    collections: [ToyCam/defaults]
    pipeline: $TOY_PIPE_DIR/pipelines/toy.yaml
    bundles: ["*_metrics"]
"""


@pytest.fixture
def registry(tmp_path: Path, toy_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a registry folder with the toy camera, where nights are kept apart from all others."""
    folder = tmp_path / "cameras"
    folder.mkdir()
    (folder / "toy.yaml").write_text(CAMERA)
    (folder / "setup.sh").write_text(f"source {toy_stack.setup}\n")
    (tmp_path / "regression_data").mkdir()
    monkeypatch.setenv("OBSQA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", str(tmp_path / "regression_data"))
    return folder


@pytest.fixture
def step(tmp_path: Path, toy_stack: Stack) -> Callable[..., StepReport]:
    """Return a function that carries out one stage of a data set of the toy stack, with changes to its entry."""
    sound: dict[str, Any] = {
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

    def carry_out(
        stage: Stage = Stage.PROCESS, *, setup: Path = toy_stack.setup, day: str | None = None, **changes: object
    ) -> StepReport:
        dataset = Stored.model_validate(sound | changes)
        runtime = Runtime(setup=str(setup), limits=Limits(hours=0.2))
        camera = a_camera().model_copy(update={"datasets": (dataset,), "runtime": runtime})
        job = Job(Step("testcam", "sky", stage), camera, dataset, tmp_path, tmp_path, tmp_path)
        job = replace(job, calibrations_as_of=None if day is None else date.fromisoformat(day))
        return StackEngine().run(job, lambda *_: None)

    return carry_out


def why(report: StepReport) -> str:
    """Return the message of a step that failed, which is one line."""
    assert report.outcome.status is StepStatus.FAILED
    assert "\n" not in report.outcome.message
    return report.outcome.message


def test_obsqa_is_not_in_the_environment_of_the_stack(toy_stack: Stack) -> None:
    """Nothing of what follows rests on obsqa being importable where the pipeline runs."""
    probe = "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('qa', 'ci', 'lsst.daf.butler')])"
    assert toy_stack.run("python", "-c", probe).strip() == "[False, False, True]"


def test_a_repository_of_others_goes_through_a_whole_night(
    registry: Path, tmp_path: Path, toy_stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Processed behind its set-up script, harvested, judged, accepted, and judged again after a change; reported."""
    nightly = ["nightly", "--registry", str(registry), "--camera", "toy", "--jobs", "1"]
    assert run(nightly) == 0
    (first,) = sorted((tmp_path / "runs").glob("2*"))
    record = read_record(first)
    assert [(one.dataset, one.reason) for one in record.plan.left_out] == [
        ("elsewhere", "the environment variable TOY_NOWHERE is not set")
    ]
    found = {(one.metric, one.scope.band): one for one in record.results if isinstance(one, Measurement)}
    # Two detectors of two pixels each, a visit in g and two in r, and the offset of the configuration.
    assert found["toy_tools.skyLevel_mean", "g"].value == pytest.approx(103.0)
    assert found["toy_tools.skyLevel_mean", "r"].n == 4
    tract = found["toy_tools.tractSky_meanLevel", "r"]
    assert (tract.value, tract.unit, tract.scope) == (
        pytest.approx(233.0),
        "electron",
        Scope("toy", "sky", "r", 0),
    )
    assert record.coadds_measured("toy") is not None
    assert record.provenance["package lsst-daf-butler@toy"]
    page = (first / "report" / "index.html").read_text()
    assert "Toy camera" in page
    assert "TOY_NOWHERE" in page
    assert 'note="' not in page  # nothing of the configuration was taken for a command or for markup

    assert run(["baseline", "accept", "latest", "--registry", str(registry), *ACCEPT]) == 0
    text = (registry / "toy.yaml").read_text()
    (registry / "toy.yaml").write_text(text.replace("offset: 1.5", "offset: 4.5"))
    capsys.readouterr()
    assert run([*nightly, "--json"]) == 0
    assert '"verdict": "warn"' in capsys.readouterr().out  # nothing is required of these metrics
    second = read_record(max((tmp_path / "runs").glob("2*")))
    moved = {(one.metric, one.scope.band): one.change.value for one in second.comparisons}
    assert moved["toy_tools.tractSky_meanLevel", "r"] == "step"
    assert moved["toy_tools.tractCount_detectors", None] == "steady"
    outputs = toy_stack.run("butler", "query-collections", str(toy_stack.repository), "u/obsqa/toy/*")
    assert outputs.count("step2") == 2


ACCEPT = ("--camera", "toy", "--why", "first night of the toy camera", "--who", "a tester <tester@example.org>")


def test_a_run_that_was_cut_off_is_continued(step: Callable[..., StepReport], tmp_path: Path) -> None:
    """What failed is done again, what succeeded is kept, and the failures are caveats as long as something is left."""
    first = step(config={"sky": {"refuses": 12}})
    assert first.outcome.status is StepStatus.CAVEATS
    assert [line.partition(":")[0] for line in first.caveats] == [
        f"sky instrument ToyCam detector {detector} visit 12" for detector in (0, 1)
    ]
    assert first.caveats[0].endswith("ValueError: the pixels of visit 12 are refused")
    measured = step(Stage.MEASURE)
    assert measured.outcome.status is StepStatus.CAVEATS
    assert {one.scope.tract for one in measured.results} == {None}
    state = json.loads((tmp_path / "stack.json").read_text())["stack"]
    assert len(state["failures"]) == 2


def test_calibrations_are_those_that_the_repository_had_on_a_day(
    step: Callable[..., StepReport], tmp_path: Path, toy_stack: Stack
) -> None:
    """The bias of that day holds on in the place of one that came later; inputs and their order are the same else."""
    # The second time it is taken up again, with the same calibrations.
    assert [step(day="2025-11-01").outcome.status for _ in range(2)] == [StepStatus.DONE] * 2
    found = {one.scope.band: one for one in step(Stage.MEASURE).results if one.metric.endswith("skyLevel_mean")}
    assert isinstance(found["g"], Measurement)
    assert found["g"].value == pytest.approx(100.5)  # with today's bias, which is 1 less, 101.5
    output = json.loads((tmp_path / "stack.json").read_text())["stack"]["output"]
    chain = f"{output}/calibrations-as-of-2025-11-01"
    listed = toy_stack.run("butler", "query-collections", str(toy_stack.repository), "--chains", "FLATTEN", chain)
    assert [line.split()[0] for line in listed.splitlines()[2:]] == ["ToyCam/raw/all", f"{chain}/ToyCam/calib"]


def test_a_day_on_which_there_was_no_calibration_is_told(step: Callable[..., StepReport]) -> None:
    """As is that there is none among the inputs, which ends nothing."""
    message = why(step(day="2025-10-31"))
    assert message.endswith(
        "for calibrations as of 2025-10-31, must have had a toy_bias then, found none (2 came later)"
    )
    nothing = {"pipeline": "$TOY_PIPE_DIR/pipelines/toy.yaml#nothing", "collections": ["ToyCam/raw/all"]}
    told = step(day="2025-11-01", query="instrument = 'ToyCam'", **nothing)
    assert told.outcome.status is StepStatus.CAVEATS
    assert told.caveats == ("calibrations as of 2025-11-01: there is no calibration collection among the inputs",)


def test_no_bundle_is_a_failure_that_names_what_was_asked_for(step: Callable[..., StepReport]) -> None:
    """A pipeline that leaves no metrics gives nothing to judge; done again, it has nothing left to do."""
    nothing = {"pipeline": "$TOY_PIPE_DIR/pipelines/toy.yaml#nothing", "query": "instrument = 'ToyCam'"}
    done = step(**nothing)
    assert done.outcome.message.startswith("6 quanta done, outputs in u/obsqa/testcam/sky/")
    assert step(**nothing).outcome.status is StepStatus.DONE
    message = why(step(Stage.MEASURE, **nothing))
    assert "must hold bundles of metrics (*_metrics), found" in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repository": "$TOY_DATA/nowhere"}, "the repository must be there, found nothing at "),
        ({"repository": "$TOY_DATA/toy_pipe"}, "toy_pipe must be a Butler repository, found "),
        ({"repository": "$TOY_NOWHERE/repo"}, "TOY_NOWHERE must be set ($TOY_NOWHERE/repo needs it), found none"),
        ({"collections": ["ToyCam/gone"]}, "repo must have the collection ToyCam/gone, found none of that name"),
        ({"pipeline": "$TOY_PIPE_DIR/gone.yaml"}, "the pipeline must be there, found nothing at "),
        ({"pipeline": "$TOY_PIPE_DIR/pipelines/toy.yaml#gone"}, "pipetask ended with exit code 1: ValueError: Not all"),
        ({"query": "visit = 99 AND instrument = 'ToyCam'"}, "found no quantum"),
        ({"config": {"sky": {"refuses": -2}}}, "no quantum succeeded: sky instrument ToyCam detector 0 visit 11: "),
    ],
)
def test_each_failure_is_one_clear_line(
    step: Callable[..., StepReport], changes: dict[str, object], message: str
) -> None:
    """What was required, what was found, and where."""
    assert message in why(step(**changes))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 3\n", "ended with exit code 3"),
        ("echo no such stack >&2\nfalse\n", "failed"),
        ("export PATH=/nowhere\n", "python"),
    ],
)
def test_a_setup_script_that_fails_is_told(
    step: Callable[..., StepReport], tmp_path: Path, script: str, message: str
) -> None:
    """Nothing runs behind a set-up that went wrong."""
    (tmp_path / "bad.sh").write_text(script)
    line = why(step(setup=tmp_path / "bad.sh"))
    assert line.startswith("asking the environment of the stack: ")
    assert message in line


def test_a_missing_setup_script_is_told(step: Callable[..., StepReport], tmp_path: Path) -> None:
    """With where it was looked for."""
    assert f"must be a file, found none at {tmp_path / 'gone.sh'}" in why(step(setup=tmp_path / "gone.sh"))
