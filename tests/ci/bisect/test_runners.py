from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ci import cli
from ci.bisect.journal import Value
from ci.bisect.runners import CommandRunner, Order, value_of, values_of
from qa.bisect import Probe
from qa.documents import write_document
from qa.model import Lane, Result, Scope, Unmeasured
from qa.testing import a_measurement

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("testcam", "twin", "r", 0)
PROBE = Probe("PA1", SCOPE, Lane.NIGHTLY, "mmag", 5.0, 7.0, 0.1, learned=False, sigma=20, cpu_seconds=1, wall_seconds=1)


def reading(tmp_path: Path, script: str, **more: Any) -> Any:
    """Run a Python script in a folder as a command would be."""
    order = Order({"meas_base": tmp_path / "checkout"}, [tmp_path / "python"], PROBE, tmp_path)
    return CommandRunner((sys.executable, "-S", "-c", script, "{out}", "{camera}/{dataset}"), **more).run(order)


def leaving(tmp_path: Path, text: str) -> Any:
    """Return the reading of a command that leaves this as its metrics."""
    return reading(tmp_path, f"open('metrics.json', 'w').write({text!r})")


def test_a_command_is_told_where_everything_is(tmp_path: Path) -> None:
    """By its arguments, by variables and on PYTHONPATH."""
    names = ["OBSQA_PACKAGE_MEAS_BASE", "OBSQA_BISECT_OUT", "OBSQA_BISECT_CAMERA", "OBSQA_BISECT_DATASET", "PYTHONPATH"]
    reading(tmp_path, f"import json, os, sys; json.dump([sys.argv[1:], *map(os.getenv, {names})], open('told', 'w'))")
    words, package, out, camera, dataset, path = json.loads((tmp_path / "told").read_text())
    assert words == [str(tmp_path), "testcam/twin"]
    assert (package, out, camera, dataset) == (str(tmp_path / "checkout"), str(tmp_path), "testcam", "twin")
    assert path.split(":")[0] == str(tmp_path / "python")


def test_metrics_are_numbers_or_have_units(tmp_path: Path) -> None:
    """Both forms of metrics.json are read."""
    found = leaving(tmp_path, '{"PA1": 5, "PA2": {"value": 7.5, "unit": "mmag"}}')
    assert found.values == {"PA1": Value(5.0), "PA2": Value(7.5, "mmag")}
    assert found.reason == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"PA1": NaN}', "found nan for PA1"),
        ('{"PA1": Infinity}', "found inf for PA1"),
        ('{"PA1": "5"}', "found '5' for PA1"),
        ('{"PA1": true}', "found True for PA1"),
        ('{"PA1": {"value": 5, "unit": 3}}', "for PA1"),
        ("[5]", "found list"),
        ("{", "found text that is not JSON"),
    ],
)
def test_what_is_no_number_cannot_be_tested(tmp_path: Path, text: str, found: str) -> None:
    """NaN least of all: it would be judged good."""
    one = leaving(tmp_path, text)
    assert one.values == {}
    assert one.reason.startswith("metrics.json: must be a mapping from metrics to finite numbers")
    assert found in one.reason


def test_a_command_that_leaves_nothing_or_fails_says_nothing(tmp_path: Path) -> None:
    """The reason is quoted."""
    assert "found no such file, and no measurements.json" in reading(tmp_path, "").reason
    leaving(tmp_path, '{"PA1": 5}')
    failed = reading(tmp_path, "import sys; sys.exit('no room')")
    assert (failed.values, failed.reason) == ({}, "ended with exit code 1: no room")


def test_measurements_of_obsqa_are_read(tmp_path: Path) -> None:
    """measurements.json comes before metrics.json."""
    results = (a_measurement(6.0), Unmeasured("PA2", SCOPE, "too few stars"))
    leaving(tmp_path, '{"PA1": 5}')
    write_document(tmp_path / "measurements.json", "measurements", results, tuple[Result, ...])
    assert value_of(reading(tmp_path, "").values, PROBE) == 6.0


