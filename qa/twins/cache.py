"""The cache of drawn twins: a folder per recipe, named by the digest of all that its bytes depend on.

A folder appears whole or not at all, and is drawn once however many processes want it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import shutil
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from qa.errors import DiskFullError, InfrastructureError, MissingExtraError
from qa.twins.recipe import RecipeError, load_recipe
from qa.twins.seal import damage, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from obs_registry.model import Camera, Twin
    from qa.twins.recipe import Recipe

# To be raised with every change of the drawing code that changes pixels, cards or catalogues.
DRAWING_VERSION = 4
_LOG = logging.getLogger(__name__)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class CacheError(InfrastructureError):
    """The cache cannot be written to."""

    def __init__(self, path: Path | str, found: str) -> None:
        self.path, self.found = path, found
        super().__init__(f"{path}: must be a folder that can be written to, found: {found}; choose another cache")


def ensure(camera: Camera, dataset: Twin, *, cache: Path, recipes: Path, progress: Callable[[int, int], None]) -> Path:
    """Return the folder of a data set's twin, drawing it if it is not there.

    `recipes` is the folder that holds `skies/`; `progress` gets pictures drawn and to be drawn, and is not
    called when nothing is.

    Raises
    ------
    RecipeError
        If the recipe is absent or wrong, or of another camera.
    DiskFullError
        If the folder does not fit; nothing is left behind.
    CacheError
        If the cache cannot be written to.
    MissingExtraError
        If GalSim is not installed.
    """
    path = recipes / "skies" / f"{dataset.sky}.yaml"
    recipe = load_recipe(path)
    faults = tuple(_faults(recipe, camera, dataset))
    if faults:
        raise RecipeError(path, faults)

    def make(folder: Path) -> None:
        from qa.twins.produce import produce  # noqa: PLC0415 - the drawing code is not needed for what is there

        produce(recipe, dataset=dataset.name, folder=folder, progress=progress)

    return publish(cache, digest(recipe, dataset.name), make)


def _faults(recipe: Recipe, camera: Camera, dataset: Twin) -> Iterator[str]:
    """Tell where a recipe does not fit the registry's entry."""
    if recipe.camera != camera.name:
        yield f"camera: must be {camera.name}, found {recipe.camera}"
    missing = [band for band in dataset.bands if band not in recipe.bands]
    if missing:
        yield f"bands: must hold those of data set {dataset.name}, found none called {', '.join(missing)}"
    for name, band in recipe.bands.items():
        known = camera.instrument.filters.get(band.physical_filter)
        if known != name:
            required = f"must be a filter of {camera.name} in the band {name}"
            yield f"bands.{name}.physical_filter: {required}, found {band.physical_filter}"


def digest(recipe: Recipe, dataset: str) -> str:
    """Name the bytes that drawing a recipe here and now would give."""
    try:
        versions = {name: version(name) for name in ("galsim", "numpy")}
    except PackageNotFoundError as error:
        raise MissingExtraError(extra="pipeline", module=str(error.name)) from None
    # Without a choice of exposures, a recipe has the digest that it had before there could be one.
    said = recipe.model_dump(mode="json", exclude=None if recipe.only else {"only"})
    body = {"recipe": said, "dataset": dataset, "drawing": DRAWING_VERSION, **versions}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def publish(cache: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `cache/name`, letting `make` fill it if it is not there or was damaged.

    Of several processes one makes it and the others wait. What killed processes left is removed.

    Raises
    ------
    DiskFullError
        If there is no space for it; nothing is left behind.
    CacheError
        If the cache cannot be written to.
    """
    folder = cache / name
    if folder.is_dir() and not damage(folder):
        return folder
    try:
        with _locked(_lock_of(cache, name)):
            if not _whole(folder):
                _sweep(cache)
                _make(_partial_of(cache, name), folder, make)
    except DiskFullError as error:
        raise DiskFullError(folder) from error
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(folder) from error
        raise
    return folder


def _whole(folder: Path) -> bool:
    """Tell whether a folder is there as it was made; one that was damaged is removed."""
    if not folder.is_dir():
        return False
    found = damage(folder)
    if found:
        _LOG.warning("%s: made again, for %s", folder, found)
        shutil.rmtree(folder)
    return not found


def _lock_of(cache: Path, name: str) -> Path:
    return cache / f".{name}.lock"


def _partial_of(cache: Path, name: str) -> Path:
    return cache / f".{name}.partial"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # The lock file stays: removing it would let two processes hold locks on different files of that name.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise CacheError(path.parent, error.strerror or str(error)) from error
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _sweep(cache: Path) -> None:
    """Remove what killed processes left; who still draws holds its lock."""
    for partial in cache.glob(".*.partial"):
        with _lock_of(cache, partial.name[1 : -len(".partial")]).open("ab") as stream, suppress(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(partial, ignore_errors=True)


def _make(partial: Path, folder: Path, make: Callable[[Path], None]) -> None:
    # Swept only when no lock is held on it, and this process holds the one of its own.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        make(partial)
        seal(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
