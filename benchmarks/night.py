"""Two nights from nothing and from cached pixels: how long they take, where the CPU goes, and that they are the same.

usage: python benchmarks/night.py [--quick] [--jobs N] [--keep FOLDER]

Two cameras side by side slow each other down, also in CPU seconds: `--jobs 1` gives what the processing itself costs.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from qa.drp.accounting import account, read_outside, read_quanta
from qa.engines.stages import REPOSITORY, RUN
from qa.journal import read_record, runs_under
from qa.metrics import catalogue
from qa.model import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.drp.accounting import Account
    from qa.record import RunRecord

OBSQA = Path(sysconfig.get_path("scripts")) / "obsqa"
LIMITS = {"nothing": 480.0, "cached": 240.0, "quick": 90.0, "quick, cached": 90.0}
PROCESSING_MS = 200.0
MIDDLEWARE_SECONDS, MIDDLEWARE_PER_QUANTUM = 8.0, 0.060


def cpu_of_children() -> float:
    """Return the CPU seconds of all ended children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def night(folder: Path, *options: str) -> tuple[RunRecord, float, float]:
    """Run a night and return its record, wall and CPU seconds."""
    environment = {**os.environ, "OBSQA_CACHE": str(folder / "cache")}
    wall, cpu = time.monotonic(), cpu_of_children()
    command = [str(OBSQA), "nightly", "--new", "--runs", str(folder / "runs"), *options]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in {0, 1}:
        sys.exit(f"the night ended with exit code {done.returncode}")
    record = read_record(runs_under(folder / "runs")[-1])
    # The steps are children of the fork server, whose time nobody is told: they report their own.
    total = cpu_of_children() - cpu + sum(by_stage(record).values())
    return record, time.monotonic() - wall, total


def accounts(record: RunRecord, folder: Path) -> dict[str, Account]:
    """Read the middleware's own account of each camera's quanta."""
    from lsst.daf.butler import Butler

    found = {}
    for camera, dataset in dict.fromkeys((step.camera, step.dataset) for step in record.plan.steps):
        place = folder / "runs" / record.run_id / camera / dataset / REPOSITORY
        with Butler.from_config(str(place)) as butler:
            found[camera] = account(read_quanta(butler, RUN), outside=read_outside(place, RUN))
    return found


def rows(record: RunRecord, spent: dict[str, Account], total: float) -> Iterator[tuple[str, float]]:
    """Yield where the CPU seconds of a night went."""
    stages = by_stage(record)
    tasks, io = Counter[str](), Counter[str]()
    for one in spent.values():
        tasks.update(one.tasks)
        io.update(one.io)
    yield "drawing", stages[Stage.DRAW]
    yield "ingest (Butler)", stages[Stage.INGEST]
    yield "calibrations (masters)", stages[Stage.CALIBRATIONS]
    for task, seconds in tasks.items():
        yield f"process: {task}", seconds
    yield "process: reading and writing", sum(io.values())
    yield "process: the rest of the middleware", stages[Stage.PROCESS] - sum(tasks.values()) - sum(io.values())
    yield "harvest (Butler)", stages[Stage.MEASURE]
    yield "plan, judgement, history, report", total - sum(stages.values())


def by_stage(record: RunRecord) -> Counter[str]:
    """Return the CPU seconds of each stage, all cameras together."""
    stages: Counter[str] = Counter()
    for outcome in record.outcomes.values():
        stages[outcome.step.stage] += outcome.cpu_seconds
    return stages


def by_camera(record: RunRecord, spent: dict[str, Account]) -> Iterator[str]:
    """Yield a line per camera: processing per megapixel, and what the middleware costs beside it."""
    for camera, one in spent.items():
        all_cpu = sum(o.cpu_seconds for o in record.outcomes.values() if o.step.camera == camera)
        drawing = sum(
            o.cpu_seconds for o in record.outcomes.values() if o.step.camera == camera and o.step.stage is Stage.DRAW
        )
        work = sum(one.tasks.values())
        allowed = MIDDLEWARE_SECONDS + MIDDLEWARE_PER_QUANTUM * one.quanta
        yield (
            f"  {camera:10s} {one.megapixels:6.1f} Mpix {one.quanta:4d} quanta"
            f"  processing {1e3 * work / one.megapixels:6.0f} ms/Mpix"
            f"  middleware {all_cpu - drawing - work:5.1f} s (limit {allowed:.1f})"
        )


def values(record: RunRecord) -> dict[object, object]:
    """Return what was measured, timings aside."""
    definitions = catalogue()
    return {(one.metric, one.scope): one for one in record.results if definitions[one.metric].family != "resources"}


def show(name: str, record: RunRecord, folder: Path, wall: float, cpu: float) -> None:
    """Print one night's tables."""
    spent = accounts(record, folder)
    peak = max(outcome.peak_mib for outcome in record.outcomes.values())
    print(f"\n{name}: {wall:.0f} s wall (limit {LIMITS[name]:.0f}), {cpu:.0f} s CPU, peak {peak:.0f} MiB per process")
    for label, seconds in rows(record, spent, cpu):
        print(f"  {label:42s} {seconds:8.1f} s  {100 * seconds / cpu:5.1f} %")
    print("\n".join(by_camera(record, spent)))
    work = sum(sum(one.tasks.values()) for one in spent.values())
    megapixels = sum(one.megapixels for one in spent.values())
    limit = f" (limit {PROCESSING_MS:.0f})" if "quick" not in name else ""
    print(f"  all        {megapixels:6.1f} Mpix  processing {1e3 * work / megapixels:.0f} ms/Mpix{limit}")


def main() -> None:
    """Run the nights and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", default=str(os.cpu_count()))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    quick = ["--jobs", options.jobs, *(["--quick"] if options.quick else [])]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        first, *cost = night(folder, *quick)
        show("quick" if options.quick else "nothing", first, folder, *cost)
        second, *cost = night(folder, *quick)
        show("quick, cached" if options.quick else "cached", second, folder, *cost)
    same = values(first) == values(second)
    print(f"\nthe two nights are {'bit-identical, timings aside' if same else 'DIFFERENT'}")
    sys.exit(not same)


if __name__ == "__main__":
    main()
