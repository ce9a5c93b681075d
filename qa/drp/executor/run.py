# mypy: disable-error-code="misc"
# (the middleware is untyped for us: its classes are Any, and subclassing Any is what `misc` complains about)
"""A pipeline run in this process and its workers: what `pipetask run` does, for processes that stay.

The graph is built and written down here, its quanta are executed by persistent workers that write files only, and
what they wrote gets into the registry in one go (see `qa.drp.executor.books`).
"""

from __future__ import annotations

import logging
import resource
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import Butler
from lsst.daf.butler.cli.cliLog import CliLog
from lsst.pipe.base import Pipeline
from lsst.pipe.base.quantum_graph_executor import QuantumGraphExecutor
from lsst.pipe.base.quantum_reports import ExecutionStatus, QuantumReport, Report
from lsst.pipe.base.separable_pipeline_executor import SeparablePipelineExecutor

from qa.drp.accounting import describe, note_outside
from qa.drp.executor.books import make_room, recover, save_graph, settle
from qa.drp.executor.hands import Execution, Hands
from qa.drp.executor.pool import Ended, Pool
from qa.drp.executor.schedule import Schedule
from qa.drp.executor.worker import Answer, GraphButler, QuantumWork, log_of, write_obituary
from qa.errors import DiskFullError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from uuid import UUID

    from lsst.pipe.base.quantum_graph import PredictedQuantumGraph, PredictedQuantumGraphComponents

    from qa.drp.command import PipelineRun

QUANTUM_SECONDS = 3600.0
_LOG = logging.getLogger(__name__)


def execute(
    what: PipelineRun,
    *,
    workers: int = 1,
    tick: Callable[[int, int], None] = lambda _done, _total: None,
    timeout: float = QUANTUM_SECONDS,
    hands: Callable[[GraphButler, Path], Hands] | None = None,
) -> Execution:
    """Run a pipeline, or what is left of it, with a number of workers; each quantum has `timeout` seconds.

    Others than our workers can lend a hand: `hands` is given the Butler and the file of the graph.

    A quantum that raises, takes too long or loses its worker has failed: those that need it are blocked, the others
    go on. Quanta that succeeded in an earlier attempt at the same run are not done again.

    Raises
    ------
    DiskFullError
        If there was no space for what a quantum made.
    EngineError
        If there is nothing that could be run, or a quantum failed in a way that left no trace to be harvested.
    """
    began = _cpu_seconds()
    with Butler.from_config(str(what.repo), writeable=True) as butler:
        recover(butler, what.repo, what.run)
        resumed = not butler.collections.register(what.run)
        home = butler.clone(collections=list(what.inputs), run=what.run)
        steps = SeparablePipelineExecutor(home, clobber_output=True, skip_existing_in=[what.run])
        components = _build(steps, what)
        graph = components.assemble()
        if not len(graph):
            return _nothing_left(butler, what)
        path = save_graph(what.repo, what.run, components)
        _begin(home, graph)
        if resumed:
            make_room(home, graph)
        files = GraphButler.of_graph(what.repo, graph)
        executor: Hands
        if hands is None:
            versions = _versions(home, graph)
            executor = PersistentWorkers(
                files, what.repo, workers=workers, timeout=timeout, tick=tick, meanwhile=versions
            )
        else:
            _versions(home, graph)()
            executor = hands(files, path)
        home.registry.resetConnectionPool()  # workers must not have its connections
        steps.run_pipeline(graph, graph_executor=executor)
        settle(home, graph, files, path)
    note_outside(what.repo, what.run, _cpu_seconds() - began - executor.inside)
    return executor.told()


