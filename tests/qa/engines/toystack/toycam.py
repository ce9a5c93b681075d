"""A small camera package of somebody else's: instrument, tasks, and the making of its Butler repository.

It is used in an environment of its own, in which obsqa is not installed, and stands for a real `obs_` package with the
LSST Science Pipelines. Its tasks write bundles of metrics in the file format and with the
names of analysis_tools.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from astropy.time import Time, TimeDelta
from lsst.daf.butler import Butler, CollectionType, DatasetRef, DatasetType, FileDataset, Timespan
from lsst.pex.config import Field
from lsst.pipe.base import (
    Instrument,
    PipelineTask,
    PipelineTaskConfig,
    PipelineTaskConnections,
    Struct,
    connectionTypes,
)
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d
from pydantic import RootModel

NAME, SKY = "ToyCam", "toy_sky"
DETECTORS = (0, 1)
# Visit, physical filter and the level of the sky in electron.
VISITS = ((11, "toy-g", 100.0), (12, "toy-r", 200.0), (13, "toy-r", 260.0))
BANDS = {"toy-g": "g", "toy-r": "r"}


class MetricBundle(RootModel[dict[str, Any]]):
    """A bundle of metrics, laid out as the MetricMeasurementBundle of analysis_tools."""


class ToyCam(Instrument):
    """The instrument."""

    @classmethod
    def getName(cls) -> str:  # noqa: N802 - the middleware's name
        """Return its name."""
        return NAME

    def getRawFormatter(self, dataId: Any) -> Any:  # noqa: N802, N803 - the middleware's names
        """Return nothing: raws are YAML."""
        raise NotImplementedError

    def register(self, registry: Any, *, update: bool = False) -> None:
        """Register instrument, detectors and filters."""
        one = {"name": NAME, "detector_max": 10, "visit_max": 100, "exposure_max": 100, "visit_system": 1}
        with registry.transaction():
            registry.syncDimensionData("instrument", one | {"class_name": "toycam.ToyCam"}, update=update)
            for number in DETECTORS:
                detector = {"instrument": NAME, "id": number, "full_name": f"D{number}", "purpose": "SCIENCE"}
                registry.syncDimensionData("detector", detector | {"name_in_raft": f"D{number}", "raft": "R0"})
            for name, band in BANDS.items():
                registry.syncDimensionData("physical_filter", {"instrument": NAME, "name": name, "band": band})
            system = {"instrument": NAME, "id": 1, "name": "one-to-one"}
            registry.syncDimensionData("visit_system", system, update=update)


class SkyConnections(PipelineTaskConnections, dimensions=("instrument", "visit", "detector")):
    """Pixels in, a number and a bundle of metrics of one visit and detector out."""

    pixels = connectionTypes.Input(
        name="toy_pixels",
        storageClass="StructuredDataDict",
        dimensions=("instrument", "visit", "detector"),
        doc="Pixels.",
    )
    bias = connectionTypes.PrerequisiteInput(
        name="toy_bias",
        storageClass="StructuredDataDict",
        dimensions=("instrument", "detector"),
        isCalibration=True,
        doc="What is subtracted.",
    )
    level = connectionTypes.Output(
        name="toy_level",
        storageClass="StructuredDataDict",
        dimensions=("instrument", "visit", "detector"),
        doc="Level of the sky.",
    )
    metrics = connectionTypes.Output(
        name="toyVisitCore_metrics",
        storageClass="ToyMetricBundle",
        dimensions=("instrument", "visit", "detector"),
        doc="Metrics of a detector.",
    )


class SkyConfig(PipelineTaskConfig, pipelineConnections=SkyConnections):
    """What can be set."""

    offset = Field[float](doc="Added to every level, in electron.", default=0.0)
    note = Field[str](doc="A word, kept with the level.", default="")
    refuses = Field[int](doc="Number of the visit that fails, -1 for none, -2 for all.", default=-1)


class SkyTask(PipelineTask):
    """Measures the level of the sky of one detector."""

    ConfigClass = SkyConfig
    _DefaultName = "sky"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:  # noqa: N802, N803
        """Tell `run` which visit it is."""
        outputs = self.run(butlerQC.quantum.dataId["visit"], **butlerQC.get(inputRefs))
        butlerQC.put(outputs, outputRefs)

    def run(self, visit: int, pixels: dict[str, Any], bias: dict[str, Any]) -> Struct:
        """Take the mean of the pixels, without the bias."""
        if self.config.refuses in {visit, -2}:
            msg = f"the pixels of visit {visit}\nare refused"
            raise ValueError(msg)
        level = sum(pixels["values"]) / len(pixels["values"]) - bias["level"] + self.config.offset
        bundle = {"skyLevel": [record("mean", level, "electron"), record("hot", None, "ct")]}
        return Struct(level={"level": level, "note": self.config.note}, metrics=complete(bundle))


class TractConnections(PipelineTaskConnections, dimensions=("skymap", "tract")):
    """The levels of all visits in, a bundle of metrics of a tract out."""

    levels = connectionTypes.Input(
        name="toy_level",
        storageClass="StructuredDataDict",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
        doc="Levels of the sky.",
    )
    metrics = connectionTypes.Output(
        name="toyTractCore_metrics",
        storageClass="ToyMetricBundle",
        dimensions=("skymap", "tract"),
        doc="Metrics of a tract, of all its bands.",
    )


class TractConfig(PipelineTaskConfig, pipelineConnections=TractConnections):
    """Nothing can be set."""


class TractTask(PipelineTask):
    """Measures a tract: as analysis_tools does, with the band at the head of the metric's name."""

    ConfigClass = TractConfig
    _DefaultName = "tract"

    def run(self, levels: list[Any]) -> Struct:
        """Count the detectors and average their levels, band by band."""
        by_band: dict[str, list[float]] = {}
        for handle in levels:
            by_band.setdefault(handle.dataId["band"], []).append(handle.get()["level"])
        records = [record(f"{band}_meanLevel", sum(of) / len(of), "electron") for band, of in sorted(by_band.items())]
        return Struct(metrics=complete({"tractSky": records, "tractCount": [record("detectors", len(levels), "ct")]}))


