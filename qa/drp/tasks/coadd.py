# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
"""Clipped coadd of one patch in one band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.coadd import coadd_warps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.drp.image import MaskedImage

_DIMENSIONS = ("skymap", "tract", "patch", "band")


class CoaddConnections(PipelineTaskConnections, dimensions=_DIMENSIONS):
    """All visits on a patch."""

    warps = Input(
        doc="Visits on the pixels of the patch, nJy.",
        name="warp",
        storageClass="ArrayMaskedImage",
        dimensions=("instrument", "visit", "skymap", "tract", "patch"),
        multiple=True,
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


class CoaddConfig(PipelineTaskConfig, pipelineConnections=CoaddConnections):
    """Nothing to configure."""


class CoaddTask(PipelineTask):
    """Coadd the visits of a patch."""

    ConfigClass = CoaddConfig
    _DefaultName = "coadd"

    @timeMethod
    def run(self, warps: Sequence[MaskedImage]) -> Struct:
        """Coadd."""
        found = coadd_warps(warps)
        return Struct(coadd=found.image, n_visits=found.n_visits)
