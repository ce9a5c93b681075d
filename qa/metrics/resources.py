"""What the processing costs: definitions, and values from what the pipeline's metadata say of each task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Metric, MetricDefinition
from qa.model import Measurement, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qa.model import Result, Scope

_define = partial(
    MetricDefinition,
    family="resources",
    citation="obsqa; from the metadata each task writes",
    direction=Direction.LOWER,
    bands=None,
    reads=(),
)
CPU = _define(
    name="cpu_per_megapixel",
    title="CPU time per megapixel",
    definition="CPU time of all quanta of a task over the megapixels of raw exposure that went into the run.",
    unit="ms/Mpix",
    per_task=True,
)
MEMORY = _define(
    name="peak_memory",
    title="Peak memory",
    definition="Largest resident set size reached by the process while any quantum of a task ran.",
    unit="MiB",
    per_task=True,
)
MIDDLEWARE = _define(
    name="middleware_cpu",
    title="CPU time of the middleware",
    definition="CPU time of a camera's run that no task accounts for: building the graph, reading and writing.",
    unit="s",
)
SPEED = _define(
    name="speed",
    family="speed",
    title="CPU time of an algorithm",
    definition=(
        "CPU time of an algorithm on one detector of the camera's small twin over that of a calibration kernel, which "
        "does fixed array work; median of rounds in which the two take turns."
    ),
    citation="obsqa; timed by pytest-benchmark in the commit lane",
    unit="",
    per_task=True,
)
METRICS = (Metric(CPU), Metric(MEMORY), Metric(MIDDLEWARE), Metric(SPEED))


@dataclass(frozen=True, slots=True)
class TaskUsage:
    """What the quanta of one task used: CPU seconds and peak memory in MiB, one of each per quantum."""

    task: str
    cpu_seconds: tuple[float, ...]
    peak_mib: tuple[float, ...]


def measure_usage(usages: Iterable[TaskUsage], scope: Scope, *, megapixels: float) -> tuple[Result, ...]:
    """Measure `cpu_per_megapixel` and `peak_memory` of each task, on `scope` with the task's name.

    The standard error of the CPU time is analytic, from the scatter among quanta; a peak has none.
    """
    return tuple(
        result
        for usage in usages
        for result in (
            _cpu(usage, replace(scope, task=usage.task), megapixels),
            _memory(usage, replace(scope, task=usage.task)),
        )
    )


def _cpu(usage: TaskUsage, scope: Scope, megapixels: float) -> Result:
    seconds = np.array(usage.cpu_seconds, dtype=np.float64)
    if not len(seconds) or not np.all(np.isfinite(seconds)) or megapixels <= 0:
        reason = f"{usage.task} has CPU times of {len(seconds)} quanta over {megapixels:g} megapixels"
        return Unmeasured(CPU.name, scope, reason)
    scale = 1000 / megapixels
    stderr = float(seconds.std(ddof=1) * np.sqrt(len(seconds)) * scale) if len(seconds) > 1 else None
    return Measurement(CPU.name, scope, float(seconds.sum() * scale), CPU.unit, len(seconds), stderr)


def _memory(usage: TaskUsage, scope: Scope) -> Result:
    peaks = [peak for peak in usage.peak_mib if np.isfinite(peak) and peak > 0]
    if not peaks:
        return Unmeasured(MEMORY.name, scope, f"none of the {len(usage.peak_mib)} quanta of {usage.task} has a peak")
    return Measurement(MEMORY.name, scope, float(max(peaks)), MEMORY.unit, len(peaks))


def measure_middleware(*, total_cpu: float, task_cpu: float, quanta: int, scope: Scope) -> Result:
    """Measure `middleware_cpu`: the CPU seconds of the whole run less those its tasks account for."""
    value = total_cpu - task_cpu
    if not np.isfinite(value) or value < 0:
        reason = f"the run took {total_cpu:g} s of CPU, less than the {task_cpu:g} s of its tasks"
        return Unmeasured(MIDDLEWARE.name, scope, reason)
    return Measurement(MIDDLEWARE.name, scope, float(value), MIDDLEWARE.unit, quanta)