@dataclass(slots=True)
class PersistentWorkers(QuantumGraphExecutor):
    """Executes the quanta of a graph in processes forked from this one; what they write is not in the registry.

    `meanwhile` is called once, when the first quanta have begun.
    """

    butler: GraphButler
    repo: Path
    workers: int
    timeout: float = QUANTUM_SECONDS
    tick: Callable[[int, int], None] = lambda _done, _total: None
    meanwhile: Callable[[], None] = lambda: None
    inside: float = field(init=False, default=0.0)
    _graph: PredictedQuantumGraph = field(init=False)
    _schedule: Schedule[UUID] = field(init=False)
    _report: Report = field(init=False)
    _failures: dict[UUID, str] = field(init=False, default_factory=dict)
    _again: dict[UUID, tuple[str]] = field(init=False, default_factory=dict)
    _disk_full: bool = field(init=False, default=False)

    def execute(self, graph: PredictedQuantumGraph, *, provenance_graph_file: str | None = None) -> None:
        """Execute all quanta that can be; failures are told by `told` and `getReport`, not raised."""
        if provenance_graph_file is not None:
            msg = "a provenance graph must be aggregated after the run"
            raise NotImplementedError(msg)
        graph.build_execution_quanta()
        self._graph, self._report = graph, Report(qgraphSummary=graph._make_summary())  # noqa: SLF001 - as pipetask
        self._schedule = Schedule(in_order(graph), _needs(graph))
        pool: Pool[UUID, Answer] = Pool(self.workers, QuantumWork(graph, self.butler), self.timeout)
        try:
            self._feed(pool)
            self.meanwhile()
            while self._schedule.open:
                self._feed(pool)
                for ended in pool.wait():
                    self._note(ended)
        finally:
            pool.close()

    def getReport(self) -> Report:  # noqa: N802 - the middleware's name
        """Return what the middleware wants to know of each quantum."""
        return self._report

    def told(self) -> Execution:
        """Return what came of it.

        Raises
        ------
        DiskFullError
            If a quantum failed for want of space: it is done when there is some, and not reported as a failure.
        EngineError
            If a quantum failed without a log that tells why.
        """
        if self._disk_full:
            raise DiskFullError(self.repo)
        for quantum_id, reason in self._failures.items():
            if not self.butler.stored(log_of(self._node(quantum_id)["quantum"])):
                msg = f"{self._name(quantum_id)}: {reason}"
                raise EngineError(msg)
        failed = len(self._failures)
        blocked = len(self._schedule.failed) - failed
        again = tuple(f"{self._name(key)}: done again, its {reason}" for key, (reason,) in self._again.items())
        return Execution(len(self._schedule.done), failed, blocked, again)

    def _feed(self, pool: Pool[UUID, Answer]) -> None:
        """Begin as many quanta as can be."""
        while pool.free and (quantum_id := self._schedule.take()) is not None:
            pool.start(quantum_id)

    def _note(self, ended: Ended[UUID, Answer]) -> None:
        """Draw the consequences of a quantum's end."""
        if ended.answer is None:
            self._mourn(ended)
        elif ended.answer.failure:
            self._disk_full |= ended.answer.disk_full
            self._fail(ended.key, ended.answer.failure, ended.answer.report)
        else:
            self.inside += ended.answer.inside
            self._report.quantaReports.append(ended.answer.report)
            self._schedule.finish(ended.key)
        done, failed = len(self._schedule.done), len(self._schedule.failed)
        counts = (done, failed, self._schedule.remaining, len(self._graph))
        _LOG.info("Executed %d quanta successfully, %d failed and %d remain out of total %d quanta.", *counts)
        self.tick(done + failed, len(self._graph))

    def _mourn(self, ended: Ended[UUID, Answer]) -> None:
        """Write the log that a dead worker could not; what the kernel killed may try once more, by itself."""
        node = self._node(ended.key)
        _LOG.error("%s: %s", self._name(ended.key), ended.death)
        try:
            write_obituary(self.butler, node["quantum"], *self._again.get(ended.key, ()), ended.death)
        except Exception:  # noqa: BLE001 - as on a full disk, which must not stop the others
            _LOG.exception("cannot write the log of %s", self._name(ended.key))
        if ended.by_kernel and ended.key not in self._again:
            self._again[ended.key] = (ended.death,)
            self._schedule.again(ended.key)
            return
        report = QuantumReport.from_exception(
            exception=RuntimeError(ended.death),
            dataId=node["quantum"].dataId,
            taskLabel=node["task_label"],
            quantumId=ended.key,
        )
        self._fail(ended.key, ended.death, report)

    def _fail(self, key: UUID, reason: str, report: QuantumReport) -> None:
        self._failures[key] = reason
        self._report.status = ExecutionStatus.FAILURE
        self._report.quantaReports.append(report)
        for blocked in self._schedule.fail(key):
            _LOG.error("Upstream job failed for task %s, skipping this quantum.", self._name(blocked))
            node = self._node(blocked)
            self._report.quantaReports.append(
                QuantumReport(
                    status=ExecutionStatus.SKIPPED,
                    dataId=node["quantum"].dataId,
                    taskLabel=node["task_label"],
                    quantumId=blocked,
                )
            )

    def _node(self, key: UUID) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._graph.quantum_only_xgraph.nodes[key]
        return found

    def _name(self, key: UUID) -> str:
        node = self._node(key)
        return f"{node['task_label']} {describe(node['quantum'].dataId.required)}"


