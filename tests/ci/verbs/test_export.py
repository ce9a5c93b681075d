"""The verb `export`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ci.cli import run
from qa.foreign.testing import a_job, a_measurement_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_run_is_written_as_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file for each scope; what lsst.verify cannot name is told."""
    measurements = [a_measurement_of("validate_drp.PA1", 6.0, "mmag"), a_measurement_of("a.b.c", 1.0)]
    (tmp_path / "job.json").write_text(json.dumps(a_job(measurements=measurements)))
    runs = ["--runs", str(tmp_path / "runs")]
    assert run(["import", "verify", str(tmp_path / "job.json"), *runs]) == 0
    capsys.readouterr()
    assert run(["export", "verify", "latest", "--to", str(tmp_path / "out"), *runs]) == 0
    printed = capsys.readouterr()
    assert printed.err == "left out, because lsst.verify names metrics package.metric: a.b.c\n"
    path = tmp_path / "out" / "hsc-validation_data_hsc-r.verify.json"
    assert printed.out.splitlines() == [str(path)]
    assert json.loads(path.read_text())["measurements"][0]["metric"] == "validate_drp.PA1"
    assert run(["export", "verify", "latest", "--to", str(tmp_path / "out"), *runs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [str(path)]
