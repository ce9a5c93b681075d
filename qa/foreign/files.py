"""Reading any foreign file and filing it: from a path to results, ladders and facts at their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from qa.foreign import benchmarks, bundles, jobs
from qa.foreign.filing import Asked, Place, band_of, camera_of, filed, place_of
from qa.foreign.model import Kind
from qa.foreign.read import digest
from qa.requirements import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from obs_registry.model import Camera
    from qa.foreign.model import Foreign, Origin, Source
    from qa.model import Ladder, Result
    from qa.requirements.verify import Specification


@dataclass(frozen=True, slots=True)
class Filed:
    """A foreign file at its place; `when` is the file's own date, if it says one."""

    foreign: Foreign
    place: Place
    source: Source
    results: tuple[Result, ...]
    ladders: tuple[Ladder, ...]

    @property
    def when(self) -> datetime | None:
        """The date the file says."""
        return self.foreign.origin.when


def read_filed(
    path: Path,
    kind: Kind,
    asked: Asked,
    *,
    cameras: Sequence[Camera],
    package: Sequence[Specification] = (),
) -> Filed:
    """Read a file and file it under what the user asked for, else under what it says itself.

    Raises
    ------
    DocumentError
        If the file is not of this kind.
    NoPlaceError
        If nobody names a camera.
    """
    foreign = _read(path, kind, asked, cameras=cameras, package=package)
    place = place_of(path.name, foreign.origin, asked, cameras)
    results, ladders = filed(foreign, place)
    named = digest(foreign.source.digest, place.camera, place.dataset, str(place.band), str(place.tract))
    return Filed(foreign, place, replace(foreign.source, digest=named), results, ladders)


def _read(
    path: Path, kind: Kind, asked: Asked, *, cameras: Sequence[Camera], package: Sequence[Specification]
) -> Foreign:
    def band(origin: Origin) -> str | None:
        """Find the band before the file is filed: which specifications fit depends on it."""
        camera = camera_of(asked.camera or origin.instrument or "", cameras)
        return asked.band or (origin.filter and band_of(origin.filter, camera))

    match kind:
        case Kind.VERIFY:
            return jobs.read(path, load(), band=band, package=package)
        case Kind.BUNDLE:
            return bundles.read(path, band=band, package=package)
        case Kind.BENCHMARK:
            return benchmarks.read(path)
        case _:
            assert_never(kind)
