"""From a run to the archive that reruns the smallest data which show one of its values.

Which data these are is a guess that is proven: they are processed, and if the value is another, more are taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ci.own_raws import with_own
from ci.reproduce import contents
from ci.reproduce.archive import pack
from ci.reproduce.rerun import process
from ci.reproduce.software import code_of
from obs_registry.model import OwnRaws, Stored, Twin
from qa.errors import RequestError, UnknownNameError
from qa.foreign.definitions import definitions
from qa.journal import read_record
from qa.judging.epochs import is_resource
from qa.model import Lane, Measurement, Unmeasured
from qa.provenance.reproduction import Reproduction
from qa.twins.forms import form_of
from qa.twins.narrow import exposures_of
from qa.twins.recipe import load_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ci.lanes import Context
    from ci.reproduce.raws import Raws
    from obs_registry.model import Camera
    from qa.model import Result, Scope
    from qa.provenance.reproduction import Answer
    from qa.record import RunRecord

OF_OWN_RAWS = frozenset({"data raws", "data reference", "data calibrations", "data bands"})
"""Facts that say where a user's own raws lay."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The value that is asked for; None leaves open what only one value has."""

    camera: str
    metric: str
    band: str | None = None
    dataset: str | None = None
    task: str | None = None

    def holds(self, scope: Scope) -> bool:
        """Tell whether a scope is as wished."""
        pairs = ((self.band, scope.band), (self.dataset, scope.dataset), (self.task, scope.task))
        return scope.camera == self.camera and all(wanted in {None, there} for wanted, there in pairs)


@dataclass(frozen=True, slots=True)
class Made:
    """An archive: its size in bytes, and what its data gave here; `whole` is how many exposures there are in all.

    `outside` are the raws that it names and does not hold.
    """

    path: Path
    size: int
    answer: Answer
    whole: int
    outside: tuple[str, ...] = ()


def make(
    context: Context, run: Path, wish: Wish, *, out: Path | None = None, whole: bool = False, jobs: int | None = None
) -> Made:
    """Make the archive of a value.

    Parameters
    ----------
    context
        The registry, the recipes, and a cache of drawn pixels.
    run
        The run's folder.
    wish
        Which value.
    out
        The archive; None names it after the value.
    whole
        Whether to take the whole data set without looking for less.
    jobs
        Processes side by side, None for as many as there are cores.

    Raises
    ------
    RequestError
        If the value cannot be rerun: not measured, or measured elsewhere.
    DocumentError
        If it rests on raws that are gone.
    """
    record = read_record(run)
    one = chosen(record, wish)
    camera = _camera(with_own(context, run), record, one)
    raws = _raws(run, one.scope) if record.plan.lane is Lane.RAWS else None
    what = Reproduction(
        run=record.run_id,
        camera=one.scope.camera,
        dataset=one.scope.dataset,
        expected=one,
        digits=one.value.hex(),
        facts=_facts(record, one.scope),
        made=context.clock(),
        calibrations_as_of=record.plan.calibrations_as_of,
    )
    recipes = context.settings.regression_data
    narrowed = [] if whole else list(_narrowed(what, camera, recipes, record, raws))
    path = out or Path(f"{_name(what)}.tar.gz")
    with TemporaryDirectory(prefix="obsqa-reproduce-") as place:
        folder = Path(place) / _name(what)
        folder.mkdir()
        best = _smallest(context, [*narrowed, what], camera, folder, jobs=jobs, raws=raws)
        told = replace(best.what, here=best.found)
        packed = contents.write(folder, told, camera, recipes, code=code_of(what.facts), raws=raws)
        contents.seal(folder, packed)
        count = _exposures(camera, recipes, what) if raws is None else len(raws.exposures)
        return Made(path, pack(folder, path), best, count, tuple(packed.outside))


def _raws(run: Path, scope: Scope) -> Raws:
    from ci.reproduce.raws import raws_of  # noqa: PLC0415 - brings the Butler, seconds of CPU

    return raws_of(run / scope.camera / scope.dataset)


def _facts(record: RunRecord, scope: Scope) -> dict[str, str]:
    """Return the facts of a run; of a user's own raws without where they lay, and what of them an archive holds."""
    if record.plan.lane is not Lane.RAWS:
        return record.provenance
    left = {*OF_OWN_RAWS, f"refcat {scope.camera}/{scope.dataset}"}
    return {name: one for name, one in record.provenance.items() if name not in left}


def _smallest(
    context: Context,
    candidates: Sequence[Reproduction],
    camera: Camera,
    folder: Path,
    *,
    jobs: int | None,
    raws: Raws | None,
) -> Answer:
    """Return the first answer that is right; where none is, the first that is that of the whole data set."""
    found: list[Answer] = []
    for number, what in enumerate(candidates):
        asked = contents.write(folder, what, camera, context.settings.regression_data, raws=raws)
        contents.seal(folder, asked)
        cache = context.settings.cache if not what.exposures else None
        work, sources = folder.parent / f"work-{number}", raws.sources if raws else {}
        found.append(process(folder, *contents.read(folder), work=work, jobs=jobs, cache=cache, sources=sources))
        if found[-1].same:
            return found[-1]
        context.console.say(f"{_data(what)}: not the value of the run")
    whole = found[-1].found
    same = (one for one in found if one.found is not None and whole is not None and one.found.value == whole.value)
    return next(same, found[-1])


