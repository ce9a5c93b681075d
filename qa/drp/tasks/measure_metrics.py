# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Metrics of a tract in one band, from the tables of the steps before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astropy.table import Table, vstack
from lsst.pex.config import Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output, PrerequisiteInput
from lsst.utils.timer import timeMethod

from qa.metrics import measure_all
from qa.metrics.base import Tables
from qa.metrics.bundle import to_bundle
from qa.model import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext

    from qa.drp.skymap import SkyMap

_DIMENSIONS = ("instrument", "skymap", "tract", "band")
_PER_TRACT = ("matched", "visit_summary")
_PER_PATCH = ("objects", "truth_coverage", "depth", "coadd_map")


def _per_tract(name: str) -> Input:
    return Input(doc=f"Table {name} of the tract.", name=name, storageClass="ArrowAstropy", dimensions=_DIMENSIONS)


def per_patch(name: str) -> Input:
    """Return the connection to a table of each patch; a tract whose coadds failed still has its visits measured."""
    return Input(
        doc=f"Table {name} of each patch and band.",
        name=name,
        storageClass="ArrowAstropy",
        dimensions=("skymap", "tract", "patch", "band"),
        multiple=True,
        minimum=0,
    )


class MeasureMetricsConnections(PipelineTaskConnections, dimensions=_DIMENSIONS):
    """All tables of a tract and band."""

    matched = _per_tract("matched")
    visit_summary = _per_tract("visit_summary")
    objects = per_patch("objects")
    truth_coverage = per_patch("truth_coverage")
    depth = per_patch("depth")
    coadd_map = per_patch("coadd_map")
    sky_map = PrerequisiteInput(
        doc="Pixels of tract and patches.", name="sky_map", storageClass="TractSkyMap", dimensions=("skymap",)
    )
    metrics = Output(
        doc="Measurements, in the shape of a MetricMeasurementBundle of analysis_tools.",
        name="metrics",
        storageClass="StructuredDataDict",
        dimensions=_DIMENSIONS,
    )


class MeasureMetricsConfig(PipelineTaskConfig, pipelineConnections=MeasureMetricsConnections):
    """What the measurements are of."""

    camera = Field[str](doc="Camera, as the registry calls it.", default="unknown")
    dataset = Field[str](doc="Data set, as the registry calls it.", default="unknown")


class MeasureMetricsTask(PipelineTask):
    """Every metric of the catalogue that needs one band, or the reason why it cannot be measured."""

    ConfigClass = MeasureMetricsConfig
    _DefaultName = "measure_metrics"

    def runQuantum(
        self,
        butlerQC: QuantumContext,
        inputRefs: InputQuantizedConnection,
        outputRefs: OutputQuantizedConnection,
    ) -> None:
        """Pass tract and band on."""
        found, data_id = butlerQC.get(inputRefs), butlerQC.quantum.dataId
        scope = Scope(self.config.camera, self.config.dataset, band=data_id["band"], tract=data_id["tract"])
        sky_map = found.pop("sky_map")
        butlerQC.put(self.run(found, sky_map, scope=scope), outputRefs)

    @timeMethod
    def run(self, tables: dict[str, Any], sky_map: SkyMap, *, scope: Scope) -> Struct:
        """Measure."""
        whole = {name: tables[name] for name in _PER_TRACT}
        joined = {name: join_patches(tables.get(name, [])) for name in _PER_PATCH}
        results = measure_all(Tables(**whole, **joined, pixel_scale=sky_map.pixel_scale), scope)
        return Struct(metrics=to_bundle(results, dataset=scope.dataset))


def join_patches(tables: Sequence[Table]) -> Table | None:
    """Join the tables of the patches in an order that does not depend on how they were found."""
    if not tables:
        return None
    return vstack(sorted(tables, key=_first_patch), metadata_conflicts="silent")


def _first_patch(table: Table) -> int:
    return int(table["patch"][0]) if len(table) and "patch" in table.colnames else -1
