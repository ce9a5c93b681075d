"""A run of a user's own raws: the plan of one data set that no camera's file names."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from ci.foreign import with_imported
from ci.lanes import open_planned
from ci.naming import new_run_id
from qa.journal import read_record
from qa.model import Lane, Plan, Step, Trigger
from qa.plan import stages_of
from qa.provenance.facts import of_camera

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ci.lanes import Context
    from obs_registry.model import Camera, OwnRaws


def open_own(
    context: Context,
    raws: Path,
    *,
    camera: str,
    reference: Path | None = None,
    calibrations: Path | None = None,
    bands: Sequence[str] = (),
    fresh: bool = False,
) -> tuple[Context, Path]:
    """Return a context whose one camera has a user's raws as its one data set, and the folder of their run.

    A run of the same raws that was cut off is taken up again.

    Raises
    ------
    DocumentError
        If there is nothing to process, or the reference catalogue is unusable.
    """
    from qa.drp.own_raws import dataset_name, prepare  # noqa: PLC0415 - brings the Butler, seconds of CPU

    chosen = context.camera(camera)
    given = {"raws": raws, "reference": reference, "calibrations": calibrations}
    facts = {f"data {name}": str(path.resolve()) for name, path in given.items() if path is not None}
    context = replace(context, provenance=context.provenance | facts | {"data bands": " ".join(bands)})
    name, now = dataset_name(raws), context.clock()
    # What is wrong with the data is told before there is a run.
    prepared = prepare(raws, chosen, reference=reference, calibrations=calibrations, bands=bands)
    steps = tuple(Step(camera, name, stage) for stage in stages_of(prepared.dataset))
    plan = Plan(new_run_id(context.settings.runs, now, tag=context.settings.tag), Lane.RAWS, Trigger(), now, steps, ())
    context = replace(context, provenance=context.provenance | _facts(chosen, prepared.dataset, reference))
    folder = open_planned(context, plan, fresh=fresh)
    prepared.write(folder / camera / name)
    return _with(context, chosen, prepared.dataset), folder


def _facts(camera: Camera, dataset: OwnRaws, reference: Path | None) -> dict[str, str]:
    """Return how a user's raws are processed, and a digest of the reference catalogue."""
    facts = of_camera(camera.model_copy(update={"datasets": (dataset,)}), None)
    place = f"{camera.name}/{dataset.name}"
    found = {f"config {place}": facts[f"config {place}"]}
    if reference is not None:
        found[f"refcat {place}"] = sha256(reference.read_bytes()).hexdigest()[:16]
    return found


def with_own(context: Context, folder: Path) -> Context:
    """Return a context that knows the data set of a run of a user's raws, or one of imported files.

    For other runs it is the context itself.
    """
    plan = read_record(folder).plan
    if plan.lane is Lane.IMPORTED:
        return with_imported(context, folder)
    if plan.lane is not Lane.RAWS:
        return context
    from qa.drp.own_raws import described  # noqa: PLC0415 - as above

    (place,) = {(step.camera, step.dataset) for step in plan.steps}
    dataset = described(folder / place[0] / place[1])
    known = {camera.name: camera for camera in context.cameras}
    if dataset is None or place[0] not in known:
        return context
    return _with(context, known[place[0]], dataset)


def _with(context: Context, camera: Camera, dataset: OwnRaws) -> Context:
    """Return a context of one camera whose only data set is this one."""
    return replace(context, cameras=[camera.model_copy(update={"datasets": (dataset,)})], faulty=())
