"""Processing the data of a reproduction anew, in a folder of its own, and comparing what comes out."""

from __future__ import annotations

import os
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ci.lanes import open_planned, run_steps
from ci.naming import new_run_id
from ci.reproduce import contents
from ci.settings import Settings
from ci.wiring import WORKERS, make_context
from obs_registry.model import OwnRaws, Twin
from qa.engines.docker_images import image_facts
from qa.errors import RequestError
from qa.model import Lane, Measurement, Plan, Step, Trigger, Unmeasured
from qa.plan import stages_of
from qa.provenance.facts import collect
from qa.provenance.reproduction import answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from obs_registry.model import Camera
    from qa.model import Result, StepOutcome
    from qa.provenance.reproduction import Answer, Reproduction
    from qa.record import RunRecord

TRIGGER = "reproduce"


def rerun(
    folder: Path,
    work: Path,
    *,
    trust: bool,
    raws: Path | None = None,
    jobs: int | None = None,
    cache: Path | None = None,
) -> Answer:
    """Process what a folder asks for.

    Parameters
    ----------
    folder
        What an archive holds.
    work
        A folder for everything that is made on the way.
    trust
        Whether code that the archive brings or names may be run; obsqa's own pipelines need no trust.
    raws
        Where the raws lie that the archive names and does not hold.
    jobs
        Processes side by side, None for as many as there are cores.
    cache
        Where drawn pixels are kept, None for a cache in `work`.

    Raises
    ------
    DocumentError
        If a file of the folder is not what it should be.
    RequestError
        If it asks for code that is not trusted, or for raws that are not there.
    """
    what, camera = contents.read(folder)
    asked = contents.foreign_code(folder, camera)
    if asked and not trust:
        msg = f"{folder}: must ask for nothing but obsqa's own pipelines, found {', '.join(asked)}; look at it, then give --trust"  # noqa: E501
        raise RequestError(msg)
    sources: Mapping[str, Path] = {}
    if isinstance(camera.datasets[0], OwnRaws):
        from ci.reproduce.raws import found  # noqa: PLC0415 - brings the Butler, seconds of CPU

        sources = found(folder, what, raws)
    return process(folder, what, camera, work=work, jobs=jobs, cache=cache, sources=sources)


def process(
    folder: Path,
    what: Reproduction,
    camera: Camera,
    *,
    work: Path,
    jobs: int | None = None,
    cache: Path | None = None,
    sources: Mapping[str, Path] = MappingProxyType({}),
) -> Answer:
    """Process one data set and answer whether the value came out again; `sources` says where a user's raws lie."""
    recipes = _recipes(folder, what, camera, work / "recipes")
    settings = Settings(runs=work / "runs", cache=cache or work / "cache", regression_data=recipes)
    whole, day = folder / contents.RECIPES, what.calibrations_as_of
    facts = collect([camera], recipes=whole, environ={**os.environ, **WORKERS}, calibrations_as_of=day)
    facts |= image_facts({camera.name: camera.runtime.image} if camera.runtime.image else {})
    context = make_context(settings, (), jobs=jobs)
    context = replace(context, cameras=[camera], faulty=(), store=None, provenance=facts, calibrations_as_of=day)
    (dataset,) = camera.datasets
    now = context.clock()
    steps = tuple(Step(camera.name, dataset.name, stage) for stage in stages_of(dataset))
    lane = Lane.RAWS if isinstance(dataset, OwnRaws) else Lane(dataset.lane.value)
    plan = Plan(new_run_id(settings.runs, now), lane, Trigger(TRIGGER), now, steps)
    run = open_planned(context, plan, fresh=True)
    if lane is Lane.RAWS:
        from ci.reproduce.raws import lay_out  # noqa: PLC0415 - as above

        lay_out(folder, run / camera.name / dataset.name, sources, what.exposures)
    with context.console:
        record = run_steps(context, run)
    result = _result(record, what)
    found = result if isinstance(result, Measurement) else None
    failure = record.failure(camera.name) if result is None else None
    reason = result.reason if isinstance(result, Unmeasured) else _why(failure)
    spent = sum(one.cpu_seconds for one in record.outcomes.values())
    return answer(what, found, facts=record.provenance, reason=reason, cpu_seconds=spent, failed=failure is not None)


def _recipes(folder: Path, what: Reproduction, camera: Camera, into: Path) -> Path:
    """Return the folder of the recipe; where not all exposures are drawn, a new one that names those that are."""
    (dataset,) = camera.datasets
    whole = folder / contents.RECIPES
    if not isinstance(dataset, Twin) or not what.exposures:
        return whole
    sky = f"skies/{dataset.sky}.yaml"
    (into / sky).parent.mkdir(parents=True, exist_ok=True)
    (into / sky).write_text(f"{(whole / sky).read_text().rstrip()}\nonly: {list(what.exposures)}\n")
    return into


def _result(record: RunRecord, what: Reproduction) -> Result | None:
    """Return what became of the metric that is asked for; None where the rerun knows nothing of it."""
    wanted = what.expected.metric, what.expected.scope
    return next((one for one in record.results if (one.metric, one.scope) == wanted), None)


def _why(failure: StepOutcome | None) -> str:
    return "" if failure is None else f"{failure.step.stage} failed: {failure.message}"
