"""One camera with one and with two persistent workers: how much faster, at which cost, and with the same results.

usage: python benchmarks/workers.py [--camera NAME] [--rounds N] [--cache FOLDER]

Needs an idle machine with two cores. The rounds alternate, and the shortest of each counts. `pipetask run` in one
process, over a Butler with a registry, is timed beside them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ci.settings import Settings
from ci.wiring import WORKERS
from obs_registry.loader import load_registry
from obs_registry.model import Lane
from qa.drp.command import has_run, pipetask_command, processing

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = "obsqa"
SPEED_UP, OVERHEAD_MS = 1.7, 60.0


def in_a_fork(work: Callable[[], object], log: Path) -> float:
    """Carry out work in a fork of this process, which has imported everything, and return how long it took."""

    def quietly() -> None:
        from qa.drp.executor.run import log_like_pipetask
        from qa.processes import collect_less_often

        collect_less_often()
        with log.open("a") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            log_like_pipetask()
            work()

    child = multiprocessing.get_context("fork").Process(target=quietly)
    began = time.monotonic()
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(f"failed with exit code {child.exitcode}, see {log}")
    return time.monotonic() - began


def prepare(camera: str, cache: Path, folder: Path) -> Path:
    """Draw a camera's nightly data set, ingest it and make its masters; return the repository."""
    from qa.drp.calibrations import certify, making_masters
    from qa.drp.executor.run import execute
    from qa.drp.ingest import ingest, read_ingested
    from qa.twins.cache import ensure

    entry, repo = load_registry()[camera], folder / "prepared"
    dataset = next(one for one in entry.datasets if one.lane is Lane.NIGHTLY)
    recipes = Settings.from_environment().regression_data
    ingest(ensure(entry, dataset, cache=cache, recipes=recipes, progress=lambda _done, _total: None), repo)
    if read_ingested(repo).calibrations:
        in_a_fork(lambda: execute(making_masters(repo), workers=2), folder / "log")
        certify(repo)
    return repo


def measured(repo: Path, folder: Path) -> tuple[object, float, float, int]:
    """Return what a run measured, its CPU seconds, those of the middleware, and its number of quanta."""
    from qa.drp.harvest import harvest

    found = harvest(repo, RUN, "camera", "set", folder)
    values = {(one.metric, one.scope): one for one in found.results if one.scope.band is not None}
    return values, found.account.total, found.account.rest, found.account.quanta


def pipetask_seconds(repo: Path, log: Path) -> float:
    """Return how long `pipetask run` takes, without the start of its interpreter."""
    from lsst.ctrl.mpexec.cli.pipetask import cli

    return in_a_fork(lambda: cli.main(pipetask_command(processing(repo, run=RUN))[1:], standalone_mode=False), log)


def one_round(prepared: Path, folder: Path, workers: int) -> tuple[Path, float]:
    """Process a copy of a repository; 0 workers stands for `pipetask`."""
    from qa.drp.executor.run import execute

    repo = folder / f"workers-{workers}"
    shutil.rmtree(repo, ignore_errors=True)
    shutil.copytree(prepared, repo, symlinks=True)
    if not workers:
        seconds = pipetask_seconds(repo, folder / "log")
    else:
        seconds = in_a_fork(lambda: execute(processing(repo, run=RUN), workers=workers), folder / "log")
    if not has_run(repo, RUN):
        sys.exit(f"nothing was processed, see {folder / 'log'}")
    return repo, seconds


def show(folder: Path, prepared: Path, rounds: int) -> bool:
    """Time the rounds, print the table, and tell whether all limits hold."""
    times: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for _ in range(rounds):
        for workers, seconds in times.items():
            seconds.append(one_round(prepared, folder, workers)[1])
    found = {workers: measured(folder / f"workers-{workers}", folder / "pictures") for workers in (1, 2)}
    best = {workers: min(seconds) for workers, seconds in times.items()}
    ratio = best[1] / best[2]
    print(f"pipetask run, one process    {best[0]:7.2f} s")
    for workers, (_, cpu, rest, quanta) in found.items():
        each = f"{1e3 * rest / quanta:.1f} ms each beside arrays and files (limit {OVERHEAD_MS:.0f})"
        print(f"{workers} persistent worker(s)       {best[workers]:7.2f} s  {cpu:6.2f} s CPU, {quanta} quanta, {each}")
    same = found[1][0] == found[2][0]
    print(f"speed-up with two workers    {ratio:7.2f}    (limit {SPEED_UP})")
    print(f"what was measured is {'bit-identical' if same else 'DIFFERENT'}")
    cheap = all(1e3 * rest / quanta <= OVERHEAD_MS for _, _, rest, quanta in found.values())
    return same and cheap and ratio >= SPEED_UP


def start_as_steps_do() -> None:
    """Start this program anew with what the processes of steps start with, which C libraries read only then."""
    if not WORKERS.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **WORKERS})  # noqa: S606 - the same program


def main() -> None:
    """Time one camera."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camera", default="hsc")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    start_as_steps_do()
    import qa.engines.preload  # noqa: F401 - what the fork server does once a night

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepared = prepare(options.camera, options.cache or Settings.from_environment().cache, folder)
        sys.exit(not show(folder, prepared, options.rounds))


if __name__ == "__main__":
    main()
