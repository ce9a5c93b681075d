"""What a user waits for before anything happens: CPU seconds of commands that only answer."""

from __future__ import annotations

import resource
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

OBSQA = str(Path(sysconfig.get_path("scripts")) / "obsqa")
LIMITS = {"--help": 0.3, "camera check": 1.0, "requirements show": 1.5}


@pytest.mark.parametrize("command", LIMITS)
def test_start_up(benchmark: BenchmarkFixture, command: str) -> None:
    """`obsqa --help` and its like answer at once."""

    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([OBSQA, *command.split()], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    cpu = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    benchmark.extra_info.update(cpu_seconds=round(cpu, 3), limit=LIMITS[command])
    assert cpu <= LIMITS[command]
