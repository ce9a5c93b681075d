"""`obsqa measure --catalog` and `--job`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from ci.verbs.measure import measure, show
from qa.errors import DocumentError
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("catalogue", "c.fits", "r")
RESULTS = (
    Measurement("PA1", SCOPE, 7.556416584953843, "mmag", 32, 0.4513),
    Measurement("AF1", SCOPE, 0.3284072249589491, "%", 609),
    Unmeasured("AM3", SCOPE, "the field spans 12.9 arcmin"),
)


def test_the_table_shows_every_digit_and_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Metric, value, unit, n and standard error; a reason in place of a value."""
    show(RESULTS, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "metric              value unit            n     stderr",
        "PA1  7.556416584953843 mmag           32      0.451",
        "AF1 0.3284072249589491 %             609          -",
        "AM3                  - the field spans 12.9 arcmin",
    ]


def test_json_is_a_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    """The same shape that leaves a pipeline."""
    show(RESULTS, as_json=True)
    bundle = json.loads(capsys.readouterr().out)
    assert bundle["__dataset_identifier"] == "c.fits"
    assert bundle["photometry"][0]["value"] == 7.556416584953843


def test_a_bad_file_is_a_document_error(tmp_path: Path) -> None:
    """Which the command turns into one line and exit code 2."""
    path = tmp_path / "c.fits"
    path.write_text("text")
    result = CliRunner().invoke(measure, ["--catalog", str(path)])
    assert isinstance(result.exception, DocumentError)
    assert result.exception.exit_code == 2


@pytest.mark.shared_data
@pytest.mark.pipeline
def test_a_real_catalogue_is_measured(shared_data: Path) -> None:
    """The metrics named, in the catalogue's order."""
    pytest.importorskip("scipy")
    path = shared_data / "hsc_matched" / "matchedCatalogTract_0_r.fits.gz"
    result = CliRunner().invoke(measure, ["--catalog", str(path), "--metric", "AM1", "--metric", "PA1"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert [line[0] for line in lines] == ["metric", "PA1", "AM1"]
    assert lines[2][1:3] == ["5.199871610804589", "mas"]


def a_job(path: Path, value: float) -> Path:
    """Write a job of one measurement, and of one that no blob gives."""
    measurements = [
        {"metric": f"validate_drp.{name}", "value": held} for name, held in (("PA1", value), ("CPUTime", 3))
    ]
    blobs = [{"name": "validate_drp.PA1", "data": {"iqr": {"value": [4.0, 6.0]}}}]
    path.write_text(json.dumps({"measurements": measurements, "blobs": blobs}))
    return path


def test_a_job_is_made_again_from_its_blobs(tmp_path: Path) -> None:
    """Both numbers stand side by side; the exit code tells that they agree."""
    outcome = CliRunner().invoke(measure, ["--job", str(a_job(tmp_path / "job.json", 5.0))], standalone_mode=False)
    assert outcome.return_value == 0
    assert [line.split() for line in outcome.stdout.splitlines()[1:]] == [
        ["validate_drp.PA1", "5.0", "5.0"],
        ["validate_drp.CPUTime", "3.0", "-", "no", "formula", "is", "known", "for", "CPUTime"],
    ]


def test_a_job_that_is_not_what_its_blobs_say_ends_with_1(tmp_path: Path) -> None:
    """A metric may be left out by naming others."""
    job = str(a_job(tmp_path / "job.json", 5.1))
    assert CliRunner().invoke(measure, ["--job", job], standalone_mode=False).return_value == 1
    chosen = CliRunner().invoke(measure, ["--job", job, "--metric", "CPUTime"], standalone_mode=False)
    assert chosen.return_value == 0
    assert "PA1" not in chosen.stdout


@pytest.mark.parametrize(
    ("text", "found"),
    [(None, "no such file"), ("{", "a file that cannot be read"), ("[]", "no list of measurements")],
)
def test_what_is_no_job_is_said(tmp_path: Path, text: str | None, found: str) -> None:
    """In one line with the file's name."""
    path = tmp_path / "job.json"
    if text is not None:
        path.write_text(text)
    outcome = CliRunner().invoke(measure, ["--job", str(path)], standalone_mode=False)
    assert isinstance(outcome.exception, DocumentError)
    assert str(outcome.exception).startswith(f"{path}: must be a Job of lsst.verify (JSON), found {found}")


def test_one_thing_is_measured_at_a_time(tmp_path: Path) -> None:
    """A run, a catalogue or a job."""
    for arguments in (
        [],
        ["latest", "--job", "job.json"],
        ["--job", "job.json", "--catalog", str(tmp_path / "c.fits")],
    ):
        outcome = CliRunner().invoke(measure, arguments)
        assert outcome.exit_code == 2
        assert "name one of RUN, --catalog and --job" in outcome.output