def in_order(graph: PredictedQuantumGraph) -> list[UUID]:
    """Return the quanta of a graph in the order in which they should begin: late tasks first, then by data ID.

    What is begun is brought to its end, so that what waits for many begins early.
    """
    depth = {label: number for number, label in enumerate(graph.pipeline_graph.tasks)}

    def key(item: tuple[UUID, Mapping[str, Any]]) -> tuple[Any, ...]:
        _, node = item
        return (-depth[node["task_label"]], *node["quantum"].dataId.required_values)

    return [quantum_id for quantum_id, _ in sorted(graph.quantum_only_xgraph.nodes(data=True), key=key)]


def _needs(graph: PredictedQuantumGraph) -> dict[UUID, list[UUID]]:
    xgraph = graph.quantum_only_xgraph
    return {quantum_id: list(xgraph.predecessors(quantum_id)) for quantum_id in xgraph.nodes}


def _build(steps: SeparablePipelineExecutor, what: PipelineRun) -> PredictedQuantumGraphComponents:
    """Build the graph of what is to be done."""
    pipeline = Pipeline.from_uri(str(what.pipeline))
    for label, name, value in what.config:
        pipeline.addConfigOverride(label, name, value)
    builder = steps.make_quantum_graph_builder(pipeline, what.query)
    metadata = {"butler_argument": str(what.repo), "extend_run": True, "skip_existing": True, "data_query": what.query}
    return builder.finish(metadata=metadata, attach_datastore_records=True)


def _begin(butler: Butler, graph: PredictedQuantumGraph) -> None:
    """Make the registry ready for what the quanta will leave; a configuration other than the run's is refused."""
    graph.pipeline_graph.register_dataset_types(butler, include_packages=True)
    graph.write_init_outputs(butler, skip_existing=True)
    graph.write_configs(butler)


def _versions(butler: Butler, graph: PredictedQuantumGraph) -> Callable[[], None]:
    """Return what notes the versions of all packages, a quarter of a second in which workers can begin."""

    def note() -> None:
        graph.write_packages(butler)
        butler.registry.resetConnectionPool()

    return note


def _nothing_left(butler: Butler, what: PipelineRun) -> Execution:
    """Accept an empty graph where everything was done before.

    Raises
    ------
    EngineError
        If nothing was.
    """
    if any(butler.registry.queryDatasets("*_metadata", collections=what.run)):
        return Execution()
    msg = f"nothing to process: the pipeline {what.pipeline.name} finds no data with {what.query}; the log tells more"
    raise EngineError(msg)


def log_like_pipetask() -> None:
    """Log as `pipetask --long-log --log-level INFO --log-level qa=INFO` does, for a process that does nothing else.

    What is logged, and so what is in the logs of quanta, is set for the whole process; warnings become log lines.
    """
    logging.getLogger().handlers.clear()
    CliLog.initLog(longlog=True)
    CliLog.setLogLevels([(None, "INFO"), ("qa", "INFO")])


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
