"""The port of what carries out the quanta of a graph, and what came of it: our own workers, or a batch system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lsst.pipe.base.quantum_graph import PredictedQuantumGraph


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of a run: numbers of quanta, and a line for each that was done again after its worker died.

    `blocked` quanta never began, since one that they needed had failed. All are zero when nothing was left to do.
    """

    succeeded: int = 0
    failed: int = 0
    blocked: int = 0
    again: tuple[str, ...] = ()


class Hands(Protocol):
    """Carries out the quanta of a graph, of which `inside` are the CPU seconds that their metadata cover."""

    @property
    def inside(self) -> float:
        """CPU seconds to be taken off what this process and its children spent."""
        ...

    def execute(self, graph: PredictedQuantumGraph, *, provenance_graph_file: str | None = None) -> None:
        """Execute all quanta that can be; what they write is not in the registry."""
        ...

    def told(self) -> Execution:
        """Return what came of it."""
        ...
