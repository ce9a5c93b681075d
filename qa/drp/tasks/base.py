"""What the tasks share: calibrations that may be absent, and how a quantum says that its data cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from lsst.pipe.base import UnprocessableDataError
from lsst.pipe.base.connectionTypes import PrerequisiteInput

if TYPE_CHECKING:
    from lsst.pipe.base import PipelineTask

REJECTED = "rejected"
CAVEATS = "caveats"


def reject(task: PipelineTask, reason: object) -> NoReturn:
    """End a quantum without outputs and without failing the ones that could have used them.

    The reason stays in the task's metadata, where the harvest finds it.

    Raises
    ------
    UnprocessableDataError
        Always.
    """
    task.metadata[REJECTED] = str(reason)
    raise UnprocessableDataError(str(reason))


def calibration(name: str, doc: str, *dimensions: str) -> PrerequisiteInput:
    """Return the connection to a plane of an instrument that is valid on the date of an exposure, or absent."""
    return PrerequisiteInput(
        doc=doc,
        name=name,
        storageClass="PixelPlane",
        dimensions=("instrument", *dimensions),
        isCalibration=True,
        minimum=0,
    )


def crosstalk() -> PrerequisiteInput:
    """Return the connection to an instrument's crosstalk."""
    return calibration("crosstalk", "Fractions of crosstalk by distance between amplifiers.")
