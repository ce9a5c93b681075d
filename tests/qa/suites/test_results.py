from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Lane, Limit, Suite
from qa.errors import EngineError
from qa.model import Level, Measurement, Scope
from qa.suites.junit import Failed, Tally
from qa.suites.results import Left, collect, files_of
from qa.suites.targets import SuiteTargets

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("archive", "queries")
GOOD = '<testsuite><testcase name="a" time="1"/><testcase name="b"><skipped/></testcase></testsuite>'
BAD = '<testsuite><testcase classname="t" name="c"><failure message="no"/></testcase></testsuite>'


def test_reports_and_metrics_of_a_suite_come_together(tmp_path: Path) -> None:
    """Several reports are summed, metrics stand beside them, and all have definitions."""
    (tmp_path / "a.xml").write_text(GOOD)
    (tmp_path / "b.xml").write_text(BAD)
    metric = {"name": "seconds", "value": 0.5, "unit": "s", "direction": "lower"}
    (tmp_path / "m.json").write_text(json.dumps({"schema": 1, "metrics": [metric]}))
    left = collect(files_of(tmp_path, ["*.xml", "*.json", "a.*"]), SCOPE)
    values = {one.metric: one.value for one in left.results if isinstance(one, Measurement)}
    expected = {"tests_run": 3, "tests_failed": 1, "tests_skipped": 1, "tests_seconds": 1.0, "archive.seconds": 0.5}
    assert values == expected
    assert {one.name for one in left.definitions} == set(values)
    assert left.message == "1 of 3 tests failed: t.c: no"


def test_one_unreadable_report_fails_them_all(tmp_path: Path) -> None:
    """What is missing might be what failed: no count of the others is taken for the whole."""
    (tmp_path / "a.xml").write_text(GOOD)
    (tmp_path / "b.xml").write_text(BAD[:40])
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(EngineError, match=r"b\.xml: must be JUnit XML .* \(and 1 more files\)$"):
        collect(files_of(tmp_path, ["*"]), SCOPE)


def test_a_suite_that_leaves_nothing_is_told_what_it_should(tmp_path: Path) -> None:
    """With the patterns and the folder."""
    with pytest.raises(EngineError, match=r"must leave files named \*\.xml, out/\*\.json in .*, found none"):
        files_of(tmp_path, ["*.xml", "out/*.json"])


def test_what_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    """A link to another file is none that the suite left."""
    (tmp_path / "secret.xml").write_text(GOOD)
    work = tmp_path / "work"
    work.mkdir()
    (work / "link.xml").symlink_to(tmp_path / "secret.xml")
    with pytest.raises(EngineError, match="found none"):
        files_of(work, ["*.xml"])


def test_a_metric_that_two_files_measure_is_refused(tmp_path: Path) -> None:
    """Which of them counts would be a guess."""
    text = json.dumps({"schema": 1, "metrics": [{"name": "x", "value": 1.0, "direction": "lower"}]})
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(text)
    with pytest.raises(EngineError, match=r"found archive\.x of archive/queries twice"):
        collect(files_of(tmp_path, ["*.json"]), SCOPE)


def test_of_many_failures_the_first_are_named() -> None:
    """The rest is in the suite's own report."""
    tests = Tally(run=9, failed=tuple(Failed(f"t{number}", "") for number in range(7)), unnamed=1)
    assert Left((), (), tests).message == "8 of 9 tests failed: t0; t1; t2; t3; t4 (and 3 more)"
    assert Left((), (), Tally(run=2)).message == "2 tests, none failed"


def test_no_test_of_a_suite_may_fail_unless_its_entry_says_so() -> None:
    """Limits are requirements of one level, in the unit of what was measured, by the short name or the whole."""
    measured = [Measurement("archive.seconds", SCOPE, 1.0, "s", 1), Measurement("tests_failed", SCOPE, 0.0, "", 1)]
    limits = (Limit(metric="seconds", at_most=2.0), Limit(metric="tests_run", at_least=5.0))
    suite = Suite(name="queries", lane=Lane.NIGHTLY, command=("true",), results=("*.xml",), limits=limits)
    targets = SuiteTargets("archive", suite, measured)
    failed, seconds, run = (targets.ladder(name, None) for name in ("tests_failed", "archive.seconds", "tests_run"))
    assert failed is not None
    assert (failed.operator, failed.minimum, failed.only) == ("<=", 0.0, Level.MINIMUM)
    assert seconds is not None
    assert (seconds.operator, seconds.minimum, seconds.unit) == ("<=", 2.0, "s")
    assert run is not None
    assert (run.operator, run.minimum) == (">=", 5.0)
    assert targets.ladder("tests_seconds", None) is None
    lax = suite.model_copy(update={"limits": (Limit(metric="tests_failed", at_most=3.0),)})
    allowed = SuiteTargets("archive", lax, measured).ladder("tests_failed", None)
    assert allowed is not None
    assert allowed.minimum == 3.0
