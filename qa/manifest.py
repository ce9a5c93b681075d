"""What a data set is expected to give: one result of every metric, in every band the metric is defined in. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.model import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_registry.model import Dataset
    from qa.metrics.base import MetricDefinition

TWIN_TRACT = 0
"""A twin has one tract."""


def expected(
    camera: str, dataset: Dataset, definitions: Mapping[str, MetricDefinition]
) -> frozenset[tuple[str, Scope]]:
    """Return the metrics and scopes that a data set owes; those of single tasks are owed by no one."""
    return frozenset(
        (name, Scope(camera, dataset.name, band, TWIN_TRACT))
        for name, definition in definitions.items()
        for band in dataset.bands
        if not definition.per_task and definition.applies_to(band) and definition.reads
    )
