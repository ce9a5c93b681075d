"""What tasks cost."""

from __future__ import annotations

import math

import pytest

from qa.metrics.resources import TaskUsage, measure_middleware, measure_usage
from qa.model import Measurement, Scope, Unmeasured

SCOPE = Scope("hsc", "twin")


def test_each_task_has_its_time_and_its_peak() -> None:
    """CPU seconds of all quanta per megapixel, the largest peak, in the task's own scope."""
    usages = [TaskUsage("isr", (0.1, 0.2, 0.3), (200.0, 250.0, 240.0)), TaskUsage("coadd", (4.0,), (900.0,))]
    cpu, memory, coadd_cpu, coadd_memory = measure_usage(usages, SCOPE, megapixels=4.0)
    isr = Scope("hsc", "twin", task="isr")
    assert isinstance(cpu, Measurement)
    assert (cpu.metric, cpu.scope, cpu.unit, cpu.n) == ("cpu_per_megapixel", isr, "ms/Mpix", 3)
    assert cpu.value == pytest.approx(150)
    assert cpu.stderr == pytest.approx(0.1 * math.sqrt(3) * 250)
    assert memory == Measurement("peak_memory", isr, 250.0, "MiB", 3)
    assert isinstance(coadd_cpu, Measurement)
    assert coadd_cpu.stderr is None
    assert coadd_memory.scope.task == "coadd"


def test_missing_metadata_are_a_reason() -> None:
    """No quanta, unknown times and peaks, or no pixels: never a NaN."""
    usages = [TaskUsage("isr", (), ()), TaskUsage("warp", (math.nan,), (math.nan,))]
    results = measure_usage(usages, SCOPE, megapixels=4.0) + measure_usage(
        [TaskUsage("isr", (1.0,), (0.0,))], SCOPE, megapixels=0.0
    )
    assert all(isinstance(result, Unmeasured) for result in results)


def test_the_middleware_is_what_the_tasks_leave() -> None:
    """Total less tasks; a negative rest is a reason."""
    assert measure_middleware(total_cpu=10.0, task_cpu=7.5, quanta=40, scope=SCOPE) == Measurement(
        "middleware_cpu", SCOPE, 2.5, "s", 40
    )
    result = measure_middleware(total_cpu=10.0, task_cpu=11.0, quanta=40, scope=SCOPE)
    assert isinstance(result, Unmeasured)
    assert "10 s of CPU, less than the 11 s" in result.reason
