"""Results to and from the JSON shape of analysis_tools' MetricMeasurementBundle.

The shape is `{action: [{metric, identifier, value, unit, blob_refs}, ...], "__<reserved>": ...}`; here an action is a
family. What lsst.verify has no place for (n, stderr, task, reason, and the band of what compares bands) stands beside
its keys, which its readers skip.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.model import Result

REFERENCE_PACKAGE = "obsqa"
_NAMESPACE = uuid5(NAMESPACE_URL, "https://ls.st/lpm-17#obsqa-measurement")
_FOREIGN = "other"


def identifier(metric: str, scope: Scope) -> str:
    """Return the identifier of a measurement: the same metric of the same scope always has the same."""
    return uuid5(_NAMESPACE, f"{metric} of {scope}").hex


def to_bundle(results: Iterable[Result], *, dataset: str = "twin", timestamp: str | None = None) -> dict[str, Any]:
    """Arrange results as a bundle of plain JSON values.

    `timestamp` is the version string analysis_tools' dispatcher dates the record by (e.g. a run's `20260801T120000Z`).
    """
    from qa.metrics import catalogue  # noqa: PLC0415 - the catalogue's families import `base`, beside this module

    definitions = catalogue()
    bundle: dict[str, Any] = {"__reference_package": REFERENCE_PACKAGE, "__dataset_identifier": dataset}
    if timestamp is not None:
        bundle["__timestamp_version"] = timestamp
    for result in results:
        definition = definitions.get(result.metric)
        family = definition.family if definition else _FOREIGN
        record = _record(result, definition.unit if definition else "")
        if definition is not None and definition.cross_band:
            record["band"] = result.scope.band
        bundle.setdefault(family, []).append(record)
    return bundle


def _record(result: Result, unit: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "metric": result.metric,
        "identifier": identifier(result.metric, result.scope),
        "value": None,
        "unit": unit,
        "blob_refs": [],
    }
    if result.scope.task is not None:
        record["task"] = result.scope.task
    match result:
        case Measurement():
            return record | {"value": result.value, "unit": result.unit, "n": result.n, "stderr": result.stderr}
        case Unmeasured():
            return record | {"reason": result.reason}


def from_bundle(bundle: Mapping[str, Any], scope: Scope) -> tuple[Result, ...]:
    """Read the results of a bundle, ours or one written by analysis_tools, as measured on `scope`.

    A value that is null or the bare token NaN is `Unmeasured`; a foreign record has n = 0 and no standard error.

    Raises
    ------
    ValueError
        If an entry is not a list of measurements.
    """
    actions = {key: records for key, records in bundle.items() if not key.startswith("__")}
    return tuple(
        _result(record, action, scope) for action, records in actions.items() for record in _listed(action, records)
    )


def _listed(action: str, records: object) -> list[dict[str, Any]]:
    if isinstance(records, list) and all(isinstance(record, dict) and "metric" in record for record in records):
        return records
    msg = f"entry {action!r} of a bundle must be a list of measurements, got {type(records).__name__}"
    raise ValueError(msg)


def _result(record: Mapping[str, Any], action: str, scope: Scope) -> Result:
    metric, value = record["metric"], record.get("value")
    if "task" in record or "band" in record:
        band, task = record.get("band", scope.band), record.get("task", scope.task)
        scope = Scope(scope.camera, scope.dataset, band, scope.tract, task)
    if value is None:
        return Unmeasured(metric, scope, record.get("reason") or f"the record of {action} has no value")
    if not math.isfinite(value):
        return Unmeasured(metric, scope, f"the record of {action} has the value {value}")
    return Measurement(metric, scope, float(value), record.get("unit") or "", int(record.get("n") or 0), _error(record))


def _error(record: Mapping[str, Any]) -> float | None:
    stderr = record.get("stderr")
    return float(stderr) if stderr is not None and math.isfinite(stderr) else None
