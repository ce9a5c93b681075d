"""Older and other shapes of lsst.verify measurements, brought into that of a Job: plain values in, plain values out."""

from __future__ import annotations

from typing import Any

from qa.foreign.srd import PACKAGE


def as_job(document: Any) -> Any:  # noqa: ANN401 - whatever JSON or YAML holds
    """Return a document in the shape of a Job; one that is no older shape comes back as it is.

    Known are a single measurement as a Butler keeps it, the Jobs of validate_base (metrics as mappings), and the jobs
    that were posted to SQuaSH v0 (packages and date at the top).
    """
    if not isinstance(document, dict):
        return document
    if "metric" in document and "measurements" not in document:
        return _of_butler(document)
    measurements = document.get("measurements")
    if not isinstance(measurements, list) or not all(isinstance(one, dict) for one in measurements):
        return document
    if any(isinstance(one.get("metric"), dict) for one in measurements):
        return _of_validate_base(document)
    if "meta" not in document and ("ci_id" in document or "packages" in document):
        return _of_squash(document)
    return document


def _of_butler(measurement: dict[str, Any]) -> dict[str, Any]:
    notes = measurement.get("notes")
    blobs = [blob for blob in measurement.get("blobs") or () if isinstance(blob, dict)]
    return {"measurements": [measurement], "blobs": blobs, "meta": notes if isinstance(notes, dict) else {}}


def _of_validate_base(document: dict[str, Any]) -> dict[str, Any]:
    measurements, metrics = [], {}
    bands = set()
    for one in document["measurements"]:
        metric = one["metric"] if isinstance(one.get("metric"), dict) else {"name": one.get("metric")}
        name = _qualified("_".join(str(part) for part in (metric.get("name"), one.get("spec_name")) if part))
        measurements.append({"metric": name, "value": one.get("value"), "unit": one.get("unit")})
        metrics[name] = {
            "name": name,
            "description": metric.get("description"),
            "unit": one.get("unit"),
            "reference": metric.get("reference") or {},
        }
        bands.add(one.get("filter_name"))
    meta = dict(document.get("meta") or {})
    if len(bands) == 1:
        meta.setdefault("filter_name", bands.pop())
    blobs = [blob for blob in document.get("blobs") or () if isinstance(blob, dict) and "name" in blob]
    return {"measurements": measurements, "metrics": list(metrics.values()), "blobs": blobs, "meta": meta}


def _of_squash(document: dict[str, Any]) -> dict[str, Any]:
    measurements = [one | {"metric": _qualified(one.get("metric"))} for one in document["measurements"]]
    env = {key: document[key] for key in ("date", "ci_dataset", "ci_id", "ci_url") if key in document}
    return {"measurements": [{"unit": None} | one for one in measurements]} | {
        "meta": {"packages": document.get("packages") or [], "env": env}
    }


def _qualified(metric: object) -> object:
    """Put validate_drp, which these shapes were made for, in front of a name that has no package."""
    return f"{PACKAGE}.{metric}" if isinstance(metric, str) and metric and "." not in metric else metric
