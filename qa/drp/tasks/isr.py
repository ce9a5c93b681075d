# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls `runQuantum` by the names of its arguments)
"""Instrument signature removal of one detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.pex.config import ListField
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.isr import Calibrations, remove_signature
from qa.drp.tasks.base import calibration, crosstalk, reject

if TYPE_CHECKING:
    from lsst.daf.butler import DataCoordinate
    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext

    from qa.drp.image import Raw

CALIBRATIONS = ("bias", "dark", "flat", "defects", "crosstalk")


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
    bias = calibration("bias", "Bias left after overscan subtraction, ADU.", "detector")
    dark = calibration("dark", "Dark current, electron/s.", "detector")
    flat = calibration("flat", "Relative response, normalised to 1.", "detector", "physical_filter")
    defects = calibration("defects", "Pixels not to be used: everything but 0.", "detector")
    crosstalk = crosstalk()
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
        default=["bias", "dark", "flat"],
        itemCheck=lambda name: name in CALIBRATIONS,
    )


class IsrTask(PipelineTask):
    """Overscan, crosstalk, bias, dark, flat, variance and mask."""

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
        known = {name: found[name] for name in CALIBRATIONS if found.get(name) is not None}
        exposure = butlerQC.quantum.dataId.records["exposure"]
        seconds = exposure.exposure_time if exposure.dark_time is None else exposure.dark_time
        butlerQC.put(self.run(found["raw"], Calibrations(**known), dark_time=seconds), outputRefs)

    @timeMethod
    def run(self, raw: Raw, known: Calibrations, *, dark_time: float = 0.0) -> Struct:
        """Remove the signature.

        Raises
        ------
        UnprocessableDataError
            If no pixel of the detector is usable.
        """
        self.metadata["pixels"] = raw.shape[0] * raw.shape[1]
        try:
            exposure = remove_signature(raw, known, dark_time=dark_time)
        except UnusableImageError as error:
            reject(self, error)
        return Struct(post_isr=exposure)


def _missing(name: str, data_id: DataCoordinate) -> str:
    """Say which calibration is missing."""
    begin = data_id.records["exposure"].timespan.begin
    of_filter = f" in {data_id['physical_filter']}" if name == "flat" else ""
    return f"no {name} valid on {begin.isot[:10]} for detector {data_id['detector']}{of_filter}"
