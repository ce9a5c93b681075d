# mypy: disable-error-code="misc,untyped-decorator,call-arg"
# (the middleware is untyped for us: its classes and decorators are Any)
# ruff: noqa: N802, N803
# (the middleware calls methods and arguments by its own names)
"""Master calibrations of one detector, from the calibration exposures of one group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lsst.pipe.base import (
    NoWorkFound,
    PipelineTask,
    PipelineTaskConfig,
    PipelineTaskConnections,
    Struct,
)
from lsst.pipe.base.connectionTypes import Input, Output
from lsst.utils.timer import timeMethod

from qa.drp.algorithms.defects import find_defects, unstable_pixels
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.masters import Frame, Master, master_bias, master_dark, master_flat
from qa.drp.tasks.base import CAVEATS, crosstalk, reject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lsst.pipe.base import InputQuantizedConnection, OutputQuantizedConnection, QuantumContext
    from numpy.typing import NDArray

_PER_GROUP = ("instrument", "group", "detector")
_PER_FILTER = (*_PER_GROUP, "physical_filter")


def _raws(kind: str) -> Input:
    return Input(
        doc=f"Raw exposures of one detector; those that are no {kind} are left out.",
        name="raw",
        storageClass="RawExposure",
        dimensions=("instrument", "exposure", "detector"),
        multiple=True,
        deferLoad=True,
    )


def _plane(kind: type, name: str, doc: str, dimensions: tuple[str, ...] = _PER_GROUP, **more: Any) -> Any:  # noqa: ANN401 - a connection
    return kind(doc=doc, name=name, storageClass="PixelPlane", dimensions=dimensions, **more)


class _Connections(PipelineTaskConnections, dimensions=_PER_GROUP):
    """Base of those who start from raw exposures of one kind."""

    kind = "any"

    def adjustQuantum(self, inputs: Any, outputs: Any, label: str, data_id: Any) -> Any:  # noqa: ANN401
        """Take the exposures of the right kind; without any there is nothing to do."""
        connection, refs = inputs["raw"]
        chosen = [ref for ref in refs if ref.dataId.records["exposure"].observation_type == self.kind]
        if not chosen:
            msg = f"no {self.kind} exposure"
            raise NoWorkFound(msg)
        adjusted = {"raw": (connection, chosen)}
        super().adjustQuantum({**inputs, **adjusted}, outputs, label, data_id)
        return adjusted, {}


class MasterBiasConnections(_Connections, dimensions=_PER_GROUP):
    """From biases to the master bias."""

    kind = "bias"
    raw = _raws("bias")
    crosstalk = crosstalk()
    master = _plane(Output, "master_bias", "Bias left after overscan subtraction, ADU.")
    unstable = _plane(Output, "unstable_pixels", "Pixels that change from one bias to the next: 1.")


class MasterDarkConnections(_Connections, dimensions=_PER_GROUP):
    """From darks to the master dark."""

    kind = "dark"
    raw = _raws("dark")
    crosstalk = crosstalk()
    bias = _plane(Input, "master_bias", "Bias left after overscan subtraction, ADU.")
    master = _plane(Output, "master_dark", "Dark current, electron/s.")


class MasterFlatConnections(_Connections, dimensions=_PER_FILTER):
    """From flats of one filter to the master flat."""

    kind = "flat"
    raw = _raws("flat")
    crosstalk = crosstalk()
    bias = _plane(Input, "master_bias", "Bias left after overscan subtraction, ADU.")
    master = _plane(Output, "master_flat", "Relative response, of median 1.", _PER_FILTER)


class FindDefectsConnections(PipelineTaskConnections, dimensions=_PER_GROUP):
    """From master calibrations to a mask."""

    unstable = _plane(Input, "unstable_pixels", "Pixels that change from one bias to the next: 1.")
    dark = _plane(Input, "master_dark", "Dark current, electron/s.")
    flats = _plane(Input, "master_flat", "Relative response in each filter.", _PER_FILTER, multiple=True, minimum=0)
    defects = _plane(Output, "master_defects", "Pixels not to be used: flags of qa.drp.algorithms.defects.Defect.")


class MasterBiasConfig(PipelineTaskConfig, pipelineConnections=MasterBiasConnections):
    """Nothing to configure."""


class MasterDarkConfig(PipelineTaskConfig, pipelineConnections=MasterDarkConnections):
    """Nothing to configure."""


class MasterFlatConfig(PipelineTaskConfig, pipelineConnections=MasterFlatConnections):
    """Nothing to configure."""


class FindDefectsConfig(PipelineTaskConfig, pipelineConnections=FindDefectsConnections):
    """Nothing to configure."""


class _MasterTask(PipelineTask):
    """Base of those who combine raw exposures: reads them and keeps what the metadata should tell."""

    ConfigClass = PipelineTaskConfig
    _DefaultName = "master"

    def runQuantum(
        self,
        butlerQC: QuantumContext,
        inputRefs: InputQuantizedConnection,
        outputRefs: OutputQuantizedConnection,
    ) -> None:
        """Read the frames with the times that the registry knows."""
        found = butlerQC.get(inputRefs)
        handles = sorted(found.pop("raw"), key=lambda handle: int(handle.dataId["exposure"]))
        frames = []
        for handle in handles:
            exposure = handle.dataId.records["exposure"]
            seconds = exposure.exposure_time if exposure.dark_time is None else exposure.dark_time
            name = f"{exposure.observation_type} {exposure.id}"
            frames.append(Frame(name, handle.get(), seconds))
        butlerQC.put(self.run(frames, **found), outputRefs)

    def combine(self, how: Callable[..., Master], frames: Sequence[Frame], **known: Any) -> Master:  # noqa: ANN401
        """Combine frames, and tell in the metadata what came of it.

        Raises
        ------
        UnprocessableDataError
            If too few of the frames are usable.
        """
        self.metadata["pixels"] = sum(frame.raw.shape[0] * frame.raw.shape[1] for frame in frames)
        try:
            master = how(frames, **{name: value for name, value in known.items() if value is not None})
        except UnusableImageError as error:
            reject(self, error)
        self.metadata["frames"], self.metadata["noise"] = master.frames, master.noise
        if master.caveats:
            self.metadata[CAVEATS] = list(master.caveats)
        return master


class MasterBiasTask(_MasterTask):
    """Clipped mean of biases."""

    ConfigClass = MasterBiasConfig
    _DefaultName = "master_bias"

    @timeMethod
    def run(self, frames: Sequence[Frame], crosstalk: NDArray[Any] | None = None) -> Struct:
        """Combine biases."""
        master = self.combine(master_bias, frames, crosstalk=crosstalk)
        return Struct(master=master.image, unstable=unstable_pixels(master).astype(np.uint8))


class MasterDarkTask(_MasterTask):
    """Clipped mean of darks."""

    ConfigClass = MasterDarkConfig
    _DefaultName = "master_dark"

    @timeMethod
    def run(self, frames: Sequence[Frame], bias: NDArray[Any], crosstalk: NDArray[Any] | None = None) -> Struct:
        """Combine darks."""
        return Struct(master=self.combine(master_dark, frames, bias=bias, crosstalk=crosstalk).image)


class MasterFlatTask(_MasterTask):
    """Clipped mean of flats."""

    ConfigClass = MasterFlatConfig
    _DefaultName = "master_flat"

    @timeMethod
    def run(self, frames: Sequence[Frame], bias: NDArray[Any], crosstalk: NDArray[Any] | None = None) -> Struct:
        """Combine flats of one filter."""
        return Struct(master=self.combine(master_flat, frames, bias=bias, crosstalk=crosstalk).image)


class FindDefectsTask(PipelineTask):
    """Hot, dead and unstable pixels, and bad columns."""

    ConfigClass = FindDefectsConfig
    _DefaultName = "find_defects"

    @timeMethod
    def run(self, unstable: NDArray[Any], dark: NDArray[Any], flats: Sequence[NDArray[Any]] = ()) -> Struct:
        """Find the defects."""
        try:
            defects = find_defects(unstable != 0, dark, flats)
        except UnusableImageError as error:
            reject(self, error)
        self.metadata["defects"] = int(np.count_nonzero(defects))
        return Struct(defects=defects)
