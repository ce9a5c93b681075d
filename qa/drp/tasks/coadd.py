# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Clipped coadd of one patch in one band, from calibrated exposures that are read a tile at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.pipe.base import NoWorkFound, PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output, PrerequisiteInput
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.coadd import coadd_visits, contributions_to_table
from qa.drp.algorithms.solution import solutions_from_table
from qa.drp.algorithms.warp import VisitInput
from qa.drp.tasks.base import CAVEATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astropy.table import Table
    from lsst.daf.butler import DeferredDatasetHandle
    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext

    from qa.drp.skymap import SkyMap

SUSPICIOUS = 0.05
"""Part of a visit's pixels left out from which on it is named: satellites and cosmic rays stay below."""

_DIMENSIONS = ("skymap", "tract", "patch", "band")


class CoaddConnections(PipelineTaskConnections, dimensions=_DIMENSIONS):
    """The detectors of all visits that may reach a patch, and how they lie on the sky."""

    calexps = Input(
        doc="Background-subtracted images, electron.",
        name="calexp",
        storageClass="ArrayMaskedImage",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    solutions = Input(
        doc="WCS, zero point and PSF of each calibrated detector of each visit.",
        name="solutions",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "skymap", "tract", "band"),
    )
    sky_map = PrerequisiteInput(
        doc="Pixels of tract and patches.", name="sky_map", storageClass="TractSkyMap", dimensions=("skymap",)
    )
    coadd = Output(
        doc="Clipped, weighted mean of the visits, nJy.",
        name="coadd",
        storageClass="ArrayMaskedImage",
        dimensions=_DIMENSIONS,
    )
    n_visits = Output(
        doc="Number of visits in each pixel.",
        name="coadd_n_visits",
        storageClass="PixelPlane",
        dimensions=_DIMENSIONS,
    )
    psf = Output(
        doc="Calibration and weight of each detector that went in: they make the PSF at any point.",
        name="coadd_psf",
        storageClass="ArrowAstropy",
        dimensions=_DIMENSIONS,
    )


class CoaddConfig(PipelineTaskConfig, pipelineConnections=CoaddConnections):
    """Nothing to configure."""


class CoaddTask(PipelineTask):
    """Coadd the visits of a patch."""

    ConfigClass = CoaddConfig
    _DefaultName = "coadd"

    def runQuantum(
        self,
        butlerQC: QuantumContext,
        inputRefs: InputQuantizedConnection,
        outputRefs: OutputQuantizedConnection,
    ) -> None:
        """Pass the patch's number on."""
        found = butlerQC.get(inputRefs)
        butlerQC.put(self.run(**found, patch=butlerQC.quantum.dataId["patch"]), outputRefs)

    @timeMethod
    def run(self, calexps: Sequence[DeferredDatasetHandle], solutions: Table, sky_map: SkyMap, *, patch: int) -> Struct:
        """Coadd the detectors that reach the patch.

        Raises
        ------
        NoWorkFound
            If none does.
        """
        grid, box = sky_map.grid, sky_map.outer(patch)
        solved = solutions_from_table(solutions)
        pairs = [(handle, solved.get((handle.dataId["visit"], handle.dataId["detector"]))) for handle in calexps]
        inputs = [
            VisitInput(solution, handle.get(component="cutouts"))
            for handle, solution in pairs
            if solution is not None and solution.overlaps(grid, box)
        ]
        if not inputs:
            msg = f"no calibrated detector reaches patch {patch}"
            raise NoWorkFound(msg)
        found = coadd_visits(inputs, grid, box)
        self._report(found.clipped)
        psf = contributions_to_table(found.contributions, solutions)
        return Struct(coadd=found.image, n_visits=found.n_visits, psf=psf)

    def _report(self, clipped: Mapping[int, float]) -> None:
        """Name the visits that disagree with the others: a moving shadow, clouds, a wrong calibration."""
        lines = [
            f"visit {visit}: {100 * part:.0f} % of its pixels were left out as outliers"
            for visit, part in clipped.items()
            if part > SUSPICIOUS
        ]
        for line in lines:
            self.log.warning(line)
        if lines:
            self.metadata[CAVEATS] = lines
