"""The state of the world a run took place in: software, data, configuration, host. Facts by name, none of them secret.

Only what is named is read: see `qa.provenance.machine` for the variables of the environment and
`qa.provenance.software` for packages.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from obs_registry.model import OwnRaws, Stored, Twin
from qa.blame.facts import count_packages
from qa.errors import RequestError
from qa.pipeline_files import pipeline_files
from qa.provenance.calibration_dates import as_of, in_words
from qa.provenance.machine import machine
from qa.provenance.software import own_revision, packages
from qa.twins.cache import DRAWING_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from obs_registry.model import Camera, Dataset

AS_OF = "calibrations as-of"
"""The fact that names the day whose calibrations are used, if that is not today."""

_BLOCK = re.compile(r"^(\w+):", re.MULTILINE)
_SKY = ("seed", "centre", "detector_shape", "detectors", "optics", "bands", "stars", "galaxies", "visits")
_OF_CALIBRATIONS = ("seed", "detector_shape", "detectors", "optics", "electronics", "blemishes", "bands", "epochs")
_OF_REFERENCE = (*_SKY, "reference")


def collect(
    cameras: Iterable[Camera] = (),
    *,
    recipes: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    calibrations_as_of: date | None = None,
) -> dict[str, str]:
    """Return facts by name; what is not installed or not known is left out.

    Parameters
    ----------
    cameras
        Those whose own packages, data, configuration and containers are told of.
    recipes
        The folder that holds `skies/`.
    environ
        The environment the pipelines run in.
    calibrations_as_of
        The day whose calibrations are used, None for those of today.
    """
    known = tuple(cameras)
    facts = machine(environ) | {"revision": own_revision()}
    found = packages((camera.package.name for camera in known), environ=environ)
    facts |= {f"package {name}": version for name, version in found.items()}
    if calibrations_as_of is not None:
        facts[AS_OF] = calibrations_as_of.isoformat()
    for camera in known:
        facts |= of_camera(camera, recipes, environ=environ, calibrations_as_of=calibrations_as_of)
    known_facts = {name: value for name, value in sorted(facts.items()) if value}
    return known_facts | {"packages": str(count_packages(known_facts))}


def of_camera(
    camera: Camera,
    recipes: Path | None,
    *,
    environ: Mapping[str, str] = os.environ,
    calibrations_as_of: date | None = None,
) -> dict[str, str]:
    """Return the facts of a camera's data sets: data, configuration, calibrations and their validity, container."""
    facts = {f"container {camera.name}": camera.runtime.image or ""}
    if camera.runtime.batch is not None:
        facts[f"engine {camera.name}"] = f"batch {camera.runtime.batch.service}"
    elif camera.runtime.image is not None:
        facts[f"engine {camera.name}"] = "container"
    setup = _text(Path(camera.runtime.setup)) if camera.runtime.setup else ""
    for dataset in camera.datasets:
        place = f"{camera.name}/{dataset.name}"
        facts[f"config {place}"] = _config(dataset, setup, environ)
        if isinstance(dataset, Twin | Stored):
            facts[f"pipeline {place}"] = dataset.pipeline
        if isinstance(dataset, Twin) and recipes is not None:
            facts |= _of_recipe(place, dataset, recipes, calibrations_as_of)
        if isinstance(dataset, Stored):
            facts |= _of_repository(place, dataset, environ)
    return facts


def _config(dataset: Dataset, setup: str, environ: Mapping[str, str]) -> str:
    """Return a digest of a pipeline with all it imports and of how it is set up and configured.

    It is '' where nothing of an embedded pipeline can be read. Of one that is only found behind the set-up script of
    its stack, and of a suite, it is what the registry says: the rest follows from the packages of that stack.
    """
    if isinstance(dataset, Twin | OwnRaws):
        texts = [_plain(text) for text in pipeline_files(dataset.pipeline, environ).values()]
        return _digest("\0".join(texts), setup, *dataset.bands) if texts else ""
    location = dataset.pipeline if isinstance(dataset, Stored) else ""
    texts = [_plain(text) for text in pipeline_files(location, environ).values()] if location else []
    said = dataset.model_dump(mode="json", exclude={"name", "lane", "repository", "collections", "query", "output"})
    return _digest("\0".join(texts), setup, json.dumps(said, sort_keys=True))


def _of_repository(place: str, dataset: Stored, environ: Mapping[str, str]) -> dict[str, str]:
    """Return which data of a Butler repository are processed, and with which collections of calibrations."""
    inputs = ", ".join(dataset.collections)
    where = Template(dataset.repository).safe_substitute(environ)
    return {
        f"data {place}": _digest(dataset.name, where, inputs, dataset.query or ""),
        f"calibrations {place}": ", ".join(one for one in dataset.collections if "calib" in one.lower()),
        f"collections {place}": inputs,
    }


def _of_recipe(place: str, dataset: Twin, recipes: Path, day: date | None) -> dict[str, str]:
    """Return digests of what is drawn, and of its calibrations and reference catalogue by themselves."""
    path = recipes / "skies" / f"{dataset.sky}.yaml"
    recipe = _text(path)
    if not recipe:
        return {}
    ends = [*(found.start() for found in _BLOCK.finditer(recipe)), len(recipe)]
    blocks = {recipe[start:end].partition(":")[0]: recipe[start:end] for start, end in pairwise(ends)}
    drawn, validity = str(DRAWING_VERSION), _validity(path, day)
    chosen = () if day is None else (validity,)
    return {
        f"data {place}": _digest(drawn, dataset.name, recipe),
        f"calibrations {place}": _digest(drawn, *(blocks.get(name, "") for name in _OF_CALIBRATIONS), *chosen),
        f"refcat {place}": _digest(drawn, *(blocks.get(name, "") for name in _OF_REFERENCE)),
        f"validity {place}": validity,
    }


def _validity(path: Path, day: date | None) -> str:
    """Return in words which masters hold when, and since when there are any.

    It is '' for a recipe with faults, and where there were no masters yet: both are told when it is processed.
    """
    from qa.twins.recipe import load_recipe  # noqa: PLC0415 - pydantic and all forms of twins
    from qa.twins.schedule import validities  # noqa: PLC0415

    try:
        found = validities(load_recipe(path))
        return in_words(found if day is None else as_of(found, day))
    except RequestError:
        return ""


def _text(path: Path) -> str:
    """Return what a YAML file or script says; '' where it cannot be read."""
    try:
        return _plain(path.read_text())
    except (OSError, UnicodeDecodeError):
        return ""


def _plain(text: str) -> str:
    """Return a text without comments and empty lines."""
    lines = text.splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
