"""The results of a run as Jobs of lsst.verify: one for each scope, because a Job holds a metric once.

Metrics of obsqa go under the package `obsqa`, imported ones under their own. The number of things and the standard
error, for which lsst.verify has no place, are in the measurement's own blob. What was not measured is in the metadata,
because lsst.verify would write NaN for it; and so are the facts that are no packages. `qa.foreign.own` reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from qa.metrics import catalogue
from qa.model import Level, Measurement, Unmeasured
from qa.requirements.ladder import target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.metrics.base import MetricDefinition
    from qa.model import Comparison, Ladder, Result, Scope
    from qa.record import RunRecord

PACKAGE = "obsqa"
UNMEASURED = "unmeasured"
PROVENANCE = "provenance"
LEVELS = (Level.MINIMUM, Level.DESIGN, Level.STRETCH)
_NAMESPACE = uuid5(NAMESPACE_URL, "https://github.com/lsst/verify#obsqa")


def exportable(metric: str) -> bool:
    """Tell whether lsst.verify can name a metric: `package.metric`, or a plain name, which gets ours."""
    return metric.count(".") <= 1


def to_jobs(record: RunRecord, definitions: Mapping[str, MetricDefinition]) -> dict[Scope, dict[str, Any]]:
    """Return the Jobs of a run by scope, as plain JSON values; metrics that lsst.verify cannot name are left out."""
    by_scope: dict[Scope, list[Result]] = {}
    for one in record.results:
        if exportable(one.metric):
            by_scope.setdefault(one.scope, []).append(one)
    judged = {(one.metric, one.scope): one for one in record.comparisons}
    return {scope: _job(record, scope, results, definitions, judged) for scope, results in by_scope.items()}


def file_name(scope: Scope) -> str:
    """Return the name of a scope's file."""
    return str(scope).replace("/", "-") + ".verify.json"


def _job(
    record: RunRecord,
    scope: Scope,
    results: Iterable[Result],
    definitions: Mapping[str, MetricDefinition],
    judged: Mapping[tuple[str, Scope], Comparison],
) -> dict[str, Any]:
    measured = [one for one in results if isinstance(one, Measurement)]
    missing = {_named(one.metric): one.reason for one in results if isinstance(one, Unmeasured)}
    ladders = [judged[one.metric, scope].ladder for one in measured if (one.metric, scope) in judged]
    return {
        "measurements": [_measurement(record, one) for one in measured],
        "blobs": [_blob(record, one) for one in measured],
        "metrics": [_metric(one, definitions.get(one.metric)) for one in measured],
        "specs": [spec for ladder in ladders if ladder for spec in _specs(ladder)],
        "meta": _meta(record, scope) | {UNMEASURED: missing},
    }


def _named(metric: str) -> str:
    return metric if "." in metric else f"{PACKAGE}.{metric}"


def _id(record: RunRecord, one: Measurement, kind: str) -> str:
    return uuid5(_NAMESPACE, f"{kind} {record.run_id} {one.metric} {one.scope}").hex


def _measurement(record: RunRecord, one: Measurement) -> dict[str, Any]:
    return {
        "metric": _named(one.metric),
        "identifier": _id(record, one, "measurement"),
        "value": one.value,
        "unit": one.unit,
        "blob_refs": [_id(record, one, "blob")],
    }


def _blob(record: RunRecord, one: Measurement) -> dict[str, Any]:
    data = {"n": _datum(one.n, "", "number of things it rests on")}
    if one.stderr is not None:
        data["stderr"] = _datum(one.stderr, one.unit, "standard error")
    return {"identifier": _id(record, one, "blob"), "name": _named(one.metric), "data": data}


def _datum(value: float, unit: str, label: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "label": label, "description": ""}


def _metric(one: Measurement, definition: MetricDefinition | None) -> dict[str, Any]:
    return {
        "name": _named(one.metric),
        "description": definition.definition if definition else "",
        "unit": one.unit,
        "tags": [definition.family] if definition else [],
        "reference": {"doc": definition.citation if definition else "", "page": None, "url": None},
    }


def _specs(ladder: Ladder) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{_named(ladder.metric)}.{level}",
            "type": "threshold",
            "threshold": {"value": target(ladder, level), "unit": ladder.unit, "operator": ladder.operator},
            "metadata_query": {},
            "tags": [level.value],
        }
        for level in LEVELS
        if ladder.only in {None, level}
    ]


def _meta(record: RunRecord, scope: Scope) -> dict[str, Any]:
    facts = {name: value for name, value in record.provenance.items() if not name.startswith("package ")}
    packages = {
        name.removeprefix("package "): version
        for name, version in record.provenance.items()
        if name.startswith("package ")
    }
    place = {"instrument": scope.camera, "dataset": scope.dataset, "band": scope.band, "tract": scope.tract}
    place |= {"filter_name": scope.band, "task": scope.task, "run": record.run_id}
    return {name: value for name, value in place.items() if value is not None} | {
        "env": {"env_name": PACKAGE, "date": record.plan.created.isoformat()},
        "packages": {name: {"name": name, "eups_version": version} for name, version in packages.items()},
        PROVENANCE: facts,
    }


def own_name(metric: str) -> str:
    """Return the name under which obsqa knows a metric of a Job: without our package, if the catalogue has it."""
    short = metric.removeprefix(f"{PACKAGE}.")
    return short if short in catalogue() else metric
