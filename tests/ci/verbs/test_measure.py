"""`obsqa measure --catalog`."""

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
