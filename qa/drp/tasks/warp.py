# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Resampling of one visit on the pixels of one patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.pipe.base import NoWorkFound, PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output, PrerequisiteInput
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.solution import Solution, solutions_from_table
from qa.drp.algorithms.warp import warp_visit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.table import Table
    from lsst.daf.butler import DeferredDatasetHandle
    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext

    from qa.drp.skymap import SkyMap

_DIMENSIONS = ("instrument", "visit", "skymap", "tract", "patch")


class WarpConnections(PipelineTaskConnections, dimensions=_DIMENSIONS):
    """The detectors of a visit that may reach a patch, and how they lie on the sky."""

    calexps = Input(
        doc="Background-subtracted images, electron.",
        name="calexp",
        storageClass="ArrayMaskedImage",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    solutions = Input(
        doc="WCS and zero point of each calibrated detector of each visit.",
        name="solutions",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "skymap", "tract", "band"),
    )
    sky_map = PrerequisiteInput(
        doc="Pixels of tract and patches.", name="sky_map", storageClass="TractSkyMap", dimensions=("skymap",)
    )
    warp = Output(
        doc="The visit on the pixels of the patch, nJy.",
        name="warp",
        storageClass="ArrayMaskedImage",
        dimensions=_DIMENSIONS,
    )


class WarpConfig(PipelineTaskConfig, pipelineConnections=WarpConnections):
    """Nothing to configure."""


class WarpTask(PipelineTask):
    """Resample and scale the detectors of one visit."""

    ConfigClass = WarpConfig
    _DefaultName = "warp"

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
        """Warp the detectors that reach the patch, reading one at a time.

        Raises
        ------
        NoWorkFound
            If none does.
        """
        grid, box = sky_map.grid, sky_map.outer(patch)
        solved = solutions_from_table(solutions)

        def solution(handle: DeferredDatasetHandle) -> Solution | None:
            return solved.get((handle.dataId["visit"], handle.dataId["detector"]))

        pairs = [(handle, solution(handle)) for handle in sorted(calexps, key=lambda one: one.dataId["detector"])]
        reaching = [(handle, one) for handle, one in pairs if one is not None and one.overlaps(grid, box)]
        warp = warp_visit(((handle.get(), one) for handle, one in reaching), grid, box) if reaching else None
        if warp is None:
            msg = f"no calibrated detector of the visit reaches patch {patch}"
            raise NoWorkFound(msg)
        return Struct(warp=warp)
