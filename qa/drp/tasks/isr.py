# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Instrument signature removal of one detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsst.pex.config import ListField
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output, PrerequisiteInput
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.isr import remove_signature
from qa.drp.tasks.base import reject

if TYPE_CHECKING:
    from lsst.daf.butler import DataCoordinate
    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext
    from numpy.typing import NDArray

    from qa.drp.image import Raw

CALIBRATIONS = ("bias", "flat", "defects")


class IsrConnections(PipelineTaskConnections, dimensions=("instrument", "exposure", "detector")):
    """A raw exposure and the calibrations valid on its date.

    The calibrations may be absent for the sake of the message: the task says which one is missing on which date
    and gives up one detector, where the middleware would give up the whole graph.
    """

    raw = Input(
        doc="Raw exposure of one detector, ADU.",
        name="raw",
        storageClass="RawExposure",
        dimensions=("instrument", "exposure", "detector"),
    )
    bias = PrerequisiteInput(
        doc="Bias left after overscan subtraction, ADU.",
        name="bias",
        storageClass="PixelPlane",
        dimensions=("instrument", "detector"),
        isCalibration=True,
        minimum=0,
    )
    flat = PrerequisiteInput(
        doc="Relative response, normalised to 1.",
        name="flat",
        storageClass="PixelPlane",
        dimensions=("instrument", "detector", "physical_filter"),
        isCalibration=True,
        minimum=0,
    )
    defects = PrerequisiteInput(
        doc="Pixels not to be used: everything but 0.",
        name="defects",
        storageClass="PixelPlane",
        dimensions=("instrument", "detector"),
        isCalibration=True,
        minimum=0,
    )
    post_isr = Output(
        doc="Detector without its signature, electron.",
        name="post_isr",
        storageClass="ArrayMaskedImage",
        dimensions=("instrument", "exposure", "detector"),
    )


class IsrConfig(PipelineTaskConfig, pipelineConnections=IsrConnections):
    """Which calibrations a detector cannot do without."""

    required = ListField[str](
        doc="Calibrations whose absence rejects a detector.",
        default=["bias", "flat"],
        itemCheck=lambda name: name in CALIBRATIONS,
    )


class IsrTask(PipelineTask):
    """Overscan, bias, flat, variance and mask."""

    ConfigClass = IsrConfig
    _DefaultName = "isr"

    def runQuantum(
        self,
        butlerQC: QuantumContext,
        inputRefs: InputQuantizedConnection,
        outputRefs: OutputQuantizedConnection,
    ) -> None:
        """Look for calibrations before any pixel is read."""
        for name in self.config.required:
            if not hasattr(inputRefs, name):
                reject(self, _missing(name, butlerQC.quantum.dataId))
        found = butlerQC.get(inputRefs)
        planes = {name: found.get(name) for name in CALIBRATIONS}
        butlerQC.put(self.run(raw=found["raw"], **planes), outputRefs)

    @timeMethod
    def run(
        self,
        raw: Raw,
        bias: NDArray[Any] | None = None,
        flat: NDArray[Any] | None = None,
        defects: NDArray[Any] | None = None,
    ) -> Struct:
        """Remove the signature.

        Raises
        ------
        UnprocessableDataError
            If no pixel of the detector is usable.
        """
        self.metadata["pixels"] = raw.shape[0] * raw.shape[1]
        try:
            exposure = remove_signature(raw, bias=bias, flat=flat, defects=defects)
        except UnusableImageError as error:
            reject(self, error)
        return Struct(post_isr=exposure)


def _missing(name: str, data_id: DataCoordinate) -> str:
    """Say which calibration is missing."""
    begin = data_id.records["exposure"].timespan.begin
    of_filter = f" in {data_id['physical_filter']}" if name == "flat" else ""
    return f"no {name} valid on {begin.isot[:10]} for detector {data_id['detector']}{of_filter}"
