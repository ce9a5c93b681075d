"""A twin becomes a Butler repository: raws, calibrations, catalogues and the sky map it is coadded on.

The repository is built beside its place and moved there when it is complete, so an ingest that was killed
leaves nothing that looks like a repository. Pixels are never copied.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from qa.documents import read_document, write_document
from qa.drp import repository
from qa.drp.skymap import TRACT, SkyMap
from qa.errors import DocumentError, RequestError
from qa.twins.manifest import REDRAW, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from astropy.table import Table
    from lsst.daf.butler import Butler, Timespan

    from qa.drp.observations import Observation
    from qa.twins.manifest import TwinCalibration, TwinManifest

_FILE_NAME = "ingest.json"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a repository was made of; `caveats` has a line for each raw that was left out, saying why."""

    camera: str
    dataset: str
    instrument: str
    sky_map: str
    caveats: tuple[str, ...]


def read_ingested(repo: Path) -> Ingested:
    """Read what a repository was made of.

    Raises
    ------
    DocumentError
        If it was not made by `ingest`.
    """
    found: Ingested = read_document(repo / _FILE_NAME, "ingested", Ingested)
    return found


def ingest(twin: Path, repo: Path) -> Ingested:
    """Make the repository `repo` of the data set in the folder `twin`; one that exists is left as it is.

    Raises
    ------
    DocumentError
        If the manifest is unreadable, or nothing can be made of the data: no usable raw, no reference star.
    """
    if (repo / _FILE_NAME).exists():
        return read_ingested(repo)
    if repo.exists():
        msg = f"{repo}: must be a place for a new repository, found something else; remove it"
        raise RequestError(msg)
    # No dot: the middleware takes a folder with one for a file.
    partial = repo.with_name(f"{repo.name.replace('.', '-')}-partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    made = _build(twin, partial)
    write_document(partial / _FILE_NAME, "ingested", made, Ingested)
    partial.rename(repo)
    return made


def sky_map(manifest: TwinManifest) -> SkyMap:
    """Return the sky map of a twin."""
    tract = manifest.tract
    return SkyMap(
        name=f"{manifest.camera}_{manifest.dataset}",
        ra=tract.ra,
        dec=tract.dec,
        pixel_scale=tract.pixel_scale,
        npix=tract.npix,
        patch_npix=tract.patch_npix,
        border=tract.border,
    )


def _build(twin: Path, root: Path) -> Ingested:
    from lsst.daf.butler import Butler  # noqa: PLC0415 - importing the Butler costs a second

    from qa.drp.observations import read_observations  # noqa: PLC0415 - and the translators another half

    twin = twin.resolve()  # what is wrong is told of the cache, not of the run's link to it
    manifest = read_manifest(twin)
    reference = _read_catalog(twin / manifest.refcat, "a reference catalogue with stars")
    _read_catalog(twin / manifest.truth, "a truth catalogue with sources")
    _insist_on(twin / one.path for one in manifest.calibrations)
    observations, caveats = read_observations(manifest, twin)
    if not observations:
        raise DocumentError(twin / "raws", required="at least one usable raw", found=_none_of(caveats))
    repository.create(root)
    with Butler.from_config(str(root), writeable=True) as butler:
        _Ingest(butler, manifest, twin).everything(observations, reference)
    mapping = sky_map(manifest).name
    return Ingested(manifest.camera, manifest.dataset, manifest.instrument, mapping, tuple(caveats))


class _Ingest:
    """The steps of one ingest, which share repository, manifest and folder."""

    def __init__(self, butler: Butler, manifest: TwinManifest, twin: Path) -> None:
        from qa.drp.instrument import instrument  # noqa: PLC0415

        self._butler, self._manifest, self._twin = butler, manifest, twin
        self._instrument = instrument(manifest.instrument)
        self._calibrations = self._instrument.makeCalibrationCollectionName()

    def everything(self, observations: Sequence[Observation], reference: Table) -> None:
        """Fill an empty repository."""
        with self._butler.transaction():
            self._dimensions(observations)
        with self._butler.transaction():
            runs = [self._raws(observations), self._catalogs(reference), self._calibs()]
        umbrella = self._instrument.makeUmbrellaCollectionName()
        self._butler.collections.register(umbrella, _collection_type("CHAINED"))
        self._butler.collections.redefine_chain(umbrella, runs)

    def _dimensions(self, observations: Sequence[Observation]) -> None:
        from qa.drp.instrument import detector_records, filter_records  # noqa: PLC0415
        from qa.drp.observations import dimension_records  # noqa: PLC0415

        registry, name = self._butler.registry, self._instrument.name
        self._instrument.register(registry)
        detectors = {detector.id: detector.name for detector in self._manifest.detectors}
        registry.insertDimensionData("detector", *detector_records(name, detectors))
        registry.insertDimensionData("physical_filter", *filter_records(name, self._manifest.filters))
        for element, records in dimension_records(name, observations).items():
            registry.insertDimensionData(element, *records)
        sky_map(self._manifest).register(self._butler)

    def _raws(self, observations: Sequence[Observation]) -> str:
        run = str(self._instrument.makeDefaultRawIngestRunName())
        files: dict[Path, list[dict[str, Any]]] = {}
        for one in observations:
            for frame in one.frames:
                data_id = {"exposure": one.exposure, "detector": frame.detector}
                files.setdefault(frame.path, []).append(data_id)
        self._ingest(repository.RAW, files.items(), run)
        return run

    def _catalogs(self, reference: Table) -> str:
        """Store reference catalogue, truth and sky map in one run of their own."""
        run, mapping = "catalogs", sky_map(self._manifest)
        self._butler.collections.register(run)
        for pixel, shard in _shards(reference):
            self._butler.put(shard, repository.REFERENCE_CATALOG, htm7=pixel, run=run)
        self._butler.put(mapping, repository.SKY_MAP, skymap=mapping.name, run=run)
        truth = {"skymap": mapping.name, "tract": TRACT}
        self._ingest(repository.TRUTH_CATALOG, [(self._twin / self._manifest.truth, [truth])], run)
        return run

    def _calibs(self) -> str:
        """Certify the calibrations for their ranges of dates."""
        self._butler.collections.register(self._calibrations, _collection_type("CALIBRATION"))

        def validity(one: TwinCalibration) -> tuple[str, str, str]:
            """Tell kind and range of dates: what is certified together."""
            return one.kind, one.begin or "", one.end or ""

        for (kind, begin, end), group in groupby(sorted(self._manifest.calibrations, key=validity), key=validity):
            run = self._instrument.makeCalibrationCollectionName(kind, begin or "ever")
            files = [(self._twin / one.path, [_calibration_id(one)]) for one in group]
            refs = self._ingest(kind, files, run)
            self._butler.registry.certify(self._calibrations, refs, _timespan(begin, end))
        return str(self._calibrations)

    def _ingest(self, name: str, files: Iterable[tuple[Path, list[dict[str, Any]]]], run: str) -> list[Any]:
        """Register files where they lie, and return the references of their data sets."""
        from lsst.daf.butler import DatasetRef, FileDataset  # noqa: PLC0415

        self._butler.collections.register(run)
        kind = self._butler.get_dataset_type(name)
        instrument = {"instrument": self._instrument.name} if "instrument" in kind.dimensions else {}

        def reference(data_id: dict[str, Any]) -> DatasetRef:
            """Name one data set."""
            return DatasetRef(kind, self._butler.registry.expandDataId(instrument | data_id), run=run)

        found = [FileDataset(str(path.resolve()), [reference(one) for one in ids]) for path, ids in files]
        # `direct` records where the file lies: no copy, no link
        self._butler.ingest(*found, transfer="direct")
        return [ref for one in found for ref in one.refs]


def _collection_type(name: str) -> Any:  # noqa: ANN401 - an enumeration of the untyped middleware
    from lsst.daf.butler import CollectionType  # noqa: PLC0415

    return CollectionType[name]


def _calibration_id(one: TwinCalibration) -> dict[str, Any]:
    filters = {} if one.physical_filter is None else {"physical_filter": one.physical_filter}
    return {"detector": one.detector} | filters


def _timespan(begin: str, end: str) -> Timespan:
    """Return the range between two ISO dates in TAI; an empty one is open."""
    from astropy.time import Time  # noqa: PLC0415
    from lsst.daf.butler import Timespan  # noqa: PLC0415

    first, last = (Time(date, scale="tai") if date else None for date in (begin, end))
    return Timespan(first, last)


def _none_of(caveats: Sequence[str]) -> str:
    """Say of raws that were all left out how many they were, and what was wrong with the first."""
    return f"none of {len(caveats)}: {caveats[0]}" if caveats else "none"


def _read_catalog(path: Path, required: str) -> Table:
    from astropy.table import Table  # noqa: PLC0415

    try:
        table = Table.read(path, format="parquet")
    except FileNotFoundError:
        raise DocumentError(path, required=required, found="no such file", action=REDRAW) from None
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        found = f"a damaged file ({str(error).splitlines()[0]})"
        raise DocumentError(path, required=required, found=found, action=REDRAW) from error
    if not len(table):
        raise DocumentError(path, required=required, found="none", action=REDRAW)
    return table


def _insist_on(paths: Iterable[Path]) -> None:
    """Find a missing calibration before the middleware stumbles over it."""
    for path in paths:
        if not path.is_file():
            raise DocumentError(path, required="a calibration", found="no such file", action=REDRAW)


def _shards(table: Table) -> Iterable[tuple[int, Table]]:
    """Cut a catalogue along the trixels of the hierarchical triangular mesh at level 7."""
    import numpy as np  # noqa: PLC0415
    from lsst.sphgeom import HtmPixelization, LonLat, UnitVector3d  # noqa: PLC0415

    mesh = HtmPixelization(7)
    points = (LonLat.fromDegrees(float(ra), float(dec)) for ra, dec in zip(table["ra"], table["dec"], strict=True))
    pixels = np.array([mesh.index(UnitVector3d(point)) for point in points])
    for pixel in np.unique(pixels):
        yield int(pixel), table[pixels == pixel]