class EmptyConnections(PipelineTaskConnections, dimensions=("instrument", "visit", "detector")):
    """A pipeline that measures nothing."""

    pixels = connectionTypes.Input(
        name="toy_pixels",
        storageClass="StructuredDataDict",
        dimensions=("instrument", "visit", "detector"),
        doc="Pixels.",
    )
    copied = connectionTypes.Output(
        name="toy_copy",
        storageClass="StructuredDataDict",
        dimensions=("instrument", "visit", "detector"),
        doc="The same.",
    )


class EmptyConfig(PipelineTaskConfig, pipelineConnections=EmptyConnections):
    """Nothing can be set."""


class EmptyTask(PipelineTask):
    """Copies its input."""

    ConfigClass = EmptyConfig
    _DefaultName = "copy"

    def run(self, pixels: dict[str, Any]) -> Struct:
        """Copy."""
        return Struct(copied=pixels)


def record(metric: str, value: float | None, unit: str) -> dict[str, Any]:
    """Return a measurement as lsst.verify writes it."""
    return {"metric": metric, "identifier": uuid4().hex, "value": value, "unit": unit, "blob_refs": []}


def complete(bundle: dict[str, Any]) -> MetricBundle:
    """Return a bundle with what analysis_tools says of itself."""
    return MetricBundle({**bundle, "__reference_package": "toy_tools", "__dataset_identifier": "toy"})


class Sky:
    """One tract that holds everything."""

    region: ClassVar = ConvexPolygon.convexHull(
        [UnitVector3d(LonLat.fromDegrees(ra, dec)) for ra, dec in ((9.0, -1.0), (11.0, -1.0), (11.0, 1.0), (9.0, 1.0))]
    )


