"""Jobs of lsst.verify made of a run, and read back."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from qa.foreign.definitions import definitions
from qa.foreign.export import exportable, file_name, own_name, to_jobs
from qa.foreign.files import read_filed
from qa.foreign.filing import Asked
from qa.foreign.model import Kind
from qa.metrics import catalogue
from qa.model import (
    Change,
    Comparison,
    Ladder,
    Lane,
    Level,
    Measurement,
    Plan,
    Result,
    Scope,
    Stage,
    Status,
    Step,
    Trigger,
    Unmeasured,
)
from qa.printable import printable
from qa.record import Measured, RunRecord
from qa.testing import NOW, a_camera, a_measurement

FACTS = {"package afw": "abc", "host": "box", "cpu": "A Processor"}
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def a_record(*results: Result, comparisons: tuple[Comparison, ...] = ()) -> RunRecord:
    """Return the record of a run with some results of one data set."""
    plan = Plan("20260301T010000Z", Lane.NIGHTLY, Trigger(), NOW, (Step("testcam", "twin", Stage.MEASURE),))
    measured = {("testcam", "twin"): Measured("testcam", "twin", results)}
    return RunRecord(plan, FACTS, NOW, measured=measured, comparisons=comparisons)


@st.composite
def some_results(draw: st.DrawFn) -> tuple[Result, ...]:
    """Draw results of distinct metrics and scopes: ours and imported ones, measured and not."""
    names = st.sampled_from([*sorted(catalogue())[:6], "validate_drp.TE1", "pkg.other"])
    scopes = st.builds(
        Scope,
        st.just("testcam"),
        st.just("twin"),
        st.sampled_from([None, "g", "r"]),
        st.sampled_from([None, 0, 9813]),
        st.sampled_from([None, "isr"]),
    )
    keys = draw(st.lists(st.tuples(names, scopes), unique=True, min_size=1, max_size=12))
    return tuple(draw(_result(*key)) for key in keys)


def _result(metric: str, scope: Scope) -> st.SearchStrategy[Result]:
    errors = st.none() | st.floats(min_value=0, allow_infinity=False, allow_nan=False)
    measured = st.builds(
        Measurement,
        st.just(metric),
        st.just(scope),
        NUMBERS,
        st.sampled_from(["mmag", "%", "arcsec"]),
        st.integers(min_value=0, max_value=10**9),
        errors,
    )
    return measured | st.builds(Unmeasured, st.just(metric), st.just(scope), st.text(min_size=1).map(printable))


@settings(max_examples=30)
@given(some_results())
def test_what_is_exported_is_imported_unchanged(results: tuple[Result, ...]) -> None:
    """Every bit of every value, with its error, its number, its scope or its reason in printable words; the facts."""
    record = a_record(*results)
    back: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for scope, job in to_jobs(record, definitions(record)).items():
            path = Path(folder) / file_name(scope)
            path.write_text(json.dumps(job, allow_nan=False))
            one = read_filed(path, Kind.VERIFY, Asked(), cameras=[a_camera()])
            back += one.results
            assert one.foreign.facts == FACTS
            assert one.when == NOW
            defined = {known.name for known in one.foreign.definitions} | set(catalogue())
            assert {result.metric for result in one.results} <= defined
    assert sorted(back, key=str) == sorted(results, key=str)


def test_a_job_is_what_lsst_verify_reads() -> None:
    """Measurements with blobs of their own, metrics, and a specification for each level; identifiers are stable."""
    result = a_measurement()
    ladder = Ladder("PA1", "r", "mmag", "<=", 8, 5, 3, "LPM-17")
    judged = Comparison(result, None, ladder, Change.NEW, Level.DESIGN, Status.PASS, None, "")
    record = a_record(result, Unmeasured("AM1", result.scope, "no pairs"), comparisons=(judged,))
    (job,) = to_jobs(record, catalogue()).values()
    assert set(job) == {"measurements", "blobs", "metrics", "specs", "meta"}
    (measurement,), (blob,) = job["measurements"], job["blobs"]
    assert (measurement["metric"], measurement["value"], measurement["unit"]) == ("obsqa.PA1", 5.0, "mmag")
    assert measurement["blob_refs"] == [blob["identifier"]]
    assert blob["name"] == "obsqa.PA1"
    assert [(one["name"], one["threshold"]["value"]) for one in job["specs"]] == [
        ("obsqa.PA1.minimum", 8),
        ("obsqa.PA1.design", 5),
        ("obsqa.PA1.stretch", 3),
    ]
    assert job["meta"]["unmeasured"] == {"obsqa.AM1": "no pairs"}
    assert job["meta"]["packages"] == {"afw": {"name": "afw", "eups_version": "abc"}}
    assert (job,) == tuple(to_jobs(record, catalogue()).values())


def test_metrics_without_definition_and_of_one_level_are_exported() -> None:
    """With what is known of them."""
    result = a_measurement(metric="p.M")
    ladder = Ladder("p.M", "r", "mmag", "<=", 8, 8, 8, "here", Level.DESIGN)
    judged = Comparison(result, None, ladder, Change.NEW, Level.DESIGN, Status.PASS, None, "")
    (job,) = to_jobs(a_record(result, comparisons=(judged,)), {}).values()
    assert [one["name"] for one in job["specs"]] == ["p.M.design"]
    assert job["metrics"][0]["description"] == ""


def test_names_of_three_parts_are_left_out() -> None:
    """Lsst.verify takes them for specifications."""
    assert [exportable(name) for name in ("PA1", "p.M", "p.a.M")] == [True, True, False]
    assert to_jobs(a_record(a_measurement(metric="p.a.M")), {}) == {}


def test_our_package_is_taken_off_what_the_catalogue_has() -> None:
    """And off nothing else."""
    assert [own_name(name) for name in ("obsqa.PA1", "obsqa.XX", "p.PA1")] == ["PA1", "obsqa.XX", "p.PA1"]


def test_nonsense_in_an_exported_job_is_not_believed(tmp_path: Path) -> None:
    """A negative number or error edited into it is as none."""
    (job,) = to_jobs(a_record(a_measurement()), catalogue()).values()
    job["blobs"][0]["data"] = {"n": {"value": -1}, "stderr": {"value": float("inf")}}
    job["meta"] |= {"unmeasured": 3, "provenance": None, "task": 7}
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job))
    (result,) = read_filed(path, Kind.VERIFY, Asked(), cameras=()).results
    assert result == Measurement("PA1", Scope("testcam", "twin", "r", 0), 5.0, "mmag", 0, None)
