"""Metrics: what is measured of a processed data set, in which unit and by which estimator.

`catalogue` lists the definitions, `measure_all` measures those that read tables; `qa.metrics.resources` turns the
pipeline's metadata into the rest.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from qa.errors import UnknownNameError
from qa.metrics import astrometry, completeness, depth, photometry, resources, shapes
from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qa.model import Result, Scope

__all__ = ["METRICS", "Direction", "Estimate", "Metric", "MetricDefinition", "Tables", "catalogue", "measure_all"]

_FAMILIES = (photometry, astrometry, shapes, depth, completeness, resources)
METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.definition.name: metric for family in _FAMILIES for metric in family.METRICS}
)


def catalogue() -> Mapping[str, MetricDefinition]:
    """Return the definitions of all metrics by name, family by family."""
    return {name: metric.definition for name, metric in METRICS.items()}


def measure_all(tables: Tables, scope: Scope, *, names: Sequence[str] | None = None) -> tuple[Result, ...]:
    """Measure every metric of tables that applies to the scope's band, or only those named, in the catalogue's order.

    A metric that is not defined in the band is left out; one that is defined and cannot be measured is `Unmeasured`.

    Raises
    ------
    UnknownNameError
        If a name is none of the catalogue's.
    """
    for name in names or ():
        if name not in METRICS:
            raise UnknownNameError(kind="metric", name=name, known=METRICS)
    wanted = METRICS if names is None else dict.fromkeys(names)
    return tuple(
        metric(tables, scope)
        for name, metric in METRICS.items()
        if name in wanted and metric.estimate is not None and metric.definition.applies_to(scope.band)
    )
