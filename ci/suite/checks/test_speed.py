"""How fast the algorithms are, as multiples of the calibration kernel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ci.suite.kernel import measure_speed
from ci.suite.verdicts import insist

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci.suite.frames import Calibrated
    from ci.suite.night import Night
    from ci.suite.targets import Target


@pytest.mark.obsqa(needs="calibrations", words=("speed",), each="algorithm")
@pytest.mark.benchmark(timer=time.process_time, disable_gc=True)
def test_speed(
    target: Target,
    calibrated: Calibrated,
    night: Night,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """An algorithm takes no more CPU time on a detector of this camera than accepted, in units of the kernel."""
    from ci.suite.workloads import workload

    try:
        benchmark = request.getfixturevalue("benchmark")
    except pytest.FixtureLookupError:
        pytest.skip("pytest-benchmark is not installed; run: pip install 'obsqa[commit]'")
    if benchmark.disabled:
        pytest.skip("pytest-benchmark is switched off here (--benchmark-disable)")
    speed = measure_speed(benchmark, workload(target.task, calibrated), camera=target.camera.name, task=target.task)
    insist(night.judge_speed(speed), "", record_property)
