"""A user's own raws in a run: scanned once, and from then on described by a document in the run's folder."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from obs_registry.model import OwnRaws
from qa.documents import read_document, write_document
from qa.drp.ingest import Ingested, ingest_data
from qa.drp.reference import read_reference
from qa.drp.scan import Scanned, scan

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from astropy.table import Table

    from obs_registry.model import Camera

_SCANNED, _REFERENCE = "scanned.json", "reference.parq"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data set of a user's raws, and what is to be written down of it."""

    dataset: OwnRaws
    scanned: Scanned
    reference: Table | None

    def write(self, place: Path) -> None:
        """Write it down in the folder of the data set in a run, unless an earlier attempt did."""
        if (place / _SCANNED).is_file():
            return
        place.mkdir(parents=True, exist_ok=True)
        if self.reference is not None:
            self.reference.write(place / _REFERENCE, format="parquet", overwrite=True)
        write_document(place / _SCANNED, "scanned", self.scanned, Scanned)


def prepare(
    raws: Path,
    camera: Camera,
    *,
    reference: Path | None = None,
    calibrations: Path | None = None,
    bands: Collection[str] = (),
) -> Prepared:
    """Scan a folder of raws for what is to be processed.

    Parameters
    ----------
    raws, calibrations
        Folders with raw files; of the second, only calibration exposures are taken.
    camera
        Whose files are taken.
    reference
        A reference catalogue, see `read_reference`; without one, exposures are tied to each other.
    bands
        The bands to be processed; empty for all.

    Raises
    ------
    DocumentError
        If there is no usable exposure, or the reference catalogue is unusable.
    """
    found = scan(raws, camera, dataset=dataset_name(raws), calibrations=calibrations, bands=bands)
    stars = None if reference is None else read_reference(reference, _bands(found))
    return Prepared(_dataset(found, reference=reference is not None), found, stars)


def described(place: Path) -> OwnRaws | None:
    """Return the data set that `prepare` wrote down in a folder; None if there is none."""
    if not (place / _SCANNED).is_file():
        return None
    found, reference = read_described(place)
    return _dataset(found, reference=reference is not None)


def read_described(place: Path) -> tuple[Scanned, Path | None]:
    """Return what `prepare` wrote down in a folder, and the reference catalogue if there is one.

    Raises
    ------
    DocumentError
        If there is nothing, or not what it wrote.
    """
    found: Scanned = read_document(place / _SCANNED, "scanned", Scanned)
    reference = place / _REFERENCE
    return found, reference if reference.is_file() else None


def write_described(place: Path, scanned: Scanned, reference: bytes | None) -> list[str]:
    """Write down what was scanned, and a reference catalogue as `prepare` writes it; return the names of the files."""
    place.mkdir(parents=True, exist_ok=True)
    write_document(place / _SCANNED, "scanned", scanned, Scanned)
    if reference is None:
        return [_SCANNED]
    (place / _REFERENCE).write_bytes(reference)
    return [_SCANNED, _REFERENCE]


def ingest_own(place: Path, repo: Path) -> Ingested:
    """Make the repository of a data set that `prepare` wrote down."""
    found, reference = read_described(place)
    refcat = None if reference is None else reference.name
    return ingest_data(replace(found.manifest, refcat=refcat), place, repo, caveats=found.caveats)


def _dataset(found: Scanned, *, reference: bool) -> OwnRaws:
    return OwnRaws(name=found.manifest.dataset, bands=_bands(found), reference=reference)


def _bands(found: Scanned) -> tuple[str, ...]:
    """Return the bands in an order of their own: that of the filters is lost when it is written down."""
    return tuple(sorted(set(found.manifest.filters.values())))


def dataset_name(raws: Path) -> str:
    """Name a data set after its folder, in the letters that names may have."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", raws.resolve().name.lower()).strip("-_")
    return plain if plain[:1].isalpha() else f"raws-{plain}".rstrip("-")
