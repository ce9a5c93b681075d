"""Older shapes of measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qa.foreign import jobs
from qa.foreign.legacy import as_job
from qa.model import Measurement, Scope
from qa.requirements import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

LPM_17 = load()


def test_a_measurement_of_a_butler_is_a_job_of_one(write: Write) -> None:
    """YAML with tags; the notes are its metadata, and its blob is held against it."""
    text = """!<lsst.verify.Measurement>
metric: validate_drp.PA1
identifier: 0123
unit: mmag
value: 7.5
notes: {}
blobs:
- !<lsst.verify.Blob>
  identifier: 4567
  name: validate_drp.PA1
  data:
    iqr: !<lsst.verify.Datum> {value: [5.0, 7.0], unit: mmag}
"""
    foreign = jobs.read(write(text, "m.yaml"), LPM_17)
    assert foreign.results == (Measurement("validate_drp.PA1", Scope("", ""), 7.5, "mmag", 0),)
    assert foreign.caveats == ("validate_drp.PA1 says 7.5 mmag, its blob gives 6 mmag.",)


def test_jobs_of_validate_base_are_read(write: Write) -> None:
    """Metrics are mappings, the level is apart, the filter is with each measurement."""
    metric = {"name": "AF1", "description": "Outliers.", "reference": {"doc": "LPM-17"}, "specifications": []}
    one = {"metric": metric, "spec_name": "design", "value": 29.78, "unit": "", "filter_name": "r", "blobs": {}}
    other = {"metric": {"name": "AM1"}, "value": 9.0, "unit": "marcsec", "filter_name": "r"}
    foreign = jobs.read(write({"measurements": [one, other], "blobs": [], "meta": {"instrument": "CFHT"}}), LPM_17)
    assert [(one.metric, one.value, one.unit) for one in foreign.results if isinstance(one, Measurement)] == [
        ("validate_drp.AF1_design", 29.78, "%"),
        ("validate_drp.AM1", 9.0, "marcsec"),
    ]
    assert foreign.definitions[0].citation == "LPM-17"
    assert (foreign.origin.filter, foreign.origin.instrument) == ("r", "CFHT")


def test_two_filters_of_validate_base_name_none(write: Write) -> None:
    """The user has to."""
    measurements = [
        {"metric": {"name": name}, "value": 9.0, "unit": "", "filter_name": band}
        for name, band in (("a", "r"), ("b", "i"))
    ]
    assert jobs.read(write({"measurements": measurements}), LPM_17).origin.filter is None


def test_jobs_posted_to_squash_are_read(write: Write) -> None:
    """Packages, date and data set are at the top, and there are no units."""
    job = {
        "measurements": [{"metric": "PA1", "value": 6.0, "metadata": {}}, {"metric": "x.y", "value": 1}],
        "packages": [{"name": "afw", "git_url": "", "git_commit": "abc", "build_version": "b1"}],
        "date": "2016-05-06T07:08:09",
        "ci_id": "1",
        "ci_dataset": "cfht",
        "status": 0,
    }
    foreign = jobs.read(write(job), LPM_17)
    assert [(one.metric, one.unit) for one in foreign.results if isinstance(one, Measurement)] == [
        ("validate_drp.PA1", "mmag"),
        ("x.y", ""),
    ]
    assert foreign.facts == {"package afw": "abc"}
    assert (foreign.origin.dataset, str(foreign.origin.when)) == ("cfht", "2016-05-06 07:08:09+00:00")


@pytest.mark.parametrize(
    "document", [3, [], {}, {"measurements": 3}, {"measurements": [3]}, {"measurements": [], "meta": {}, "ci_id": 1}]
)
def test_other_documents_come_back_as_they_are(document: Any) -> None:
    """Whether they are Jobs is for others to say."""
    assert as_job(document) is document