def _data(what: Reproduction) -> str:
    return f"{len(what.exposures)} exposures" if what.exposures else what.query or "the whole data set"


def _narrowed(
    what: Reproduction, camera: Camera, recipes: Path, record: RunRecord, raws: Raws | None
) -> Iterator[Reproduction]:
    """Yield smaller data than the whole: of a metric of one band only what it is reduced from.

    What the processing costs is measured on everything.
    """
    band, metric = what.expected.scope.band, what.expected.metric
    (dataset,) = (one for one in camera.datasets if one.name == what.dataset)
    definition = definitions(record).get(metric)
    if is_resource(metric) or definition is None:
        return
    bands = tuple(dict.fromkeys([*([band] if band else []), *definition.partners]))
    if not bands or set(bands) >= set(dataset.bands):
        return
    if isinstance(dataset, Twin):
        recipe = load_recipe(recipes / "skies" / f"{dataset.sky}.yaml")
        step, day = form_of(recipe.camera).step, what.calibrations_as_of
        if exposures := exposures_of(recipe, bands, step=step, day=day):
            yield replace(what, exposures=exposures)
    elif isinstance(dataset, OwnRaws) and raws is not None:
        from ci.reproduce.raws import exposures_of as exposures_of_raws  # noqa: PLC0415 - as above

        if exposures := exposures_of_raws(raws, bands, day=what.calibrations_as_of):
            yield replace(what, exposures=exposures)
    elif isinstance(dataset, Stored) and not dataset.steps:
        of_bands = " OR ".join(f"band = '{one}'" for one in bands)
        yield replace(what, query=f"({dataset.query}) AND ({of_bands})" if dataset.query else of_bands)


def _exposures(camera: Camera, recipes: Path, what: Reproduction) -> int:
    """Return how many exposures the whole data set has; 0 where that is not known."""
    (dataset,) = (one for one in camera.datasets if one.name == what.dataset)
    if not isinstance(dataset, Twin):
        return 0
    recipe = load_recipe(recipes / "skies" / f"{dataset.sky}.yaml")
    return len(exposures_of(recipe, recipe.bands, step=form_of(recipe.camera).step))


def chosen(record: RunRecord, wish: Wish) -> Measurement:
    """Return the one measurement of a run that is wished for.

    Raises
    ------
    RequestError
        If there is none, or more than one.
    """
    cameras = sorted({one.scope.camera for one in record.results})
    if wish.camera not in cameras:
        kind = "camera measured in this run"
        raise UnknownNameError(kind, wish.camera, cameras)
    of_camera = [one for one in record.results if one.scope.camera == wish.camera]
    of_metric = [one for one in of_camera if one.metric == wish.metric]
    if not of_metric:
        kind = f"metric of {wish.camera} in this run"
        raise UnknownNameError(kind, wish.metric, sorted({one.metric for one in of_camera}))
    found = [one for one in of_metric if wish.holds(one.scope)]
    if len(found) != 1:
        raise RequestError(_not_one(wish, found or of_metric, record))
    if isinstance(found[0], Unmeasured):
        msg = f"{wish.metric} of {found[0].scope} must have a value to be reproduced, found none: {found[0].reason}"
        raise RequestError(msg)
    return found[0]


def _not_one(wish: Wish, there: Sequence[Result], record: RunRecord) -> str:
    scopes = ", ".join(str(one.scope) for one in there[:10]) + (", ..." if there[10:] else "")
    return f"one value of {wish.metric} must be named in {record.run_id}, and there are: {scopes}; choose by --band, --dataset or --task"  # noqa: E501


def _camera(context: Context, record: RunRecord, one: Measurement) -> Camera:
    """Return the camera of the registry whose data set can be processed again."""
    if record.plan.lane is Lane.IMPORTED:
        msg = f"a value must be measured here to be put into an archive, and that of {record.run_id} came from files"
        raise RequestError(msg)
    known = {camera.name: camera for camera in context.cameras}
    if one.scope.camera not in known:
        kind = "camera"
        raise UnknownNameError(kind, one.scope.camera, sorted(known))
    camera = known[one.scope.camera]
    if one.scope.dataset not in {dataset.name for dataset in camera.datasets}:
        kind = f"data set of {camera.name}"
        raise UnknownNameError(kind, one.scope.dataset, [dataset.name for dataset in camera.datasets])
    return camera


def _name(what: Reproduction) -> str:
    parts = (what.camera, what.expected.metric, what.expected.scope.band or "", what.run)
    plain = "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-") for part in parts if part)
    return f"obsqa-{plain}"[:120]
