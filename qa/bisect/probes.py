"""The cheapest data set, and the metric on it, that shows what moved between two runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa.bisect.certainty import APART
from qa.errors import RequestError
from qa.judging.spread import RESOURCES, ROUNDING, default_tolerance
from qa.model import Baseline, Lane, Measurement, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_registry.model import Camera
    from qa.metrics.base import MetricDefinition
    from qa.model import Step
    from qa.record import RunRecord

    Key = tuple[str, Scope]


class NothingMovedError(RequestError):
    """No metric that both runs measured moved enough to be searched for."""

    def __init__(self, good: str, bad: str, wanted: str) -> None:
        self.good, self.bad, self.wanted = good, bad, wanted
        super().__init__(
            f"{bad}: must differ from {good} in {wanted or 'a metric'} by more than {APART:g} run-to-run spreads, "
            "found no such metric measured in both; name one with --metric, or let the command's exit code decide "
            "(--by-exit-code)"
        )


@dataclass(frozen=True, slots=True)
class Probe:
    """What every trial measures: a metric of one scope.

    `before` and `after` are its values in the two runs (None where they did not take this data set), `spread` one
    run-to-run standard deviation, all in `unit`; `learned` says that it was learned from repeated runs. CPU and wall
    time are of the whole data set in seconds, None when unknown.
    """

    metric: str
    scope: Scope
    lane: Lane
    unit: str
    before: float | None
    after: float | None
    spread: float
    learned: bool
    sigma: float
    cpu_seconds: float | None
    wall_seconds: float | None

    @property
    def expected(self) -> float | None:
        """The change between the two runs, where both measured this data set."""
        return None if self.before is None or self.after is None else self.after - self.before

    def __str__(self) -> str:
        """Name metric and scope."""
        return f"{self.metric} of {self.scope}"


def choose(
    good: RunRecord,
    bad: RunRecord,
    *,
    definitions: Mapping[str, MetricDefinition],
    metric: str | None = None,
    camera: str | None = None,
    dataset: str | None = None,
) -> tuple[Probe, ...]:
    """Return the metric that moved by most spreads on each data set, the cheapest data set first.

    Without `metric`, those that moved by `APART` spreads or less and the resources are left out.

    Raises
    ------
    NothingMovedError
        If there is none.
    """
    wanted = [
        probe
        for probe in _moved(good, bad, definitions)
        if (camera in {None, probe.scope.camera}) and (dataset in {None, probe.scope.dataset})
        if (probe.metric == metric if metric else probe.sigma > APART and not _is_resource(probe, definitions))
    ]
    if not wanted:
        raise NothingMovedError(good.run_id, bad.run_id, metric or "")
    best: dict[tuple[str, str], Probe] = {}
    for probe in sorted(wanted, key=lambda probe: (-probe.sigma, probe.metric, str(probe.scope))):
        best.setdefault((probe.scope.camera, probe.scope.dataset), probe)
    return tuple(sorted(best.values(), key=_price))


def with_small(probes: Iterable[Probe], cameras: Mapping[str, Camera]) -> tuple[Probe, ...]:
    """Put before the probes of a night the same metrics on the small data sets of the commit lane, at unknown cost.

    Whether these show the change is found out when the ends are verified.
    """
    probes = tuple(probes)
    taken = {(probe.scope.camera, probe.scope.dataset) for probe in probes}
    small = [
        replace(
            probe,
            scope=replace(probe.scope, dataset=dataset.name),
            lane=Lane.COMMIT,
            before=None,
            after=None,
            learned=False,
            cpu_seconds=None,
            wall_seconds=None,
        )
        for probe in probes
        if probe.lane is Lane.NIGHTLY and probe.scope.camera in cameras
        for dataset in cameras[probe.scope.camera].datasets
        if dataset.lane.value == Lane.COMMIT.value and probe.scope.band in {None, *dataset.bands}
        if (probe.scope.camera, dataset.name) not in taken
    ]
    return (*small, *probes)


def _moved(good: RunRecord, bad: RunRecord, definitions: Mapping[str, MetricDefinition]) -> Iterable[Probe]:
    before, spreads = _measured(good), _spreads(good) | _spreads(bad)
    for key, now in _measured(bad).items():
        then = before.get(key)
        if then is None or then.unit != now.unit or then.value == now.value:
            continue
        spread, learned = spreads.get(key) or (_assumed(now, definitions), False)
        least = max(spread, ROUNDING * max(abs(now.value), abs(then.value)))
        yield Probe(
            metric=now.metric,
            scope=now.scope,
            lane=bad.plan.lane,
            unit=now.unit,
            before=then.value,
            after=now.value,
            spread=spread,
            learned=learned,
            sigma=abs(now.value - then.value) / least,
            cpu_seconds=_seconds(good, bad, now.scope, "cpu_seconds"),
            wall_seconds=_seconds(good, bad, now.scope, "wall_seconds"),
        )


def _measured(record: RunRecord) -> dict[Key, Measurement]:
    return {(one.metric, one.scope): one for one in record.results if isinstance(one, Measurement)}


def _spreads(record: RunRecord) -> dict[Key, tuple[float, bool]]:
    """Return the spreads of accepted baselines in the unit of what was measured, and whether they were learned."""
    return {
        (one.metric, one.scope): (one.baseline.tolerance, one.baseline.learned)
        for one in record.comparisons
        if isinstance(one.baseline, Baseline)
        and isinstance(one.result, Measurement)
        and one.baseline.unit == one.result.unit
    }


def _assumed(now: Measurement, definitions: Mapping[str, MetricDefinition]) -> float:
    if now.metric in definitions:
        return default_tolerance(now, definitions[now.metric])
    return (now.stderr or 0.0) / math.sqrt(max(now.n, 1))


def _is_resource(probe: Probe, definitions: Mapping[str, MetricDefinition]) -> bool:
    return probe.metric in definitions and definitions[probe.metric].family == RESOURCES


def _seconds(good: RunRecord, bad: RunRecord, scope: Scope, kind: str) -> float | None:
    """Return what a data set cost in the dearer of the two runs; None where no step of it is recorded."""
    costs = [
        math.fsum(getattr(outcome, kind) for outcome in record.outcomes.values() if _is_of(outcome.step, scope))
        for record in (good, bad)
    ]
    return max(costs) or None


def _is_of(step: Step, scope: Scope) -> bool:
    return (step.camera, step.dataset) == (scope.camera, scope.dataset)


def _price(probe: Probe) -> tuple[bool, float, float]:
    return probe.lane is not Lane.COMMIT, probe.cpu_seconds or 0.0, -probe.sigma
