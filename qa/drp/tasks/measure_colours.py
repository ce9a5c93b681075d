# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Metrics of a tract that compare its bands: colours, and positions in one band against another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lsst.pex.config import Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output
from lsst.utils.timer import timeMethod

from qa.drp.tasks.measure_metrics import join_patches, per_patch
from qa.metrics import measure_all
from qa.metrics.base import Tables
from qa.metrics.bundle import to_bundle
from qa.metrics.crossband import across_bands
from qa.model import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astropy.table import Table
    from lsst.daf.butler import DatasetRef
    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext

    from qa.model import Result

_DIMENSIONS = ("instrument", "skymap", "tract")
_PER_PATCH = ("objects", "truth_coverage")


class MeasureColoursConnections(PipelineTaskConnections, dimensions=_DIMENSIONS):
    """The tables of all bands of a tract."""

    matched = Input(
        doc="Matched detections of each band.",
        name="matched",
        storageClass="ArrowAstropy",
        dimensions=(*_DIMENSIONS, "band"),
        multiple=True,
    )
    objects = per_patch("objects")
    truth_coverage = per_patch("truth_coverage")
    cross_metrics = Output(
        doc="Measurements across bands, in the shape of a MetricMeasurementBundle; each names its band.",
        name="cross_metrics",
        storageClass="StructuredDataDict",
        dimensions=_DIMENSIONS,
    )


class MeasureColoursConfig(PipelineTaskConfig, pipelineConnections=MeasureColoursConnections):
    """What the measurements are of."""

    camera = Field[str](doc="Camera, as the registry calls it.", default="unknown")
    dataset = Field[str](doc="Data set, as the registry calls it.", default="unknown")


class MeasureColoursTask(PipelineTask):
    """Every metric of the catalogue that compares bands, or the reason why it cannot be measured.

    A metric whose bands are not all there is left out, as it is from what the data set owes.
    """

    ConfigClass = MeasureColoursConfig
    _DefaultName = "measure_colours"

    def runQuantum(
        self,
        butlerQC: QuantumContext,
        inputRefs: InputQuantizedConnection,
        outputRefs: OutputQuantizedConnection,
    ) -> None:
        """Sort what there is by band."""
        matched = by_band(butlerQC, inputRefs.matched)
        if len(matched) > 1:
            patches = {name: by_band(butlerQC, getattr(inputRefs, name, ())) for name in _PER_PATCH}
        else:
            # Nothing to compare, and nothing to read.
            patches = {name: {} for name in _PER_PATCH}
        scope = Scope(self.config.camera, self.config.dataset, tract=butlerQC.quantum.dataId["tract"])
        butlerQC.put(self.run(matched, **patches, scope=scope), outputRefs)

    @timeMethod
    def run(
        self,
        matched: Mapping[str, Sequence[Table]],
        objects: Mapping[str, Sequence[Table]],
        truth_coverage: Mapping[str, Sequence[Table]],
        *,
        scope: Scope,
    ) -> Struct:
        """Measure; the tables are those of each band."""
        tables = {
            band: Tables(
                matched=found[0],
                objects=join_patches(objects.get(band, ())),
                truth_coverage=join_patches(truth_coverage.get(band, ())),
            )
            for band, found in matched.items()
        }
        results: list[Result] = []
        for band, own in across_bands(tables).items():
            results += measure_all(own, replace(scope, band=band), cross_band=True)
        return Struct(cross_metrics=to_bundle(results, dataset=scope.dataset))


def by_band(butlerQC: QuantumContext, refs: Sequence[DatasetRef]) -> dict[str, list[Any]]:
    """Read datasets and sort them by band, bands in alphabetical order."""
    found: dict[str, list[Any]] = {}
    for ref in sorted(refs, key=lambda ref: str(ref.dataId["band"])):
        found.setdefault(str(ref.dataId["band"]), []).append(butlerQC.get(ref))
    return found
