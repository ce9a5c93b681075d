"""What obsqa alone puts into a Job of lsst.verify, taken out again: see `qa.foreign.export`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qa.foreign.export import PACKAGE, PROVENANCE, UNMEASURED, own_name
from qa.foreign.model import Definition, Foreign
from qa.metrics import catalogue
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.model import Result


def is_own(meta: Mapping[str, Any]) -> bool:
    """Tell whether obsqa exported a Job."""
    env = meta.get("env")
    return isinstance(env, dict) and env.get("env_name") == PACKAGE


def restored(foreign: Foreign, meta: Mapping[str, Any], blobs: Mapping[str, Mapping[str, Any]]) -> Foreign:
    """Return an exported Job as the results it was made of; `blobs` are the values in them, by name and key."""
    task = meta.get("task")
    scope = Scope("", "", task=task if isinstance(task, str) else None)
    known = catalogue()
    measured: list[Result] = [
        _measurement(one, scope, blobs.get(one.metric, {})) for one in foreign.results if isinstance(one, Measurement)
    ]
    missing = [Unmeasured(own_name(name), scope, reason) for name, reason in _texts(meta.get(UNMEASURED)).items()]
    unknown = [_unknown(one.metric) for one in missing if one.metric not in known]
    return replace(
        foreign,
        results=(*measured, *missing),
        definitions=(*(one for one in foreign.definitions if own_name(one.name) not in known), *unknown),
        ladders=tuple(one for one in foreign.ladders if own_name(one.metric) not in known),
        facts={**foreign.facts, **_texts(meta.get(PROVENANCE))},
    )


def _measurement(one: Measurement, scope: Scope, blob: Mapping[str, Any]) -> Measurement:
    n, stderr = blob.get("n"), blob.get("stderr")
    return Measurement(
        own_name(one.metric),
        scope,
        one.value,
        one.unit,
        n if isinstance(n, int) and n >= 0 else 0,
        float(stderr) if isinstance(stderr, int | float) and 0 <= stderr < math.inf else None,
    )


def _unknown(metric: str) -> Definition:
    return Definition(metric, "", "zero", f"It was not measured; the file says no more of {metric}.")


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}
