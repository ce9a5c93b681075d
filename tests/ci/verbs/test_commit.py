"""The commit lane, for real: a camera's checks from nothing to report, told to end, continued, and failing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from qa.journal import read_record, runs_under
from qa.locations import regression_data
from qa.model import Lane, Stage

pytestmark = pytest.mark.pipeline
OBSQA = str(Path(sysconfig.get_path("scripts")) / "obsqa")
PATIENCE = 600.0
CAMERA = ("--camera", "latiss")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with runs, cache and a copy of the regression data of its own."""

    folder: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `obsqa commit` here."""
        environ = {
            **os.environ,
            "OBSQA_RUNS": str(self.folder / "runs"),
            "OBSQA_CACHE": str(self.folder / "cache"),
            "OBSQA_REGRESSION_DATA": str(self.folder / "regression_data"),
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [OBSQA, "commit", *CAMERA, *arguments], env=environ, text=True, cwd=self.folder, **pipes
        )  # type: ignore[call-overload, no-any-return]

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run `obsqa commit` here and return its exit code, stdout and stderr."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    @property
    def runs(self) -> list[Path]:
        """The run folders, oldest first."""
        return runs_under(self.folder / "runs")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place of our own."""
    folder = tmp_path_factory.mktemp("commit")
    shutil.copytree(regression_data(), folder / "regression_data")
    return Place(folder)


def test_a_commit_that_is_told_to_end_is_continued(place: Place) -> None:
    """SIGTERM ends it with 130, a report so far and no process; the next takes up the run and does no step twice."""
    process = place.start("--junit", "out/junit.xml", "--markdown", "out/summary.md")
    until = time.monotonic() + PATIENCE
    while not _finished(place) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "interrupted" in err) == (130, True), err
    (run,) = place.runs
    assert f"report of what there is: {run / 'report' / 'index.html'}" in err
    assert "incomplete" in (place.folder / "out" / "summary.md").read_text().lower()
    assert junit(place.folder / "out" / "junit.xml") is not None
    done = [outcome.step.stage for outcome in read_record(run).outcomes.values()]

    code, out, err = place.run("--json", "--junit", "out/junit.xml", "--markdown", "out/summary.md")
    record = read_record(run)
    assert (code, place.runs) == (0, [run]), out + err
    assert record.completed("latiss")
    assert done
    starts = re.findall(r'"event":\s*"step-started".*?"stage":\s*"(\w+)"', (run / "journal.jsonl").read_text())
    assert [starts.count(stage.value) for stage in done] == [1] * len(done)
    assert json.loads(out)["summary"]["run_id"] == run.name


def test_a_run_of_a_commit_is_a_run_like_any_other(place: Place) -> None:
    """It is of the commit lane, holds metrics, checks and speeds, and its summaries tell of them."""
    record = read_record(place.runs[0])
    assert record.plan.lane is Lane.COMMIT
    assert {one.scope.task for one in record.results if one.metric == "speed"} == {"isr", "characterize", "coadd"}
    names = {one.name for one in record.checks.values()}
    assert {"instrument_registers", "headers_translate", "filters_map_to_bands", "raw_to_coadd"} <= names
    assert "latiss::isr_leaves_no_seams" in record.checks
    suites = junit(place.folder / "out" / "junit.xml")
    cases = {(case.get("classname"), case.get("name")) for case in suites.iter("testcase")}
    assert ("latiss.checks", "raw_to_coadd") in cases
    assert ("latiss.twin-quick.r.t0", "psf_fwhm") in cases
    assert int(suites.get("failures", "1")) == int(suites.get("errors", "1")) == 0
    assert re.search(r"^Checks: \d+ passed\.$", (place.folder / "out" / "summary.md").read_text(), re.MULTILINE)


def test_a_metric_beyond_its_baseline_fails_the_commit(place: Place) -> None:
    """Exit code 1, and terminal, JUnit XML and Markdown name the metric."""
    path = place.folder / "regression_data" / "baselines" / "latiss" / "twin-quick.json"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(_sharper(line) for line in lines) + "\n")
    code, out, _ = place.run("-k", "psf_fwhm", "--junit", "out/failed.xml", "--markdown", "out/failed.md")
    assert code == 1, out
    assert "psf_fwhm worsened from 0.3 arcsec" in out
    suites = junit(place.folder / "out" / "failed.xml")
    failed = [case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None]
    assert failed == ["psf_fwhm"]
    assert (place.folder / "out" / "failed.md").read_text().startswith("# FAIL")


def test_an_expression_takes_no_more_of_the_pipeline_than_it_needs(place: Place) -> None:
    """Checks of signature removal need calibrations and no coadd."""
    code, out, _ = place.run("-k", "isr and not speed", "--new")
    assert code == 0, out
    record = read_record(place.runs[-1])
    assert [outcome.step.stage for outcome in record.outcomes.values()] == list(Stage)[:3]
    assert {one.name.partition("_")[0] for one in record.checks.values()} == {"isr"}


def junit(path: Path) -> ET.Element:
    """Read JUnit XML."""
    return ET.parse(path).getroot()  # noqa: S314 - we wrote it ourselves


def _finished(place: Place) -> bool:
    return any("step-finished" in (run / "journal.jsonl").read_text() for run in place.runs)


def _sharper(line: str) -> str:
    """Return a line of the baselines, that of the seeing with a value no telescope here reaches."""
    if '"psf_fwhm"' not in line:
        return line
    return re.sub(r'"value": [0-9.e-]+', '"value": 0.3', re.sub(r'"tolerance": [0-9.e-]+', '"tolerance": 0.001', line))
