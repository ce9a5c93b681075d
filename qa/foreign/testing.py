"""Builders of small foreign files as plain values, for tests of obsqa and of those who write such files."""

from __future__ import annotations

from typing import Any


def a_job(**changes: object) -> dict[str, Any]:
    """Return a Job of one r-band repeatability that its blob supports; keyword arguments replace its parts."""
    job: dict[str, Any] = {
        "measurements": [
            {"metric": "validate_drp.PA1", "identifier": None, "value": 6.0, "unit": "mmag", "blob_refs": ["b1"]}
        ],
        "blobs": [
            {
                "identifier": "b1",
                "name": "validate_drp.PA1",
                "data": {"iqr": {"value": [5.0, 7.0], "unit": "mmag", "label": "iqr", "description": ""}},
            },
            {"identifier": "b2", "name": "MatchedMultiVisitDataset", "data": {"snr": {"value": [[1.0], [2.0]]}}},
        ],
        "metrics": [
            {
                "name": "validate_drp.PA1",
                "description": "Repeatability.",
                "unit": "mmag",
                "tags": ["photometry"],
                "reference": {"doc": "LPM-17", "page": 21, "url": "http://ls.st/lpm-17"},
            }
        ],
        "specs": [],
        "meta": {
            "instrument": "HSC",
            "filter_name": "HSC-R",
            "dataset_repo_url": "https://example.org/validation_data_hsc.git",
            "packages": {"afw": {"name": "afw", "git_sha": "a" * 40, "eups_version": "19.0"}},
            "env": {"env_name": "jenkins", "date": "2020-02-03T04:05:06+00:00"},
        },
    }
    return job | changes


def a_spec(name: str, value: float, *, operator: str = "<=", unit: str = "mmag", **more: object) -> dict[str, Any]:
    """Return a specification as a Job quotes it."""
    threshold = {"value": value, "unit": unit, "operator": operator}
    return {"name": name, "type": "threshold", "threshold": threshold, "metadata_query": {}, "tags": []} | more


def a_measurement_of(metric: str, value: float | None, unit: str | None = "") -> dict[str, Any]:
    """Return a measurement as a Job holds it."""
    return {"metric": metric, "identifier": None, "value": value, "unit": unit, "blob_refs": []}


def a_benchmark(**changes: object) -> dict[str, Any]:
    """Return the JSON of pytest-benchmark for one test of 100 rounds; keyword arguments replace its parts."""
    stats = {"min": 0.9, "median": 1.0, "mean": 1.1, "stddev": 0.3, "iqr": 0.1349, "rounds": 100}
    body: dict[str, Any] = {
        "machine_info": {
            "node": "box",
            "machine": "x86_64",
            "python_version": "3.11.2",
            "system": "Linux",
            "release": "6.1",
            "cpu": {"brand_raw": "A Processor", "count": 8},
        },
        "commit_info": {"id": "c" * 40, "project": "warp", "dirty": True},
        "benchmarks": [{"group": None, "name": "test_warp", "fullname": "b/test_w.py::test_warp[64]", "stats": stats}],
        "datetime": "2026-02-03T04:05:06.789+00:00",
        "version": "5.1.0",
    }
    return body | changes


def a_bundle(**changes: object) -> dict[str, Any]:
    """Return a bundle of analysis_tools with two metrics of one action; keyword arguments replace its parts."""
    records = [
        {"metric": "r_stdev", "identifier": "1", "value": 4.5, "unit": "mmag", "blob_refs": []},
        {"metric": "r_median", "identifier": "2", "value": float("nan"), "unit": "mmag", "blob_refs": []},
    ]
    body: dict[str, Any] = {
        "stellarPhotRepeat": records,
        "__reference_package": "lsst_distrib",
        "__timestamp_version": "explicit_timestamp:20260203T040506Z",
        "__dataset_identifier": "HSC/RC2",
    }
    return body | changes
