"""Metrics: what is measured of a processed data set, in which unit and by which estimator.

`catalogue` lists the definitions, `measure_all` measures those that read tables; `qa.metrics.resources` turns the
pipeline's metadata into the rest.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from qa.errors import UnknownNameError
from qa.metrics import (
    astrometry,
    calibration,
    coadds,
    colours,
    completeness,
    crossband,
    depth,
    detection,
    images,
    photometry,
    repeatability,
    resources,
    shapes,
    visits,
    zeropoints,
)
from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, Tables
from qa.metrics.groups import Catalog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qa.model import Result, Scope

__all__ = ["METRICS", "Direction", "Estimate", "Metric", "MetricDefinition", "Tables", "catalogue", "measure_all"]

_MODULES = (
    photometry,
    repeatability,
    zeropoints,
    colours,
    astrometry,
    crossband,
    shapes,
    images,
    visits,
    calibration,
    depth,
    coadds,
    completeness,
    detection,
    resources,
)
_ALL = tuple(metric for module in _MODULES for metric in module.METRICS)
_FAMILIES = tuple(dict.fromkeys(metric.definition.family for metric in _ALL))
METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.definition.name: metric
        for metric in sorted(_ALL, key=lambda metric: _FAMILIES.index(metric.definition.family))
    }
)


def catalogue() -> Mapping[str, MetricDefinition]:
    """Return the definitions of all metrics by name, families together."""
    return {name: metric.definition for name, metric in METRICS.items()}


def measure_all(
    tables: Tables, scope: Scope, *, names: Sequence[str] | None = None, cross_band: bool = False
) -> tuple[Result, ...]:
    """Measure every metric of tables that applies to the scope's band, or only those named, in the catalogue's order.

    A metric that is not defined in the band is left out; one that is defined and cannot be measured is `Unmeasured`.
    With `cross_band` these are the metrics that compare bands, and of these only those whose bands are there; without
    it, all others.

    Raises
    ------
    UnknownNameError
        If a name is none of the catalogue's.
    """
    for name in names or ():
        if name not in METRICS:
            raise UnknownNameError(kind="metric", name=name, known=METRICS)
    wanted = METRICS if names is None else dict.fromkeys(names)
    shared = tables if tables.matched is None else replace(tables, matched=Catalog.of(tables.matched))
    return tuple(
        metric(shared, scope)
        for name, metric in METRICS.items()
        if name in wanted and metric.estimate is not None and metric.definition.applies_to(scope.band)
        if metric.definition.cross_band == cross_band and set(metric.definition.partners) <= set(tables.bands or ())
    )