def make(repo: str, pixels: Path) -> None:
    """Fill a repository that `butler create` and `butler register-instrument` made."""
    butler = Butler.from_config(repo, writeable=True)
    registry, day = butler.registry, 20260101
    run = f"{NAME}/raw/all"
    kind = DatasetType(
        "toy_pixels", ("instrument", "visit", "detector"), "StructuredDataDict", universe=butler.dimensions
    )
    registry.registerDatasetType(kind)
    butler.collections.register(run, CollectionType.RUN)
    sky_map = {"name": SKY, "hash": b"1", "tract_max": 1, "patch_nx_max": 1, "patch_ny_max": 1}
    registry.syncDimensionData("skymap", sky_map)
    registry.syncDimensionData("tract", {"skymap": SKY, "id": 0, "region": Sky.region})
    registry.syncDimensionData("day_obs", {"instrument": NAME, "id": day})
    files = []
    for visit, physical_filter, level in VISITS:
        _sync_visit(registry, visit, physical_filter, day)
        for detector in DETECTORS:
            path = pixels / f"{visit}-{detector}.yaml"
            path.write_text(json.dumps({"values": [level + detector, level + detector + 2.0]}))
            data_id = registry.expandDataId(instrument=NAME, visit=visit, detector=detector)
            files.append(FileDataset(str(path), [DatasetRef(kind, data_id, run=run)]))
    butler.ingest(*files, transfer="copy")
    _add_biases(butler, pixels)
    butler.collections.register(f"{NAME}/defaults", CollectionType.CHAINED)
    butler.collections.redefine_chain(f"{NAME}/defaults", [run, f"{NAME}/calib"])
    butler.collections.register(f"{NAME}/nothing", CollectionType.RUN)


def _add_biases(butler: Any, folder: Path) -> None:
    """Add a bias for each detector and epoch; the second holds for all visits."""
    dimensions = ("instrument", "detector")
    kind = DatasetType("toy_bias", dimensions, "StructuredDataDict", universe=butler.dimensions, isCalibration=True)
    butler.registry.registerDatasetType(kind)
    butler.collections.register(f"{NAME}/calib", CollectionType.CALIBRATION)
    change = Time("2025-12-15T00:00:00", scale="tai")
    for epoch, (level, when) in enumerate(((1.0, Timespan(None, change)), (0.0, Timespan(change, None)))):
        run = f"{NAME}/calib/epoch{epoch}"
        butler.collections.register(run, CollectionType.RUN)
        path = folder / f"bias-{epoch}.yaml"
        path.write_text(json.dumps({"level": level}))
        data_ids = [butler.registry.expandDataId(instrument=NAME, detector=detector) for detector in DETECTORS]
        refs = [DatasetRef(kind, data_id, run=run) for data_id in data_ids]
        butler.ingest(*(FileDataset(str(path), [ref]) for ref in refs), transfer="copy")
        butler.registry.certify(f"{NAME}/calib", refs, when)


def _sync_visit(registry: Any, visit: int, physical_filter: str, day: int) -> None:
    begin = Time("2026-01-01T00:00:00", scale="tai")
    own = {"instrument": NAME, "id": visit, "name": f"toy{visit}", "day_obs": day, "physical_filter": physical_filter}
    rest = {"seq_num": visit, "exposure_time": 30.0, "target_name": "field", "observation_reason": "science"}
    more = {
        "science_program": "toy",
        "azimuth": 0.0,
        "zenith_angle": 30.0,
        "timespan": Timespan(begin, begin + TimeDelta(30, format="sec")),
    }
    registry.syncDimensionData("visit", {**own, **rest, **more, "region": Sky.region})
    for detector in DETECTORS:
        of = {"instrument": NAME, "visit": visit, "detector": detector, "region": Sky.region}
        registry.syncDimensionData("visit_detector_region", of)


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
