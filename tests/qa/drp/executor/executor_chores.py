# mypy: disable-error-code="misc,call-arg"
# ruff: noqa: N802, N803 - the middleware's names
"""Tasks that do as they are told: what executors must cope with, detector by detector."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from typing import Any

from lsst.pex.config import DictField, Field
from lsst.pipe.base import (
    AnnotatedPartialOutputsError,
    NoWorkFound,
    PipelineTask,
    PipelineTaskConfig,
    PipelineTaskConnections,
    Struct,
    UnprocessableDataError,
)
from lsst.pipe.base.connectionTypes import Input, Output

ERRORS = {
    "raise": ValueError("the chore is too hard"),
    "nothing": NoWorkFound("no work"),
    "reject": UnprocessableDataError("the data are bad"),
}
SIGNALS = {"die": signal.SIGKILL, "crash": signal.SIGSEGV}
DETECTOR, INSTRUMENT = ("instrument", "detector"), ("instrument",)


class ChoreConnections(PipelineTaskConnections, dimensions=DETECTOR):
    """A number in, two numbers out."""

    start = Input(doc="A number.", name="start", storageClass="StructuredDataDict", dimensions=DETECTOR)
    first = Output(doc="A number.", name="first", storageClass="StructuredDataDict", dimensions=DETECTOR)
    second = Output(doc="A number.", name="second", storageClass="StructuredDataDict", dimensions=DETECTOR)


class ChoreConfig(PipelineTaskConfig, pipelineConnections=ChoreConnections):
    """What detectors are to suffer."""

    orders = DictField[int, str](doc="What to do with a detector.", default={})
    marks = Field[str](doc="Folder where a file per attempt is left.", default="")


class ChoreTask(PipelineTask):
    """Doubles a number, unless ordered otherwise; its outputs are two, so that one can be missing."""

    ConfigClass = ChoreConfig
    _DefaultName = "chore"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        """Write one output, obey, write the other."""
        detector = butlerQC.quantum.dataId["detector"]
        value = butlerQC.get(inputRefs.start)["value"]
        self.log.warning("chore of detector %d", detector)
        tried = self._mark(detector)
        butlerQC.put({"value": 2 * value}, outputRefs.first)
        self._obey(self.config.orders.get(detector, ""), tried)
        butlerQC.put({"value": 3 * value}, outputRefs.second)

    def _mark(self, detector: int) -> int:
        """Leave a mark and return how many there were."""
        folder = Path(self.config.marks)
        tried = len(list(folder.glob(f"{detector}-*")))
        (folder / f"{detector}-{tried}-{os.getpid()}").touch()
        return tried

    def _obey(self, order: str, tried: int) -> None:
        if order.endswith(" once"):
            order = "" if tried else order.removesuffix(" once")
        if order == "fill the disk":
            msg = "failed to serialize"
            raise RuntimeError(msg) from OSError(errno.ENOSPC, "No space left on device")
        if order in ERRORS:
            raise ERRORS[order]
        if order == "partial":
            raise AnnotatedPartialOutputsError from ValueError("half is done")
        if order in SIGNALS:
            os.kill(os.getpid(), SIGNALS[order])
        time.sleep({"hang": 600.0, "pause": 0.3}.get(order, 0.0))


class SumConnections(PipelineTaskConnections, dimensions=INSTRUMENT):
    """Numbers in, their sum out."""

    seconds = Input(
        doc="Numbers.", name="second", storageClass="StructuredDataDict", dimensions=DETECTOR, multiple=True
    )
    total = Output(doc="Their sum.", name="total", storageClass="StructuredDataDict", dimensions=INSTRUMENT)


class SumConfig(PipelineTaskConfig, pipelineConnections=SumConnections):
    """Nothing to configure."""


class SumTask(PipelineTask):
    """Adds up what is there."""

    ConfigClass = SumConfig
    _DefaultName = "sum"

    def run(self, seconds: list[dict[str, int]]) -> Struct:
        """Add up."""
        return Struct(total={"value": sum(one["value"] for one in seconds)})
