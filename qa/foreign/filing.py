"""Under which camera, data set and band the numbers of a foreign file are filed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_registry.model import Camera
    from qa.foreign.model import Foreign, Origin
    from qa.model import Ladder, Result, Scope


class NoPlaceError(RequestError):
    """A file does not say where its numbers belong."""

    def __init__(self, name: str, what: str, option: str) -> None:
        self.name, self.what, self.option = name, what, option
        super().__init__(f"{name}: must say the {what} its numbers are of, found none; name it with {option}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file's numbers belong. `known` says whether the registry has the camera."""

    camera: str
    dataset: str
    band: str | None
    tract: int | None
    known: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of the place, which counts more than what the file says; None where nothing."""

    camera: str | None = None
    dataset: str | None = None
    band: str | None = None


def place_of(name: str, origin: Origin, asked: Asked, cameras: Sequence[Camera]) -> Place:
    """Find the place of the file `name`: what the user asked for, else what the file says.

    Raises
    ------
    NoPlaceError
        If neither names a camera.
    """
    wanted = asked.camera or origin.instrument
    if wanted is None:
        raise NoPlaceError(name, what="camera", option="--camera")
    camera = camera_of(wanted, cameras)
    dataset = slug(asked.dataset or origin.dataset or name.partition(".")[0])
    band = asked.band or (origin.filter and band_of(origin.filter, camera))
    return Place(camera.name if camera else slug(wanted), dataset, band, origin.tract, camera is not None)


def camera_of(instrument: str, cameras: Sequence[Camera]) -> Camera | None:
    """Return the camera of the registry that goes by an instrument's name, or by the name of its package alone."""
    wanted = instrument.lower().removeprefix("lsst.obs.")
    by_name = [one for one in cameras if wanted in {one.name.lower(), one.instrument.name.lower()}]
    by_package = [one for one in cameras if wanted == one.package.name.lower().removeprefix("obs_")]
    found = by_name or (by_package if len(by_package) == 1 else [])
    return found[0] if found else None


def band_of(filter_name: str, camera: Camera | None) -> str:
    """Return the band of a filter: as the camera's file has it, by its spelling (`HSC-R`), or the name itself."""
    if camera and filter_name in camera.instrument.filters:
        return camera.instrument.filters[filter_name]
    if len(filter_name) == 1:
        return filter_name.lower()
    short = re.fullmatch(r"(?:[A-Za-z]+-)?([ugrizyUGRIZY])2?(?:[._].*)?", filter_name)
    return short[1].lower() if short else filter_name


def slug(text: str) -> str:
    """Return a name that can be a folder's: lower-case letters, digits, `-`, `_`; others become `-`."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-") or "unnamed"


def filed(foreign: Foreign, place: Place) -> tuple[tuple[Result, ...], tuple[Ladder, ...]]:
    """Return a file's results and ladders at their place."""
    results = tuple(replace(one, scope=_scope(one.scope, place)) for one in foreign.results)
    return results, tuple(replace(one, band=place.band) for one in foreign.ladders)


def _scope(scope: Scope, place: Place) -> Scope:
    tract = place.tract if scope.tract is None else scope.tract
    return replace(scope, camera=place.camera, dataset=place.dataset, band=scope.band or place.band, tract=tract)
