"""A twin becomes a Butler repository: raws, calibrations, catalogues and the sky map it is coadded on.

The repository is built beside its place and moved there when it is complete, so an ingest that was killed
leaves nothing that looks like a repository. Pixels are never copied.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa.documents import read_document, write_document
from qa.drp import repository
from qa.drp.skymap import TRACT, SkyMap
from qa.errors import DocumentError, RequestError
from qa.provenance.calibration_dates import Validity
from qa.twins.manifest import REDRAW, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from astropy.table import Table
    from lsst.daf.butler import Butler, Timespan

    from qa.drp.observations import Calibration, Observation
    from qa.twins.manifest import TwinManifest

_FILE_NAME = "ingest.json"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a repository was made of; `caveats` has a line for each raw that was left out, saying why."""

    camera: str
    dataset: str
    instrument: str
    sky_map: str
    caveats: tuple[str, ...]
    calibrations: tuple[Validity, ...] = ()


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
    twin = twin.resolve()  # what is wrong is told of the cache, not of the run's link to it
    return ingest_data(read_manifest(twin), twin, repo)


def ingest_data(manifest: TwinManifest, folder: Path, repo: Path, *, caveats: Sequence[str] = ()) -> Ingested:
    """Make the repository `repo` of the files that a manifest names; one that exists is left as it is.

    Parameters
    ----------
    manifest
        What there is, with paths relative to `folder` or absolute. It may come from a twin or from
        `qa.drp.scan.scan`.
    caveats
        What is to be told beside what is found wrong with the raws.
    folder, repo
        Where the files are, and where the repository is to be.

    Raises
    ------
    DocumentError
        If nothing can be made of the data: no usable raw, no reference star.
    RequestError
        If there is something else at the place of the repository.
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
    made = _build(manifest, folder, partial, caveats)
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


def _build(manifest: TwinManifest, folder: Path, root: Path, told: Sequence[str]) -> Ingested:
    from lsst.daf.butler import Butler  # noqa: PLC0415 - importing the Butler costs a second

    from qa.drp.observations import read_calibrations, read_observations  # noqa: PLC0415 - the translators, too

    reference = _read_catalog(folder, manifest.refcat, "a reference catalogue with stars")
    _read_catalog(folder, manifest.truth, "a truth catalogue with sources")
    observations, caveats = read_observations(manifest, folder)
    calibrations, more = read_calibrations(manifest, folder)
    if not observations:
        raise DocumentError(folder, required="at least one usable raw", found=_none_of(caveats))
    repository.create(root)
    with Butler.from_config(str(root), writeable=True) as butler:
        _Ingest(butler, manifest, folder).everything(observations, calibrations, reference)
    return Ingested(
        manifest.camera,
        manifest.dataset,
        manifest.instrument,
        sky_map(manifest).name,
        (*told, *caveats, *more),
        _validities(manifest, calibrations),
    )


def _validities(manifest: TwinManifest, calibrations: Sequence[Calibration]) -> tuple[Validity, ...]:
    """Tell for which dates the groups hold of which there is an exposure, and when the last of these was taken."""
    made: dict[tuple[str, str], str] = {}
    for each in calibrations:
        taken = str(each.info.datetime_end.utc.isot)
        made[each.kind, each.group] = max(taken, made.get((each.kind, each.group), ""))
    named = (
        Validity(one.kind, one.group, one.begin, one.end, made[one.kind, one.group])
        for one in manifest.calibrations
        if (one.kind, one.group) in made
    )
    return tuple(dict.fromkeys(named))


class _Ingest:
    """The steps of one ingest, which share repository, manifest and folder."""

    def __init__(self, butler: Butler, manifest: TwinManifest, folder: Path) -> None:
        from qa.drp.instrument import instrument  # noqa: PLC0415

        self._butler, self._manifest, self._folder = butler, manifest, folder
        self._instrument = instrument(manifest.instrument)
        self._calibrations = self._instrument.makeCalibrationCollectionName()

    def everything(
        self, observations: Sequence[Observation], calibrations: Sequence[Calibration], reference: Table | None
    ) -> None:
        """Fill an empty repository."""
        with self._butler.transaction():
            self._dimensions(observations, calibrations)
        with self._butler.transaction():
            runs = [self._raws(observations, calibrations), self._catalogs(reference), self._calibs()]
        umbrella = self._instrument.makeUmbrellaCollectionName()
        self._butler.collections.register(umbrella, _collection_type("CHAINED"))
        self._butler.collections.redefine_chain(umbrella, runs)

    def _dimensions(self, observations: Sequence[Observation], calibrations: Sequence[Calibration]) -> None:
        from qa.drp.instrument import detector_records, filter_records  # noqa: PLC0415
        from qa.drp.observations import dimension_records, filters_of  # noqa: PLC0415

        registry, name = self._butler.registry, self._instrument.name
        self._instrument.register(registry)
        detectors = {detector.id: detector.name for detector in self._manifest.detectors}
        registry.insertDimensionData("detector", *detector_records(name, detectors))
        filters = dict.fromkeys(sorted(filters_of(calibrations)), "unknown") | self._manifest.filters
        registry.insertDimensionData("physical_filter", *filter_records(name, filters))
        for element, records in dimension_records(name, observations, calibrations).items():
            registry.insertDimensionData(element, *records)
        sky_map(self._manifest).register(self._butler)

    def _raws(self, observations: Sequence[Observation], calibrations: Sequence[Calibration]) -> str:
        run = str(self._instrument.makeDefaultRawIngestRunName())
        files: dict[Path, list[dict[str, Any]]] = {}
        for one in observations:
            for frame in one.frames:
                files.setdefault(frame.path, []).append({"exposure": one.exposure, "detector": frame.detector})
        for each in calibrations:
            for detector, path in each.files.items():
                files.setdefault(path, []).append({"exposure": each.exposure, "detector": detector})
        self._ingest(repository.RAW, files.items(), run)
        return run

    def _catalogs(self, reference: Table | None) -> str:
        """Store reference catalogue, truth and sky map in one run of their own."""
        run, mapping = "catalogs", sky_map(self._manifest)
        self._butler.collections.register(run)
        for pixel, shard in _shards(reference) if reference is not None else ():
            self._butler.put(shard, repository.REFERENCE_CATALOG, htm7=pixel, run=run)
        self._butler.put(mapping, repository.SKY_MAP, skymap=mapping.name, run=run)
        if self._manifest.truth is not None:
            truth = {"skymap": mapping.name, "tract": TRACT}
            self._ingest(repository.TRUTH_CATALOG, [(self._folder / self._manifest.truth, [truth])], run)
        return run

    def _calibs(self) -> str:
        """Make the collection into which master calibrations are certified, with what is known beforehand."""
        import numpy as np  # noqa: PLC0415

        self._butler.collections.register(self._calibrations, _collection_type("CALIBRATION"))
        if self._manifest.crosstalk:
            run = self._instrument.makeCalibrationCollectionName(repository.CROSSTALK)
            self._butler.collections.register(run)
            plane = np.array(self._manifest.crosstalk, dtype=np.float32)
            ref = self._butler.put(plane, repository.CROSSTALK, instrument=self._instrument.name, run=run)
            self._butler.registry.certify(self._calibrations, [ref], timespan(None, None))
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


def timespan(begin: str | None, end: str | None) -> Timespan:
    """Return the range between two ISO dates in TAI; None is open."""
    from astropy.time import Time  # noqa: PLC0415
    from lsst.daf.butler import Timespan  # noqa: PLC0415

    first, last = (Time(date, scale="tai") if date else None for date in (begin, end))
    return Timespan(first, last)


def _none_of(caveats: Sequence[str]) -> str:
    """Say of raws that were all left out how many they were, and what was wrong with the first."""
    return f"none of {len(caveats)}: {caveats[0]}" if caveats else "none"


def _read_catalog(folder: Path, name: str | None, required: str) -> Table | None:
    from astropy.table import Table  # noqa: PLC0415

    if name is None:
        return None
    path = folder / name
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


def _shards(table: Table) -> Iterable[tuple[int, Table]]:
    """Cut a catalogue along the trixels of the hierarchical triangular mesh at level 7."""
    import numpy as np  # noqa: PLC0415
    from lsst.sphgeom import HtmPixelization, LonLat, UnitVector3d  # noqa: PLC0415

    mesh = HtmPixelization(7)
    points = (LonLat.fromDegrees(float(ra), float(dec)) for ra, dec in zip(table["ra"], table["dec"], strict=True))
    pixels = np.array([mesh.index(UnitVector3d(point)) for point in points])
    for pixel in np.unique(pixels):
        yield int(pixel), table[pixels == pixel]
