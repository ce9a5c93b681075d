"""What a data set is expected to give: one result of every metric, in every band the metric is defined in. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_registry.model import OwnRaws, Stored, Suite
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
    """Return the metrics and scopes that a data set owes; those of single tasks are owed by no one.

    A metric across bands is owed by data sets that have all the bands it compares; one that rests on the truth is not
    owed by a user's own raws. Others' pipelines owe what was once accepted, and nothing before.
    """
    if isinstance(dataset, Stored | Suite):
        return frozenset()
    return frozenset(
        (name, Scope(camera, dataset.name, band, TWIN_TRACT))
        for name, definition in definitions.items()
        for band in dataset.bands
        if not definition.per_task and definition.applies_to(band) and definition.reads
        if set(definition.partners) <= set(dataset.bands)
        if not (isinstance(dataset, OwnRaws) and "truth_coverage" in definition.reads)
    )
