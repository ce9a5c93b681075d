"""What each stage of a twin data set does: draw -> ingest -> calibrations -> process -> measure.

Each stage leaves its result in the data set's folder and can be repeated alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from obs_registry.model import OwnRaws, Twin
from qa.errors import EngineError
from qa.model import Result, Stage
from qa.provenance.calibration_dates import as_of

if TYPE_CHECKING:
    from qa.drp.command import PipelineRun
    from qa.engines.base import Job

Tick = Callable[[int, int], None]

REPOSITORY = "butler"
MEASUREMENTS = "measurements.json"
RUN = "obsqa"


@dataclass(frozen=True, slots=True)
class Produced:
    """What a stage has to say beyond the files it left."""

    message: str = ""
    results: tuple[Result, ...] = ()
    caveats: tuple[str, ...] = ()


def draw(job: Job, tick: Tick) -> Produced:
    """Draw the twin's raw exposures into the cache, or find them there."""
    from qa.twins.cache import ensure  # noqa: PLC0415 - GalSim is imported by those who draw

    if not isinstance(job.dataset, Twin):
        msg = (
            f"a data set to be drawn must be of the kind twin, found {job.dataset.name} of the kind {job.dataset.kind}"
        )
        raise EngineError(msg)
    twin = ensure(job.camera, job.dataset, cache=job.cache, recipes=job.recipes, progress=tick)
    _link(job.folder / "twin", twin)
    return Produced()


def ingest(job: Job, tick: Tick) -> Produced:
    """Make the data set's Butler repository and bring raws, calibrations and reference catalogue into it."""
    from qa.drp.ingest import ingest as bring_in  # noqa: PLC0415
    from qa.drp.own_raws import ingest_own  # noqa: PLC0415

    repo = job.folder / REPOSITORY
    own = isinstance(job.dataset, OwnRaws)
    caveats = (ingest_own(job.folder, repo) if own else bring_in(job.folder / "twin", repo)).caveats
    tick(1, 1)
    return Produced(caveats=caveats)


def calibrations(job: Job, tick: Tick) -> Produced:
    """Make and certify the master calibrations; continues where an earlier attempt was cut off."""
    from qa.drp.calibrations import certify, is_certified, making_masters  # noqa: PLC0415
    from qa.drp.ingest import read_ingested  # noqa: PLC0415

    repo, day = job.folder / REPOSITORY, job.calibrations_as_of
    if not read_ingested(repo).calibrations:
        return Produced(caveats=("there are no calibration exposures",))
    if day is not None:
        as_of(read_ingested(repo).calibrations, day)  # what is missing is told before anything is made
    again = () if is_certified(repo) else _execute(making_masters(repo), job, tick).caveats
    return Produced(caveats=(*again, *certify(repo, day=day)))


def process(job: Job, tick: Tick) -> Produced:
    """Run the pipeline with the job's workers; continues where an earlier attempt was cut off."""
    from qa.drp.command import processing  # noqa: PLC0415

    what = processing(job.folder / REPOSITORY, run=RUN, pipeline=_pipeline(job.dataset.pipeline))
    if isinstance(job.dataset, OwnRaws) and not job.dataset.reference:
        what = replace(what, config=(*what.config, ("calibrate", "relative", "True")))
    batch = job.camera.runtime.batch
    if batch is None:
        return _execute(what, job, tick)
    from qa.engines.batch import process_on  # noqa: PLC0415

    return Produced(caveats=process_on(what, job, tick, batch).again)


def measure(job: Job, tick: Tick) -> Produced:
    """Harvest the metric bundles from the Butler, then let go of the images that nobody needs any more."""
    from qa.documents import write_document  # noqa: PLC0415
    from qa.drp.harvest import discard_intermediates, harvest, of_real_pixels  # noqa: PLC0415

    found = harvest(job.folder / REPOSITORY, RUN, job.step.camera, job.step.dataset, job.folder)
    if isinstance(job.dataset, OwnRaws):
        found = replace(found, results=of_real_pixels(found.results, reference=job.dataset.reference))
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
    Stage.CALIBRATIONS: calibrations,
    Stage.PROCESS: process,
    Stage.MEASURE: measure,
}


def _execute(what: PipelineRun, job: Job, tick: Tick) -> Produced:
    """Run a pipeline on the data set's repository. Failed quanta are told by the measuring stage, which knows why."""
    from qa.drp.executor.run import execute, log_like_pipetask  # noqa: PLC0415

    log_like_pipetask()
    return Produced(caveats=execute(what, workers=job.workers, tick=tick).again)


def _pipeline(name: str) -> Path:
    """Resolve a pipeline of the registry: absolute, or relative to where obsqa's packages lie."""
    return Path(__file__).resolve().parents[2] / name


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target.resolve(), target_is_directory=True)
