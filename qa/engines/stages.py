"""What each stage of a twin data set does: draw -> ingest -> process -> measure.

Each stage leaves its result in the data set's folder and can be repeated alone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import EngineError
from qa.model import Result, Stage

if TYPE_CHECKING:
    from qa.engines.base import Job

Tick = Callable[[int, int], None]

REPOSITORY = "butler"
MEASUREMENTS = "measurements.json"
RUN = "obsqa"
_EXECUTED = re.compile(r"Executed (\d+) quanta successfully, (\d+) failed and (\d+) remain")
_NOTHING_LEFT = "previously succeeded"
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Produced:
    """What a stage has to say beyond the files it left."""

    message: str = ""
    results: tuple[Result, ...] = ()
    caveats: tuple[str, ...] = ()


def draw(job: Job, tick: Tick) -> Produced:
    """Draw the twin's raw exposures into the cache, or find them there."""
    from qa.twins.cache import ensure  # noqa: PLC0415 - GalSim is imported by those who draw

    twin = ensure(job.camera, job.dataset, cache=job.cache, recipes=job.recipes, progress=tick)
    _link(job.folder / "twin", twin)
    return Produced()


def ingest(job: Job, tick: Tick) -> Produced:
    """Make the data set's Butler repository and bring raws, calibrations and reference catalogue into it."""
    from qa.drp.ingest import ingest as bring_in  # noqa: PLC0415

    caveats = bring_in(job.folder / "twin", job.folder / REPOSITORY).caveats
    tick(1, 1)
    return Produced(caveats=caveats)


def process(job: Job, tick: Tick) -> Produced:
    """Run the pipeline with `pipetask`; continues where an earlier attempt was cut off."""
    from qa.drp.command import has_run, process_command, run_pipetask  # noqa: PLC0415

    log = job.folder / "logs" / f"{job.step.stage}.log"
    start = log.stat().st_size
    resumed = has_run(job.folder / REPOSITORY, RUN)
    command = process_command(job.folder / REPOSITORY, run=RUN, pipeline=_pipeline(job.dataset.pipeline))
    with _following(log, start, tick):
        failed = run_pipetask(command)
    # Failed quanta are told by the measuring stage, which knows which; without any, it was pipetask that failed,
    # unless all had succeeded in an earlier attempt that was cut off at its very end.
    if failed and _quanta(log, start) is None and not (resumed and _NOTHING_LEFT in _new_text(log, start)):
        raise EngineError(_last_error(log, start))
    return Produced()


def measure(job: Job, tick: Tick) -> Produced:
    """Harvest the metric bundles from the Butler, then let go of the images that nobody needs any more."""
    from qa.documents import write_document  # noqa: PLC0415
    from qa.drp.harvest import discard_intermediates, harvest  # noqa: PLC0415

    found = harvest(job.folder / REPOSITORY, RUN, job.step.camera, job.step.dataset, job.folder)
    lost = (*found.failures, *found.caveats)
    if lost and all(result.scope.band is None for result in found.results):
        raise EngineError(lost[0])
    write_document(job.folder / MEASUREMENTS, "measurements", found.results, tuple[Result, ...])
    if not job.keep_pixels and not found.failures:
        discard_intermediates(job.folder / REPOSITORY, RUN)
    tick(1, 1)
    return Produced(results=found.results, caveats=(*found.failures, *found.caveats))


STAGES: dict[Stage, Callable[[Job, Tick], Produced]] = {
    Stage.DRAW: draw,
    Stage.INGEST: ingest,
    Stage.PROCESS: process,
    Stage.MEASURE: measure,
}


def _pipeline(name: str) -> Path:
    """Resolve a pipeline of the registry: absolute, or relative to where obsqa's packages lie."""
    return Path(__file__).resolve().parents[2] / name


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target.resolve(), target_is_directory=True)


def _new_text(log: Path, start: int) -> str:
    """Return what this attempt added to a log."""
    with log.open("rb") as stream:
        stream.seek(start)
        return stream.read().decode(errors="replace")


def _quanta(log: Path, start: int) -> tuple[int, int, int] | None:
    """Return how many quanta succeeded, failed and remain, by the log's last word on it."""
    found = _EXECUTED.findall(_new_text(log, start))
    return (int(found[-1][0]), int(found[-1][1]), int(found[-1][2])) if found else None


@contextmanager
def _following(log: Path, start: int, tick: Tick) -> Iterator[None]:
    """Report from a thread how many quanta are done, as the growing log tells."""
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(_POLL_SECONDS):
            if counts := _quanta(log, start):
                tick(counts[0] + counts[1], sum(counts))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _last_error(log: Path, start: int) -> str:
    """Return the last line of the log that names an error."""
    lines = [line.strip() for line in _new_text(log, start).splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return (errors or lines or ["pipetask ended without a word"])[-1]