@pytest.mark.parametrize(("code", "value"), [(0, 0.0), (1, 1.0), (124, 1.0), (125, None), (126, None), (255, None)])
def test_exit_codes_are_those_of_git_bisect_run(tmp_path: Path, code: int, value: float | None) -> None:
    """0 is good, 1 to 124 bad, 125 untestable; beyond, the command itself did not work."""
    one = reading(tmp_path, f"raise SystemExit({code})", by_exit_code=True)
    assert one.values == ({} if value is None else {"exit code": Value(value)})
    assert bool(one.reason) == (value is None)


def test_a_crash_is_not_an_exit_code(tmp_path: Path) -> None:
    """A process that dies of a signal says nothing."""
    one = reading(tmp_path, "import os; os.abort()", by_exit_code=True)
    assert one.reason.startswith("died (SIGABRT)")


def test_a_value_is_found_by_scope_then_band_then_name() -> None:
    """Another tract of the same band will do, several of them will not; then a plain metric does."""
    first = a_measurement(5.0)
    second = replace(first, value=6.0, scope=replace(first.scope, tract=1))
    elsewhere = replace(PROBE, scope=replace(SCOPE, tract=7))
    assert value_of(values_of([first, second]), PROBE) == 5.0
    assert value_of(values_of([second]), PROBE) == 6.0
    assert value_of(values_of([first, second]), elsewhere) == "PA1 of testcam/twin/r/t7 was not measured"
    assert value_of({"PA1": Value(8.0)}, elsewhere) == 8.0


def test_another_unit_is_not_compared() -> None:
    """A value in another unit would be a quiet wrong number."""
    assert value_of({"PA1": Value(5.0, "mag")}, PROBE) == "PA1 of testcam/twin/r/t0 was measured in 'mag', not 'mmag'"
    assert value_of({"PA1": Value(5.0, "mag")}, replace(PROBE, unit="")) == 5.0


CLI = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from qa.journal import FILE_NAME, Journal
from qa.model import Lane, Measurement, Plan, Scope, Stage, Step, Trigger
from qa.record import Measured, RunStarted
NIGHT = {night}
def main():
    options = sys.argv[1:]
    assert options[:2] == ["nightly", "--new"], options
    quick = "--quick" in options
    camera, runs = (options[options.index(name) + 1] for name in ("--camera", "--runs"))
    scope = Scope(camera, "twin-quick" if quick else "twin", "r", 3)
    result = Measurement("PA1", scope, 5.0 if quick else NIGHT, "mmag", 100, 0.5)
    plan = Plan("x", Lane.NIGHTLY, Trigger(), datetime.now(UTC), (Step(camera, scope.dataset, Stage.MEASURE),))
    with Journal(Path(runs) / "x" / FILE_NAME, lambda: datetime.now(UTC)) as journal:
        journal.append(RunStarted(plan, {{}}))
        journal.append(Measured(camera, scope.dataset, (result,)))
    sys.exit(1)
"""
"""An obsqa that measures one number, which tells its commits apart only on the data of a night."""


def test_obsqa_itself_is_bisected(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command, `obsqa nightly` of each checkout is run, on the small data set first; a verdict is no failure.

    Where that does not show the change, the data of the night are taken.
    """
    versions = [CLI.format(night=5.0)] * 3 + [CLI.format(night=7.0)] * 2
    stack.add("obsqa", versions, path="ci/cli.py")
    stack.runs(camera="hsc")
    runs = stack.folder / "runs"
    line = ["bisect", "good", "bad", "--runs", str(runs), "--yes", "--package", f"obsqa={stack.folder / 'obsqa'}"]
    assert cli.run([*line, "--repeat", "1", "--timeout", "30"]) == 0
    out, err = capsys.readouterr()
    assert "obsqa: change 3" in out
    assert "PA1 of hsc/twin-quick/r/t0: not in these runs, cost unknown" in err
    assert "not on this data set: PA1 of hsc/twin-quick/r/t0: must differ between the good and the bad end" in err
    assert sorted(path.name for path in runs.iterdir()) == ["bad", "bisect", "good"]
