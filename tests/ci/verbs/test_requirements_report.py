"""The verb `requirements report`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ci.cli import run
from qa.foreign.testing import a_job, a_spec

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SPECS = [a_spec("validate_drp.PA1.design_gri", 5.0), a_spec("validate_drp.PA1.FY17_gri", 8.0, tags=["release"])]


def written(folder: Path, **changes: object) -> str:
    """Write a Job and return its path."""
    (folder / "job.json").write_text(json.dumps(a_job(**changes)))
    return str(folder / "job.json")


def test_the_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people, as reStructuredText, and as JSON."""
    path = written(tmp_path, specs=SPECS)
    assert run(["requirements", "report", path, "--release", "FY17"]) == 0
    assert "PA1     HSC-R   mmag  <=" in capsys.readouterr().out
    assert run(["requirements", "report", path, "--release", "FY17", "--rst"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[2] == lines[-1]
    assert lines[12].split() == ["PA1", "HSC-R", "mmag", "<=", "5.0", "8.0", "6"]
    assert run(["requirements", "report", path, "--release", "FY17", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rows"][9]["value"] == 6.0
    assert document["rows"][0]["value"] is None


def test_several_files_are_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fourteen rows each."""
    path = written(tmp_path, specs=SPECS)
    assert run(["requirements", "report", path, path, "--release", "FY17", "--rst"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4 + 2 * 14


def test_a_job_that_quotes_nothing_needs_a_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which is told in one line, and does."""
    path = written(tmp_path)
    assert run(["requirements", "report", path, "--release", "FY17"]) == 2
    assert "name a metrics package that has them with --package" in capsys.readouterr().err
    specs = tmp_path / "package" / "specs" / "validate_drp"
    specs.mkdir(parents=True)
    threshold = "threshold: {value: 5.0, unit: mmag, operator: '<='}"
    (specs / "PA1.yaml").write_text(
        f"name: design_gri\nmetric: PA1\n{threshold}\n---\nname: FY17_gri\nmetric: PA1\n{threshold}\ntags: [release]\n"
    )
    command = ["requirements", "report", path, "--release", "FY17", "--package", str(tmp_path / "package"), "--rst"]
    assert run(command) == 0
    assert "PA1  HSC-R mmag       <=" in capsys.readouterr().out


def test_the_original_is_printed_digit_by_digit(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report that the tool this stands in for wrote of the same file."""
    folder = shared_data / "verify"
    path = str(folder / "CfhtQuick_output_r.json")
    command = ["requirements", "report", path, "--level", "design", "--release", "FY17", "--rst"]
    for more in ([], ["--package", str(folder / "verify_metrics")]):
        assert run([*command, *more]) == 0
        assert capsys.readouterr().out == (folder / "CfhtQuick_output_r_report_design_FY17.rst").read_text()
