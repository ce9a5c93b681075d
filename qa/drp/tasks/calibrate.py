# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Global astrometric and photometric calibration of a tract in one band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astropy.table import Table, vstack
from lsst.pex.config import Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, RepeatableQuantumError, Struct
from lsst.pipe.base.connectionTypes import Input, Output, PrerequisiteInput
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.calibrate import calibrate
from qa.drp.algorithms.errors import CalibrationError
from qa.drp.algorithms.observations import DetectorCatalog
from qa.drp.tasks.base import CAVEATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext

    from qa.drp.algorithms.calibrate import Calibration

_DIMENSIONS = ("instrument", "skymap", "tract", "band")


class CalibrateConnections(PipelineTaskConnections, dimensions=_DIMENSIONS):
    """All catalogues of a tract and band against the reference catalogue."""

    src = Input(
        doc="Sources of the detectors that overlap the tract.",
        name="src",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
    )
    reference = PrerequisiteInput(
        doc="Shards of the reference catalogue that overlap the tract.",
        name="reference_catalog",
        storageClass="ArrowAstropy",
        dimensions=("htm7",),
        multiple=True,
        minimum=0,
    )
    solutions = Output(
        doc="WCS and zero point of each calibrated detector of each visit.",
        name="solutions",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )
    matched = Output(
        doc="Calibrated sources, grouped into objects.",
        name="matched",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )
    visit_summary = Output(
        doc="Seeing, sky, zero point and residuals of each detector of each visit.",
        name="visit_summary",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )


class CalibrateConfig(PipelineTaskConfig, pipelineConnections=CalibrateConnections):
    """Whether a reference catalogue is needed."""

    relative = Field[bool](
        doc="Without stars of a reference catalogue in the tract, tie the exposures to each other, to the header of "
        "one of them and to a nominal zero point; `relative` in the visit summary says so.",
        default=False,
    )


class CalibrateTask(PipelineTask):
    """One solution for all visits and detectors of a tract and band."""

    ConfigClass = CalibrateConfig
    _DefaultName = "calibrate"

    def runQuantum(
        self,
        butlerQC: QuantumContext,
        inputRefs: InputQuantizedConnection,
        outputRefs: OutputQuantizedConnection,
    ) -> None:
        """Tell each catalogue which visit and detector it is of."""
        found = butlerQC.get(inputRefs)
        catalogs = [
            DetectorCatalog(visit=ref.dataId["visit"], detector=ref.dataId["detector"], sources=sources)
            for ref, sources in zip(inputRefs.src, found["src"], strict=True)
        ]
        band = butlerQC.quantum.dataId["band"]
        butlerQC.put(self.run(catalogs, found["reference"], band=band), outputRefs)

    @timeMethod
    def run(self, catalogs: Sequence[DetectorCatalog], reference: Sequence[Table], *, band: str) -> Struct:
        """Calibrate; detectors that could not be are left out and named.

        Raises
        ------
        RepeatableQuantumError
            If nothing of the tract can be calibrated.
        """
        stars = join_shards(reference)
        if not len(stars) and not self.config.relative:
            msg = "reference catalogue: must have stars in the tract, found none"
            raise RepeatableQuantumError(msg)
        try:
            found = calibrate(catalogs, stars if len(stars) else None, band=band)
        except CalibrationError as error:
            # One line: the chain of causes would repeat it.
            raise RepeatableQuantumError(str(error)) from None
        self._report(found)
        return Struct(solutions=found.solutions, matched=found.matched, visit_summary=found.visit_summary)

    def _report(self, found: Calibration) -> None:
        lines = [f"visit {one.visit} detector {one.detector} not calibrated: {one.reason}" for one in found.failures]
        if found.visit_summary["relative"].any():
            lines.append(
                "calibrated without a reference catalogue: positions rest on a header, magnitudes are relative"
            )
        for line in lines:
            self.log.warning(line)
        if lines:
            self.metadata[CAVEATS] = lines


def join_shards(shards: Sequence[Table]) -> Table:
    """Join the shards in an order that does not depend on how they were found."""
    shards = [shard for shard in shards if len(shard)]
    if not shards:
        return Table()
    ordered = sorted(shards, key=lambda shard: int(shard["id"][0]))
    return vstack(ordered, metadata_conflicts="silent")
