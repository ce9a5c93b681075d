# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Detection and measurement on the coadd of one patch in one band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output, PrerequisiteInput
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.coadd import Coadd, contributions_from_table
from qa.drp.algorithms.objects import measure_coadd, truth_coverage

if TYPE_CHECKING:
    from astropy.table import Table
    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext
    from numpy.typing import NDArray

    from qa.drp.image import MaskedImage
    from qa.drp.skymap import SkyMap

_DIMENSIONS = ("skymap", "tract", "patch", "band")


class MeasureCoaddConnections(PipelineTaskConnections, dimensions=_DIMENSIONS):
    """A coadd, and what was really there."""

    coadd = Input(doc="Coadd, nJy.", name="coadd", storageClass="ArrayMaskedImage", dimensions=_DIMENSIONS)
    n_visits = Input(
        doc="Number of visits in each pixel.",
        name="coadd_n_visits",
        storageClass="PixelPlane",
        dimensions=_DIMENSIONS,
    )
    psf = Input(
        doc="Calibration and weight of each detector that went in: they make the PSF at any point.",
        name="coadd_psf",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )
    sky_map = PrerequisiteInput(
        doc="Pixels of tract and patches.", name="sky_map", storageClass="TractSkyMap", dimensions=("skymap",)
    )
    truth = PrerequisiteInput(
        doc="Stars and galaxies that were drawn.",
        name="truth_catalog",
        storageClass="ArrowAstropy",
        dimensions=("skymap", "tract"),
        minimum=0,  # real pixels have none
    )
    objects = Output(doc="Objects of the coadd.", name="objects", storageClass="ArrowAstropy", dimensions=_DIMENSIONS)
    truth_coverage = Output(
        doc="What was drawn inside the patch, and how many visits covered it.",
        name="truth_coverage",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )
    depth = Output(
        doc="Depth, seeing, sky and area of the coadd: one row.",
        name="depth",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )
    coadd_map = Output(
        doc="Depth, seeing and sky of each square of 256 px.",
        name="coadd_map",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )


class MeasureCoaddConfig(PipelineTaskConfig, pipelineConnections=MeasureCoaddConnections):
    """Nothing to configure."""


class MeasureCoaddTask(PipelineTask):
    """Detect and measure objects, and say what could have been found."""

    ConfigClass = MeasureCoaddConfig
    _DefaultName = "measure_coadd"

    def runQuantum(
        self,
        butlerQC: QuantumContext,
        inputRefs: InputQuantizedConnection,
        outputRefs: OutputQuantizedConnection,
    ) -> None:
        """Pass patch and band on."""
        found, data_id = butlerQC.get(inputRefs), butlerQC.quantum.dataId
        butlerQC.put(self.run(**found, patch=data_id["patch"], band=data_id["band"]), outputRefs)

    @timeMethod
    def run(
        self,
        coadd: MaskedImage,
        n_visits: NDArray[Any],
        psf: Table,
        sky_map: SkyMap,
        truth: Table | None = None,
        *,
        patch: int,
        band: str,
    ) -> Struct:
        """Measure."""
        image, grid = Coadd(coadd, n_visits, contributions_from_table(psf)), sky_map.grid
        boxes = {"outer": sky_map.outer(patch), "inner": sky_map.inner(patch)}
        found = measure_coadd(image, grid, patch=patch, **boxes)
        coverage = None if truth is None else truth_coverage(truth, image, grid, band=band, **boxes)
        return Struct(objects=found.objects, truth_coverage=coverage, depth=found.depth, coadd_map=found.map)
