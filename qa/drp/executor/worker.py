# mypy: disable-error-code="misc"
# (the middleware is untyped for us: its classes are Any, and subclassing Any is what `misc` complains about)
"""What a worker does with a quantum, and the Butler it does it with: files are written, no registry is touched."""

from __future__ import annotations

import errno
import logging
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import QuantumBackedButler
from lsst.daf.butler.logging import ButlerLogRecord, ButlerLogRecords
from lsst.pipe.base import ExceptionInfo
from lsst.pipe.base.log_capture import _ExecutionLogRecordsExtra  # the middleware's own form of a log's end
from lsst.pipe.base.quantum_reports import QuantumReport
from lsst.pipe.base.single_quantum_executor import SingleQuantumExecutor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from uuid import UUID

    from lsst.daf.butler import DatasetRef, Quantum
    from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

_LOG = logging.getLogger(__name__)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")
"""How numpy, which writes the pixels of FITS files, words a full disk."""


class GraphButler(QuantumBackedButler):
    """Reads and writes the data sets of all quanta of a graph, where the middleware makes a Butler for each quantum."""

    def close(self) -> None:
        """Stay open: the next quantum needs it."""

    @classmethod
    def of_graph(cls, repo: Path, graph: PredictedQuantumGraph) -> GraphButler:
        """Make the Butler of a graph whose quanta carry the datastore records of what they begin with."""
        quanta = list(quanta_of(graph))
        records: dict[str, Any] = {}
        for quantum in quanta:
            for name, found in (quantum.datastore_records or {}).items():
                records[name].update(found) if name in records else records.update({name: found})
        made: GraphButler = cls.from_predicted(
            str(repo),
            [ref.id for quantum in quanta for ref in (*_flat(quantum.inputs), *quantum.initInputs.values())],
            [ref.id for quantum in quanta for ref in _flat(quantum.outputs)],
            graph.pipeline_graph.universe,
            records,
            dataset_types={node.name: node.dataset_type for node in graph.pipeline_graph.dataset_types.values()},
        )
        return made


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a quantum: the middleware's report, why it failed, and the CPU seconds that its metadata cover.

    `disk_full` tells of one that failed for want of space: nothing is wrong with it, and it can be done again.
    """

    report: QuantumReport
    failure: str = ""
    inside: float = 0.0
    disk_full: bool = False


class QuantumWork:
    """Executes quanta of one graph, as `pipetask run` does: logs, metadata, and what an earlier attempt left."""

    def __init__(self, graph: PredictedQuantumGraph, butler: GraphButler) -> None:
        self._nodes = graph.quantum_only_xgraph.nodes
        self._executor = SingleQuantumExecutor(
            limited_butler_factory=lambda _quantum: butler,
            clobber_outputs=True,
            job_metadata={"parent": os.getpid()},
        )

    def __call__(self, quantum_id: UUID) -> Answer:
        """Execute a quantum; an error in it is an answer."""
        node = self._nodes[quantum_id]
        task, quantum = node["pipeline_node"], node["quantum"]
        try:
            result = self._executor.execute(task, quantum, quantum_id=quantum_id)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a quantum, the others go on
            _LOG.exception("%s (%s@%s) failed.", quantum_id, task.label, quantum.dataId)
            report = QuantumReport.from_exception(
                exception=error, dataId=quantum.dataId, taskLabel=task.label, quantumId=quantum_id
            )
            return Answer(report, failure=f"{type(error).__name__}: {error}", disk_full=is_disk_full(error))
        return Answer(result.report, inside=_inside(result.task_metadata))


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether an error comes from a disk without space, whatever it was wrapped into on its way."""
    seen: set[int] = set()  # exceptions that are raised again can lie in a circle
    while error is not None and id(error) not in seen:
        if isinstance(error, OSError) and (error.errno in _FULL or _CUT_SHORT.search(str(error))):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def quanta_of(graph: PredictedQuantumGraph) -> Iterable[Quantum]:
    """Yield the quanta of a graph."""
    graph.build_execution_quanta()
    return (node["quantum"] for _, node in graph.quantum_only_xgraph.nodes(data=True))


def log_of(quantum: Quantum) -> DatasetRef:
    """Return where the log of a quantum goes. It is written last, whatever comes of the quantum."""
    return next(refs[0] for kind, refs in quantum.outputs.items() if kind.name.endswith("_log"))


def write_obituary(butler: GraphButler, quantum: Quantum, *reasons: str) -> None:
    """Write the log of a quantum whose worker could not: why the last attempt failed, and those before it."""
    ref = log_of(quantum)
    extra = _extra(reasons[-1])
    if butler.stored(ref):
        earlier = butler.get(ref)
        butler.pruneDatasets([ref], disassociate=True, unstore=True, purge=True)
        extra.attach_previous_attempt(earlier)
    elif len(reasons) > 1:  # the last attempt had taken it away before it died
        extra.previous_attempts.append(_extra(reasons[0]))
    line = logging.LogRecord("qa.drp.executor", logging.ERROR, __file__, 0, reasons[-1], None, None)
    records = ButlerLogRecords([ButlerLogRecord.from_record(line)])
    records.extra = extra.model_dump()
    butler.put(records, ref)
    butler._datastore.forget([ref])  # noqa: SLF001 - the next worker may write another


def _extra(reason: str) -> _ExecutionLogRecordsExtra:
    error = ExceptionInfo(type_name="qa.drp.executor.WorkerError", message=reason, metadata={})
    return _ExecutionLogRecordsExtra(exception=error)


def _flat(refs: Any) -> Iterable[DatasetRef]:  # noqa: ANN401 - a mapping of the untyped middleware
    return (ref for of_kind in refs.values() for ref in of_kind)


def _inside(metadata: Any) -> float:  # noqa: ANN401
    """Return the CPU seconds between a quantum's first and last entry in its metadata."""
    times = metadata["quantum"] if metadata else {}
    if "endCpuTime" not in times:
        return 0.0
    return float(times["endCpuTime"]) - float(times["prepCpuTime"])
