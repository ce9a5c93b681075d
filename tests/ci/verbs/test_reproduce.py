"""One value of a night, rerun elsewhere in one command, for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ci.cli import run
from qa.journal import read_record, runs_under
from qa.metrics import catalogue
from qa.model import Measurement

if TYPE_CHECKING:
    from qa.record import RunRecord

OBSQA = str(Path(sysconfig.get_path("scripts")) / "obsqa")
PATIENCE = 600.0


def obsqa(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run obsqa on runs and a cache in a folder."""
    environ = {**os.environ, "OBSQA_RUNS": str(folder / "runs"), "OBSQA_CACHE": str(folder / "cache")}
    command = [OBSQA, *arguments]
    return subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.pipeline
def test_a_value_is_rerun_elsewhere_to_the_last_bit(tmp_path: Path) -> None:
    """From fewer exposures, in a fresh folder, with a fresh cache, home and environment, by the script alone."""
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    night = obsqa(home, "nightly", "--quick", "--camera", "hsc", "--jobs", "1")
    assert night.returncode in {0, 1}, night.stderr
    archive = away / "a.tar.gz"
    made = obsqa(home, "reproduce", "latest", "hsc", "PA1", "--band", "r", "--out", str(archive), "--json")
    assert made.returncode == 0, made.stderr
    body: dict[str, Any] = json.loads(made.stdout)
    assert body["same"] is True
    assert len(body["exposures"]) < body["exposures_in_all"]
    assert body["bytes"] == archive.stat().st_size < 2_000_000
    with tarfile.open(archive) as tar:
        tar.extractall(away, filter="data")
    archive.unlink()
    (script,) = away.glob("*/run")
    environ = {"PATH": os.defpath, "HOME": str(away / "nobody"), "OBSQA_PYTHON": sys.executable, "LC_ALL": "C.UTF-8"}
    again = subprocess.run(
        [str(script), "--json"],
        env=environ,
        cwd=away,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    answer = json.loads(again.stdout)
    (value,) = (one for one in measured(home) if (one.metric, one.scope.band) == ("PA1", "r"))
    assert answer["found_digits"] == answer["expected_digits"] == body["found_digits"] == value.value.hex()


def measured(folder: Path) -> list[Measurement]:
    """Return what the last night of a folder measured."""
    return [one for one in read_record(runs_under(folder / "runs")[-1]).results if isinstance(one, Measurement)]


@pytest.mark.pipeline
def test_a_night_is_repeated_with_the_calibrations_of_a_day(tmp_path: Path) -> None:
    """Which move what was measured; the run is apart from all nights. Before there were any, it is an error."""
    night = ("nightly", "--quick", "--camera", "latiss", "--jobs", "1")
    today = obsqa(tmp_path, *night)
    then = obsqa(tmp_path, *night, "--calibrations-as-of", "2024-06-25")
    before = obsqa(tmp_path, *night, "--calibrations-as-of", "2024-01-01")
    assert today.returncode in {0, 1}
    assert then.returncode in {0, 1}
    assert before.returncode == 3
    assert "calibrations as of 2024-01-01 need a bias made by then" in before.stderr
    assert "Repeated with the calibrations that would have been used on 2024-06-25" in " ".join(then.stdout.split())
    runs = tmp_path / "runs"
    now = read_record(runs_under(runs)[-1])
    earlier = read_record(runs_under(runs / "as-of" / "2024-06-25")[-1])
    assert len(runs_under(runs)) == 1
    assert values(now) != values(earlier)
    assert now.provenance["data latiss/twin-quick"] == earlier.provenance["data latiss/twin-quick"]
    assert now.provenance["calibrations latiss/twin-quick"] != earlier.provenance["calibrations latiss/twin-quick"]


def values(record: RunRecord) -> dict[object, object]:
    """Return what a run measured, but for what it cost."""
    definitions = catalogue()
    return {(one.metric, one.scope): one for one in record.results if definitions[one.metric].family != "resources"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.tar.gz",), "nothing.tar.gz: must be an archive that `obsqa reproduce` made, found no such file"),
        (("latest", "hsc"), "a run needs a camera and a metric"),
        (("latest", "hsc", "PA1"), "no run is called 'latest'"),
        ((".",), "must be a document 'reproduction' of schema 1, found no such file"),
    ],
)
def test_a_wrong_request_costs_a_line(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And exit code 2."""
    monkeypatch.chdir(tmp_path)
    assert run(["reproduce", *arguments, "--runs", str(tmp_path / "runs")]) == 2
    assert said in capsys.readouterr().err
