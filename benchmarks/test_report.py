"""How long a report takes over a thousand nights of a hundred series, and with one night more: CPU seconds.

Cold, a process starts, reads the whole history and writes a report where there was none. With one night more, the
process that just judged it writes the report over the one of the night before.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import insert

from ci.assemble import SHOWN
from qa.model import Measurement, Scope
from qa.store import SqlStore
from qa.stores.tables import RESULTS, RUNS
from reports.site import write_site
from reports.testing import NOW, a_camera_night, a_comparison, a_night, definitions

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from qa.model import Comparison

CAMERAS = ("decam", "hsc", "latiss", "lsstcam", "megaprime")
NIGHTS = 1000
COLD, ONE_MORE = 3.0, 0.5


def comparisons(seed: int) -> tuple[Comparison, ...]:
    """Judge a night of twenty metrics of five cameras; another seed is another night."""
    rng = np.random.default_rng(seed)
    scopes = [
        (name, Scope(camera, "twin", "r", 0, "coadd" if one.per_task else None))
        for camera in CAMERAS
        for name, one in definitions().items()
    ]
    return tuple(a_comparison(name, scope, factor=1 + 0.01 * rng.normal()) for name, scope in scopes)


def fill(root: Path) -> None:
    """Write the history."""
    rng = np.random.default_rng(1)
    results = [one.result for one in comparisons(0) if isinstance(one.result, Measurement)]
    with SqlStore.beside(root).engine.begin() as connection:
        for age in range(NIGHTS, 0, -1):
            when = (NOW - timedelta(days=age)).replace(tzinfo=None)
            run = f"{when:%Y%m%dT%H%M%SZ}"
            facts = {"run_id": run, "lane": "nightly", "started": when, "finished": when, "exit_code": 0}
            connection.execute(insert(RUNS).values(**facts))
            rows = [
                {
                    "run_id": run,
                    "metric": one.metric,
                    "camera": one.scope.camera,
                    "dataset": one.scope.dataset,
                    "band": one.scope.band,
                    "tract": one.scope.tract,
                    "task": one.scope.task or "",
                    "value": one.value * (1 + 0.01 * rng.normal()),
                    "unit": one.unit,
                    "n": one.n,
                    "stderr": one.stderr,
                }
                for one in results
            ]
            connection.execute(insert(RESULTS), rows)


def report(root: Path, seed: int, *, days: int | None) -> None:
    """Write the report of a night over the history of the last days, of all nights without."""
    history = SqlStore.beside(root).history(after=None if days is None else NOW - timedelta(days=days))
    night = a_night(
        *map(a_camera_night, CAMERAS),
        comparisons=comparisons(seed),
        history={key: tuple(points) for key, points in history.items()},
    )
    write_site(night, root / "site")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the history."""
    made = tmp_path_factory.mktemp("report")
    fill(made)
    return made


def test_a_cold_report(benchmark: BenchmarkFixture, root: Path) -> None:
    """Start-up, the whole history and every page."""

    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, __file__, str(root)], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    cpu = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info.update(cpu_seconds=round(cpu, 2), limit=COLD)
    assert cpu <= COLD


def test_one_night_more(benchmark: BenchmarkFixture, root: Path) -> None:
    """What a report shows of the history, and every page anew: each tells of another night."""
    seeds = iter(range(100))

    def run() -> float:
        before = time.process_time()
        report(root, next(seeds), days=SHOWN.days)
        return time.process_time() - before

    cpu = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(cpu_seconds=round(cpu, 2), limit=ONE_MORE)
    assert cpu <= ONE_MORE


if __name__ == "__main__":
    report(Path(sys.argv[1]), 0, days=None)
