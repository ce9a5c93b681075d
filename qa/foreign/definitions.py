"""The definitions of a run's metrics: those of the catalogue, and those that files or others' pipelines brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.foreign import srd
from qa.metrics import catalogue
from qa.metrics.base import Direction, MetricDefinition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.foreign.model import Definition
    from qa.judging.policy import Targets
    from qa.model import Ladder
    from qa.record import Imported, RunRecord


def definitions(record: RunRecord) -> Mapping[str, MetricDefinition]:
    """Return the definitions of everything that may be judged in a run, by metric."""
    brought = [one for measured in record.measured.values() for one in measured.definitions]
    if record.imported is not None:
        brought += record.imported.definitions
    return {**catalogue(), **{one.name: _as_metric(one) for one in brought}}


def _as_metric(one: Definition) -> MetricDefinition:
    return MetricDefinition(
        name=one.name,
        family=one.family,
        title=one.name,
        definition=one.text,
        citation=one.citation,
        unit=one.unit,
        direction=Direction(one.direction),
        bands=None,
        reads=(),
    )


class ImportedTargets:
    """What is asked of imported metrics: of those of LPM-17 what a document asks, of others what their file quotes."""

    def __init__(self, requirements: Targets, imported: Imported) -> None:
        self._requirements = requirements
        self._quoted = {(one.metric, one.band): one for one in imported.ladders}

    def ladder(self, metric: str, band: str | None) -> Ladder | None:
        """Return the ladder of a metric in a band, None where nothing is asked."""
        if srd.parse(metric):
            return srd.ladder(self._requirements, metric, band)
        return self._quoted.get((metric, band)) or self._requirements.ladder(metric, band)
