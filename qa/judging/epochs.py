"""Known breaks of a series: what its values depend on and is known to change, told by a run's provenance.

Where the epoch changes the level of a series starts anew, and nothing is reported: another data set is no regression.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MACHINE = ("host", "cpu", "cores", "threads")
"""Facts that what the processing costs depends on, besides its data and the engine that carried it out."""


def epoch_of(provenance: Mapping[str, str], camera: str, dataset: str, *, resources: bool) -> str:
    """Return the epoch of a data set's metrics, of its quality or of what they cost; '' when nothing is known."""
    names = (f"data {camera}/{dataset}", *((*MACHINE, f"engine {camera}") if resources else ()))
    facts = [f"{name}={provenance[name]}" for name in names if name in provenance]
    return sha256("\n".join(facts).encode()).hexdigest()[:16] if facts else ""


def is_resource(metric: str) -> bool:
    """Tell whether a metric says what the processing costs."""
    return metric in resource_metrics()


@cache
def resource_metrics() -> frozenset[str]:
    """Return the metrics that say what the processing costs."""
    from qa.metrics.resources import METRICS  # noqa: PLC0415 - a fifth of a second that reading a registry does not need

    return frozenset(metric.definition.name for metric in METRICS)
