"""The run-to-run spread of a metric: what is assumed until it is learned, and what a change is counted in."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.metrics.base import MetricDefinition
    from qa.model import Baseline, Measurement

ROUNDING = 1e-6
"""Least run-to-run spread, relative to the value: other processors and libraries round differently."""

RESOURCES = "resources"
"""The family of metrics that only ever warn."""

RESOURCE_SPREAD = {"peak_memory": 0.1}
OTHER_RESOURCE_SPREAD = 0.4
"""Run-to-run spread of resources as a fraction of the value: CPU time on shared machines varies more than memory."""

SPEED, SPEED_SPREAD = "speed", 0.15
"""The family of timings relative to a calibration kernel, and their spread from one processor to another."""


def default_tolerance(measurement: Measurement, definition: MetricDefinition) -> float:
    """Return the run-to-run spread to assume when a baseline is accepted, in the measurement's unit.

    One object in n that comes or goes moves a mean by about its standard error over sqrt(n); a count or a time
    without an error gets none, resources a fraction of their value.
    """
    if definition.family == RESOURCES:
        return abs(measurement.value) * RESOURCE_SPREAD.get(measurement.metric, OTHER_RESOURCE_SPREAD)
    if definition.family == SPEED:
        return abs(measurement.value) * SPEED_SPREAD
    if measurement.stderr is None:
        return 0.0
    return measurement.stderr / math.sqrt(max(measurement.n, 1))


def repeats(baseline: Baseline, *, same_processor: bool) -> bool:
    """Tell whether a baseline's tolerance was learned from repeated runs and holds on tonight's processor."""
    return baseline.learned and same_processor


def run_to_run(result: Measurement, baseline: Baseline, *, same_processor: bool) -> float:
    """Return the spread that a change is counted in, in the unit of both.

    Not below what rounding may cost: on the same processor the last place of the value, elsewhere `ROUNDING` of it.
    """
    size = max(abs(result.value), abs(baseline.value))
    floor = sys.float_info.epsilon if repeats(baseline, same_processor=same_processor) else ROUNDING
    return max(baseline.tolerance, floor * size, sys.float_info.min)
