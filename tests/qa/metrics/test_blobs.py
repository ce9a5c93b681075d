"""Measurements of lsst.verify jobs made again from their blobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.metrics.blobs import percentile, recompute

if TYPE_CHECKING:
    from pathlib import Path


def job(
    metric: str, value: float | None = 1.0, *, specs: dict[str, float] | None = None, **data: Any
) -> dict[str, Any]:
    """Return a job of one measurement with one blob."""
    name = f"validate_drp.{metric}"
    return {
        "measurements": [{"metric": name, "identifier": None, "value": value, "unit": "mmag", "blob_refs": []}],
        "blobs": [{"identifier": "1", "name": name, "data": {key: {"value": one} for key, one in data.items()}}],
        "specs": [
            {"name": f"validate_drp.{spec}.srd", "threshold": {"value": limit}} for spec, limit in (specs or {}).items()
        ],
    }


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (job("PA1", iqr=[4.0, 6.0], rms=[40.0, 60.0]), 5.0),
        (job("modelPhotRepGal3", iqr=[4.0, 6.0]), 5.0),
        (job("AM2", rmsDistMas=[1.0, 2.0, 9.0]), 2.0),
        (job("AD1_design", rmsDistMas=list(range(11)), specs={"AF1_design": 10.0}), 4.0),
        (job("AF1_design", rmsDistMas=list(range(11)), specs={"AD1_design": 2.0}), 100 * 3 / 11),
        (job("TE1", radius=[0.5, 1.0, 2.0], xip=[1e-5, -5e-5, 1.0], D=1.0, bin_range_operator="<="), 2e-5),
        (job("TE2", radius=[0.5, 5.0, 9.0], xip=[1.0, 1e-5, 3e-5], D=5.0, bin_range_operator=">="), 2e-5),
    ],
)
def test_formulas_are_those_of_validate_drp(document: dict[str, Any], expected: float) -> None:
    """Each of its own blob, and of the limits the job quotes."""
    (result,) = recompute(document)
    assert result.value == pytest.approx(expected)
    assert result.reason == ""


def test_outliers_are_those_of_the_first_draw_of_pa1() -> None:
    """PA2 and PF1 have only their limits in blobs of their own."""
    document = job("PA2_design_gri", pf1_thresh=50.0)
    other = job("PF1_design_gri", pa2_spec=2.5)
    document["measurements"] += other["measurements"]
    document["blobs"] += other["blobs"] + job("PA1", magDiff=[[-1.0, 2.0, 3.0], [9.0, 9.0, 9.0]])["blobs"]
    assert [result.value for result in recompute(document)] == pytest.approx([2.0, 100 / 3])


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (job("PA1"), "iqr of the blob validate_drp.PA1 is needed, and the job has only "),
        (job("AM3", rmsDistMas=None), "rmsDistMas of the blob validate_drp.AM3 is empty"),
        (
            job("PA2_minimum", pf1_thresh=20.0),
            "magDiff of the blob validate_drp.PA1 is needed, and the job has no blob",
        ),
        (job("AD1_design", rmsDistMas=[1.0]), "the specification validate_drp.AF1_design.srd is needed"),
        (job("TE1", radius=[1.0], xip=[1.0], D=1.0, bin_range_operator="=="), "must be <= or >=, got '=='"),
        (job("CPUTime"), "no formula is known for CPUTime"),
    ],
)
def test_what_a_job_lacks_is_said(document: dict[str, Any], reason: str) -> None:
    """One plain sentence, and no value."""
    (result,) = recompute(document)
    assert result.value is None
    assert reason in result.reason


def test_a_job_without_definitions_is_a_job() -> None:
    """Keys may be absent altogether, and a value may be NaN or null."""
    assert recompute({}) == ()
    values = (float("nan"), None, 3.0)
    assert [recompute(job("PA1", value, iqr=[1.0]))[0].stored for value in values] == [None, None, 3.0]


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), share=st.floats(0, 100))
def test_a_percentile_is_numpy_s_within_rounding(values: list[float], share: float) -> None:
    """The arithmetic is another, the definition is not."""
    assert percentile(np.array(values), share) == pytest.approx(float(np.percentile(values, share)), abs=1e-9)


@pytest.mark.shared_data
def test_every_number_of_a_real_job_is_made_again(shared_data: Path) -> None:
    """All 28 of its 42 measurements that have a value, to the last bit; the others had no pairs of stars."""
    document = json.loads((shared_data / "verify" / "CfhtQuick_output_r.json").read_text())
    results = recompute(document)
    assert len(results) == 42
    assert [(result.metric, result.value) for result in results] == [
        (result.metric, result.stored) for result in results
    ]
    made = [result for result in results if result.value is not None]
    assert len(made) == 28
    assert all(result.reason.endswith("is empty") for result in results if result.value is None)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            job("TE1", radius=[5.0], xip=[1.0], D=1.0, bin_range_operator="<="),
            "xip of the blob validate_drp.TE1 has no",
        ),
        (job("PA1", iqr=[float("nan")]), "its blob gives nan"),
        (job("PA1", iqr=["much"]), "its blob is not what validate_drp writes ("),
        (job("TE1", radius=[1.0], xip=[1.0, 2.0], D=1.0, bin_range_operator="<="), "its blob is not what"),
    ],
)
def test_blobs_that_make_no_sense_are_reasons_not_tracebacks(document: dict[str, Any], reason: str) -> None:
    """Nor do they give a value that is none."""
    (result,) = recompute(document)
    assert result.value is None
    assert reason in result.reason
