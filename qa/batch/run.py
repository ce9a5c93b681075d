# mypy: disable-error-code="misc"
# (the middleware is untyped for us: its classes are Any, and subclassing Any is what `misc` complains about)
"""A pipeline run whose quanta are carried out by a batch system, through BPS.

Graph, registry, resumption and harvest are those of `qa.drp.executor`, where only the hands are others: what a quantum
left counts once its log is there, wherever it was written.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, assert_never

import yaml
from lsst.pipe.base.quantum_graph_executor import QuantumGraphExecutor

from obs_registry.model import BatchService
from qa.batch import queue
from qa.batch.cluster import write_jobs
from qa.batch.config import Submission, configuration, slots
from qa.batch.ends import read_ends
from qa.batch.jobs import BatchJob, make_jobs
from qa.batch.obsqa_cluster import quanta_of
from qa.batch.submit import CONFIG, Waiting, submit
from qa.drp.accounting import describe
from qa.drp.command import pipetask, process_environment
from qa.drp.executor.hands import Execution
from qa.drp.executor.run import execute, log_like_pipetask
from qa.drp.executor.worker import write_obituary
from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path
    from uuid import UUID

    from lsst.daf.butler import DatasetRef
    from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

    from obs_registry.model import Batch, Limits
    from qa.batch.ends import End
    from qa.drp.command import PipelineRun
    from qa.drp.executor.worker import GraphButler

What = tuple[str, Hashable]
"""Task and data ID of a quantum, which stay when a graph is made anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where quanta are to be carried out: the batch system, the name of the jobs there, the folder of submissions."""

    batch: Batch
    limits: Limits
    name: str
    folder: Path
    waiting: Waiting
    setup: Path | None = None


def distribute(what: PipelineRun, place: Place) -> Execution:
    """Run a pipeline, or what is left of it, on a batch system; quanta that were lost with their job are done again.

    The second time, each of them has a job of its own, so that one that kills its process harms no other.

    Raises
    ------
    EngineError
        If no job could begin, or the time was over before all were done. What was done counts when the run is taken up
        again.
    """
    log_like_pipetask()
    # What a killed night left running would write the files that are looked at now.
    queue.cancel(place.batch.service, place.name, place.folder)
    first = _Round(what, place)
    done = execute(what, hands=first.lend)
    if not first.left:
        return done
    second = _Round(what, place, alone=first.lost, last=True)
    more = execute(what, hands=second.lend)
    again = tuple(f"{name}: done again, its job {reason}" for name, reason in first.told.items())
    return replace(more, succeeded=done.succeeded + more.succeeded, again=again)


@dataclass(slots=True)
class _Round:
    """One submission of what is left of a run; `left` says that quanta are left that could have been done.

    `lost` are those whose job began, and `told` says why they are not done. In the `last` round they failed.
    """

    what: PipelineRun
    place: Place
    alone: Collection[What] = ()
    last: bool = False
    left: bool = False
    lost: set[What] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)

    def lend(self, files: GraphButler, graph: Path) -> BatchHands:
        """Return what carries out the quanta of a graph."""
        return BatchHands(files, graph, self)


@dataclass(slots=True)
class BatchHands(QuantumGraphExecutor):
    """Carries out the quanta of a graph in jobs of a batch system."""

    files: GraphButler
    file: Path
    round: _Round
    inside: float = field(init=False, default=0.0)
    _done: Execution = field(init=False, default=Execution())

    def execute(self, graph: PredictedQuantumGraph, *, provenance_graph_file: str | None = None) -> None:
        """Execute all quanta that can be.

        Raises
        ------
        EngineError
            If no job could begin, or the time was over before all were done.
        """
        if provenance_graph_file is not None:
            msg = "a provenance graph must be aggregated after the run"
            raise NotImplementedError(msg)
        graph.build_execution_quanta()
        place, batch = self.round.place, self.round.place.batch
        jobs = make_jobs(
            quanta_of(graph),
            per_job=batch.quanta_per_job,
            slots=slots(batch, place.limits),
            alone={key for key in graph.quantum_only_xgraph if _what(graph, key) in self.round.alone},
        )
        folder = self._prepare(jobs)
        fault = submit(folder, place.name, service=batch.service, jobs=len(jobs), waiting=place.waiting)
        self._judge(graph, jobs, read_ends(folder), fault)

    def told(self) -> Execution:
        """Return what came of it."""
        return self._done

    def _prepare(self, jobs: tuple[BatchJob[UUID], ...]) -> Path:
        """Write down in a folder of its own what is to be submitted."""
        place, what = self.round.place, self.round.what
        place.folder.mkdir(parents=True, exist_ok=True)
        folder = place.folder / f"{1 + sum(path.is_dir() for path in place.folder.iterdir()):03d}"
        folder.mkdir()
        submission = Submission(
            name=place.name,
            folder=folder.absolute(),
            graph=self.file.absolute(),
            jobs=(folder / "jobs.json").absolute(),
            repo=what.repo.absolute(),
            run=what.run,
            inputs=what.inputs,
            pipetask=pipetask(),
            environment=process_environment({}),
            setup=place.setup,
        )
        write_jobs(submission.jobs, jobs)
        text = yaml.safe_dump(configuration(submission, place.batch, place.limits), sort_keys=False)
        (folder / CONFIG).write_text(text)
        return folder

    def _judge(
        self, graph: PredictedQuantumGraph, jobs: tuple[BatchJob[UUID], ...], ends: Mapping[str, End], fault: str
    ) -> None:
        """Find out what became of each quantum."""
        nodes, place = graph.quantum_only_xgraph, self.round.place
        logged, done = self._stored(graph, "_log"), self._stored(graph, "_metadata")
        job_of = {key: job.name for job in jobs for key in job.quanta}
        open_ = [key for key in nodes if key not in logged and all(need in done for need in nodes.predecessors(key))]
        if open_ and not logged and not ends:
            msg = f"no job began on {place.batch.service}: {fault or f'nobody said why; look into {place.folder}'}"
            raise EngineError(msg)
        lost = {key: str(ends[job_of[key]]) for key in open_ if job_of[key] in ends}
        self.round.left = bool(open_)
        self.round.lost = {_what(graph, key) for key in lost}
        self.round.told = {_name(graph, key): reason for key, reason in lost.items()}
        if self.round.last:
            unknown = "never began, since another one failed" if ends else f"left nothing; look into {place.folder}"
            for key in open_:
                write_obituary(self.files, nodes.nodes[key]["quantum"], f"its job {lost.get(key, unknown)}")
        failed = len(logged) - len(done) + (len(open_) if self.round.last else 0)
        self._done = Execution(len(done), failed, len(nodes) - len(done) - failed)
        spent = sum(end.cpu_seconds for end in ends.values())
        match place.batch.service:
            case BatchService.PARSL:
                self.inside = self._inside(graph)
            case BatchService.SLURM:
                self.inside = self._inside(graph) - spent
            case BatchService.HTCONDOR:
                self.inside = 0.0  # what jobs spend there, nobody tells
            case _:
                assert_never(place.batch.service)

    def _stored(self, graph: PredictedQuantumGraph, suffix: str) -> set[UUID]:
        """Return the quanta that left their data set of a kind."""
        refs = {_output(graph, key, suffix): key for key in graph.quantum_only_xgraph}
        return {refs[ref] for ref, stored in self.files.stored_many(list(refs)).items() if stored}

    def _inside(self, graph: PredictedQuantumGraph) -> float:
        """Return the CPU seconds that the metadata of the quanta cover."""
        found = (_output(graph, key, "_metadata") for key in self._stored(graph, "_metadata"))
        times = [self.files.get(ref)["quantum"] for ref in found]
        return sum(float(one["endCpuTime"]) - float(one["prepCpuTime"]) for one in times)


def _what(graph: PredictedQuantumGraph, key: UUID) -> What:
    node = graph.quantum_only_xgraph.nodes[key]
    return node["task_label"], tuple(node["data_id"].required_values)


def _name(graph: PredictedQuantumGraph, key: UUID) -> str:
    node = graph.quantum_only_xgraph.nodes[key]
    return f"{node['task_label']} {describe(node['data_id'].required)}"


def _output(graph: PredictedQuantumGraph, key: UUID, suffix: str) -> DatasetRef:
    outputs: Any = graph.quantum_only_xgraph.nodes[key]["quantum"].outputs
    return next(refs[0] for kind, refs in outputs.items() if kind.name.endswith(suffix))
