"""The verb `import`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from qa.foreign.testing import a_benchmark, a_bundle, a_job, a_measurement_of
from qa.journal import FILE_NAME, read_record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of runs with baselines of its own."""
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", str(tmp_path / "regression_data"))
    return tmp_path / "runs"


def written(folder: Path, document: object, name: str = "file.json") -> str:
    """Write a file and return its path."""
    (folder / name).write_text(json.dumps(document))
    return str(folder / name)


def test_a_job_is_judged_and_reported(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What its blob does not support is told; the report comes last."""
    job = a_job(measurements=[a_measurement_of("validate_drp.PA1", 4.0, "mmag")])
    assert run(["import", "verify", written(tmp_path, job), "--runs", str(runs)]) == 0
    printed = capsys.readouterr()
    assert "hsc/validation_data_hsc: validate_drp.PA1 says 4 mmag, its blob gives 6 mmag." in printed.err
    assert printed.out.splitlines()[-1].startswith("report: ")


def test_the_second_import_has_the_verdict_of_the_first(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says that nothing was added."""
    job = a_job(measurements=[a_measurement_of("validate_drp.PA1", 9.0, "mmag")], blobs=[])
    command = ["import", "verify", written(tmp_path, job), "--runs", str(runs)]
    assert run(command) == 1
    capsys.readouterr()
    assert run(command) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "was imported already, as run 20200203T040506Z: it is not counted again" in printed.err
    assert [path.parent.name for path in runs.glob(f"*/{FILE_NAME}")] == ["20200203T040506Z"]


def test_an_import_that_was_cut_off_is_finished(runs: Path, tmp_path: Path) -> None:
    """What is in the journal is judged; nothing is read twice."""
    command = ["import", "verify", written(tmp_path, a_job()), "--runs", str(runs)]
    assert run(command) == 0
    (journal,) = runs.glob(f"*/{FILE_NAME}")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"judged"' not in line and '"run-finished"' not in line))
    assert read_record(journal.parent).exit_code is None
    assert run(command) == 0
    assert read_record(journal.parent).exit_code == 0


def test_the_worst_of_several_runs_is_the_exit_code(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And machines get a list."""
    bad = a_job(measurements=[a_measurement_of("validate_drp.PA1", 9.0, "mmag")], meta={"instrument": "HSC"})
    files = [written(tmp_path, a_job(), "good.json"), written(tmp_path, bad, "bad.json")]
    options = ["--runs", str(runs), "--json", "--date", "2020-05-06", "--band", "r"]
    assert run(["import", "verify", *files, *options]) == 1
    summaries = json.loads(capsys.readouterr().out)
    assert [one["summary"]["run_id"] for one in summaries] == ["20200203T040506Z", "20200506T000000Z"]


def test_bundles_and_benchmarks_are_judged_too(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON summary each; where a bundle does not say its camera, the user does."""
    bundle = written(tmp_path, a_bundle())
    assert run(["import", "bundle", bundle, "--runs", str(runs)]) == 2
    assert "must say the camera its numbers are of, found none; name it with --camera" in capsys.readouterr().err
    assert run(["import", "bundle", bundle, "--runs", str(runs), "--camera", "hsc", "--band", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["run_id"] == "20260203T040506Z"
    assert run(["import", "benchmark", written(tmp_path, a_benchmark()), "--runs", str(runs)]) == 0


def test_an_imported_run_can_be_accepted_and_judged_again(runs: Path, tmp_path: Path) -> None:
    """Its values become baselines of their own data set; what moves then has the changed package for a cause."""
    first = written(tmp_path, a_job())
    assert run(["import", "verify", first, "--runs", str(runs)]) == 0
    who = ["--who", "A <a@example.org>", "--why", "a test"]
    assert run(["baseline", "accept", "latest", "--runs", str(runs), *who]) == 0
    assert run(["compare", "latest", "--runs", str(runs)]) == 0
    worse = a_job(measurements=[a_measurement_of("validate_drp.PA1", 6.5, "mmag")], blobs=[])
    worse["meta"]["env"]["date"] = "2020-03-01T00:00:00"
    worse["meta"]["packages"]["afw"]["git_sha"] = "b" * 40
    run(["import", "verify", written(tmp_path, worse, "worse.json"), "--runs", str(runs)])
    record = read_record(runs / "20200301T000000Z")
    assert "worsened from 6 mmag to 6.5 mmag" in record.comparisons[0].reason
    assert [incident.changed for incident in record.incidents] == [("package afw",)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["verify", "none.json"],
            "none.json: must be a Job of lsst.verify (JSON), or",
        ),
        (["verify", "none.json", "--date", "soon"], "must be a date of ISO 8601 such as 2026-03-01"),
        (["verify", "none.json", "--package", "nowhere"], "nowhere: must be a metrics package of lsst.verify"),
        (["benchmark", "none.json"], "none.json: must be the JSON of pytest-benchmark, found no such file"),
    ],
)
def test_bad_requests_are_told(runs: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    """With the exit code of a wrong request, and without a run."""
    assert run(["import", *arguments, "--runs", str(runs)]) == 2
    assert told in capsys.readouterr().err
    assert not list(runs.glob("*/journal.jsonl"))


def test_the_specifications_of_a_package_judge_other_metrics(runs: Path, tmp_path: Path) -> None:
    """Instead of those the file quotes."""
    specs = tmp_path / "package" / "specs" / "p"
    specs.mkdir(parents=True)
    (specs / "M.yaml").write_text(
        "name: design\nmetric: M\nthreshold: {value: 1.0, unit: mmag, operator: '<='}\ntags: [minimum]\n"
    )
    job = a_job(measurements=[a_measurement_of("p.M", 2.0, "mmag")])
    command = ["import", "verify", written(tmp_path, job), "--runs", str(runs)]
    assert run([*command, "--package", str(tmp_path / "package")]) == 1
    (comparison,) = read_record(runs / "20200203T040506Z").comparisons
    assert "it misses minimum (at most 1 mmag, p.M.design)" in comparison.reason


def test_the_real_job_is_judged(runs: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the camera of obs_cfht: 42 results, 14 not measured, PA1 below the minimum."""
    path = shared_data / "verify" / "CfhtQuick_output_r.json"
    assert run(["import", "verify", str(path), "--date", "2019-05-06", "--runs", str(runs)]) == 1
    record = read_record(runs / "20190506T000000Z")
    assert len(record.comparisons) == 42
    assert record.plan.cameras == ("megaprime",)
    assert "validate_drp.PA1 is 16.48 mmag" in capsys.readouterr().out.replace("\n", " ")
