"""A user's own raws in an archive: the files that a value rests on, or, where they are too large, their digests.

In an archive a file is known by a name of its own; paths of the one who made it stay with him.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ci.reproduce.contents import DATA, digest_of
from qa.drp.own_raws import read_described, write_described
from qa.drp.raw import describe_raw
from qa.errors import DocumentError, RequestError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    from astropy.time import Time

    from qa.drp.scan import Scanned
    from qa.provenance.reproduction import Reproduction
    from qa.twins.manifest import TwinCalibration, TwinManifest, TwinRaw

FILES = f"{DATA}/raws"
MOST_BYTES = 48 * 2**20
"""Largest size of the raws and the reference catalogue that an archive holds."""


@dataclass(frozen=True, slots=True)
class Raws:
    """What was scanned, with the files named as in archives; `sources` says where each lies.

    What was left out stays with whoever scanned it: the lines about it name his folders.
    """

    scanned: Scanned
    reference: Path | None
    sources: Mapping[str, Path]

    @property
    def exposures(self) -> tuple[int, ...]:
        """All exposures, in increasing order."""
        return tuple(sorted({one.exposure for one in _all(self.scanned.manifest)}))


def raws_of(place: Path) -> Raws:
    """Return the raws of a data set, described in its folder in a run.

    Raises
    ------
    DocumentError
        If one of the files is gone.
    """
    scanned, reference = read_described(place)
    names = {one.path: _name(number, Path(one.path)) for number, one in enumerate(_all(scanned.manifest))}
    for path in names:
        if not Path(path).is_file():
            raise DocumentError(Path(path), required="the raw file that the run was made of", found="none")
    sources = {name: Path(path) for path, name in names.items()}
    return Raws(replace(_renamed(scanned, names), caveats=()), reference, sources)


def exposures_of(raws: Raws, bands: Collection[str], *, day: date | None = None) -> tuple[int, ...]:
    """Return the exposures that those of the sky in some bands need; empty where there is none.

    Parameters
    ----------
    raws
        The whole.
    bands
        Those that are wanted.
    day
        The day whose calibrations are used, None for those of today. Which masters hold on then follows from all there
        are: all epochs are taken.
    """
    manifest = raws.scanned.manifest
    infos = {one.path: describe_raw(raws.sources[one.path]).info for one in _all(manifest)}
    wanted = {name for name, band in manifest.filters.items() if band in bands}
    sky = [one for one in manifest.raws if infos[one.path].physical_filter in wanted]
    times = [infos[one.path].datetime_begin for one in sky]
    frames = [
        one.exposure
        for one in manifest.calibrations
        if (day is not None or any(_holds(one, time) for time in times))
        and (one.kind != "flat" or infos[one.path].physical_filter in wanted)
    ]
    return tuple(sorted({*(one.exposure for one in sky), *frames})) if sky else ()


def write(folder: Path, raws: Raws, exposures: Collection[int], *, pack: bool) -> tuple[list[str], dict[str, str]]:
    """Write the raws of some exposures, of all if there is none, into the folder of an archive.

    Parameters
    ----------
    pack
        Whether the raws themselves are put in, where they fit.

    Returns
    -------
    written
        Names of the files, seen from the folder.
    outside
        Digest of each raw that was left outside, by its name.

    Raises
    ------
    RequestError
        If the reference catalogue alone is too large for an archive.
    """
    reference = None if raws.reference is None else raws.reference.read_bytes()
    if reference is not None and len(reference) > MOST_BYTES:
        most, has = (size / 2**20 for size in (MOST_BYTES, len(reference)))
        required = f"a reference catalogue must have at most {most:.0f} MiB to be put into an archive"
        msg = f"{required}, found {has:.0f} MiB; cut it to the field"
        raise RequestError(msg)
    written = [f"{DATA}/{name}" for name in write_described(folder / DATA, raws.scanned, reference)]
    chosen = {one.path: raws.sources[one.path] for one in _chosen(raws.scanned.manifest, exposures)}
    if not pack:
        return written, dict.fromkeys(chosen, "")
    size = sum(path.stat().st_size for path in chosen.values()) + len(reference or b"")
    if size > MOST_BYTES:
        return written, {name: digest_of(path) for name, path in chosen.items()}
    (folder / FILES).mkdir(parents=True, exist_ok=True)
    for name, path in chosen.items():
        shutil.copyfile(path, folder / FILES / name)
    return [*written, *(f"{FILES}/{name}" for name in chosen)], {}


def found(folder: Path, what: Reproduction, elsewhere: Path | None) -> dict[str, Path]:
    """Return where the raws of an unpacked archive lie: in it, or in the folder `elsewhere`.

    Raises
    ------
    RequestError
        If some are not there, or are not those that were meant.
    """
    sources = {Path(name).name: folder / name for name in what.files if name.startswith(f"{FILES}/")}
    if not what.outside:
        return sources
    first = next(iter(what.outside)).partition("-")[2]
    if elsewhere is None:
        files = f"{len(what.outside)} raw files that it does not hold ({first}, ...)"
        msg = f"{folder.name} rests on {files}: name the folder in which they lie, --raws FOLDER"
        raise RequestError(msg)
    there = [path for path in sorted(elsewhere.rglob("*")) if path.is_file()]
    for name, digest in what.outside.items():
        called = [path for path in there if plain(path.name) == name.partition("-")[2]]
        same = next((path for path in called if digest_of(path) == digest), None)
        if same is None:
            what_is = "one of that name with another content" if called else "none of that name"
            msg = f"{elsewhere} must have the raw file {name.partition('-')[2]}, SHA-256 {digest}, found {what_is}"
            raise RequestError(msg)
        sources[name] = same.resolve()
    return sources


def lay_out(folder: Path, place: Path, sources: Mapping[str, Path], exposures: Collection[int]) -> None:
    """Describe the raws of an archive in the folder of a data set in a run.

    Raises
    ------
    DocumentError
        If the archive describes a raw that it neither holds nor names.
    """
    scanned, reference = read_described(folder / DATA)
    chosen = _chosen(scanned.manifest, exposures)
    for one in chosen:
        if one.path not in sources:
            path = folder / DATA
            raise DocumentError(path, required="raws of the archive", found=repr(one.path[:80]))
    paths = {one.path: str(sources[one.path]) for one in chosen}
    renamed = _renamed(scanned, paths)
    content = None if reference is None else reference.read_bytes()
    write_described(place, renamed, content)


def plain(name: str) -> str:
    """Return the name of a file in the letters that archives have."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", name)[-120:]


def _name(number: int, path: Path) -> str:
    return f"{number:04d}-{plain(path.name)}"


def _all(manifest: TwinManifest) -> Iterator[TwinRaw | TwinCalibration]:
    yield from manifest.raws
    yield from manifest.calibrations


def _chosen(manifest: TwinManifest, exposures: Collection[int]) -> list[TwinRaw | TwinCalibration]:
    return [one for one in _all(manifest) if not exposures or one.exposure in exposures]


def _renamed(scanned: Scanned, names: Mapping[str, str]) -> Scanned:
    """Return what was scanned of the files that have a name, under these names."""
    manifest = replace(
        scanned.manifest,
        raws=tuple(replace(one, path=names[one.path]) for one in scanned.manifest.raws if one.path in names),
        calibrations=tuple(
            replace(one, path=names[one.path]) for one in scanned.manifest.calibrations if one.path in names
        ),
        refcat=None,
        truth=None,
    )
    return replace(scanned, manifest=manifest)


def _holds(one: TwinCalibration, time: Time) -> bool:
    when = str(time.tai.isot)
    return (one.begin is None or one.begin <= when) and (one.end is None or when < one.end)
