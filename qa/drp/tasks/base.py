"""What the tasks share: how a quantum says that its data cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from lsst.pipe.base import UnprocessableDataError

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
