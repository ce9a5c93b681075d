"""How what workers wrote gets into the registry: in one go when a graph is done, or when its run is taken up again.

Before the first quantum begins its graph lies on the disk. As long as the graph is called open, what its quanta left
may not be in the registry yet: the next process to work on the run looks at the files. A quantum counts once its log
is there, which the middleware writes last and under its final name only when it is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

from qa.drp.executor.worker import GraphButler, log_of, quanta_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from uuid import UUID

    from lsst.daf.butler import Butler, DatasetRef
    from lsst.pipe.base.quantum_graph import PredictedQuantumGraphComponents

GRAPHS = "graphs"
_OPEN = ".open.qg"


def save_graph(repo: Path, run: str, components: PredictedQuantumGraphComponents) -> Path:
    """Write the graph of a run to the disk, as open, and return its path."""
    folder = repo / GRAPHS / run
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.glob('*.qg'))) + 1:03d}{_OPEN}"
    part = path.with_name(f".part-{path.name}")  # hidden: what a killed process leaves half written is no graph
    components.write(str(part))
    return part.rename(path)


def open_graphs(repo: Path, run: str) -> list[Path]:
    """Return the graphs of a run that may have left more than the registry knows."""
    return sorted((repo / GRAPHS / run).glob(f"[!.]*{_OPEN}"))


def recover(butler: Butler, repo: Path, run: str) -> None:
    """Bring into the registry what the quanta of killed processes left."""
    for path in open_graphs(repo, run):
        graph = PredictedQuantumGraph.read_execution_quanta(str(path))
        # A process may have been killed before it came to that.
        graph.pipeline_graph.register_dataset_types(butler, include_packages=True)
        refs = (ref for quantum in quanta_of(graph) for of_kind in quantum.outputs.values() for ref in of_kind)
        names = sorted({ref.datasetType.name for ref in refs})
        known = {ref.id for name in names for ref in _in_run(butler, name, run)}
        settle(butler, graph, GraphButler.of_graph(repo, graph), path, known=known)


def settle(
    butler: Butler, graph: PredictedQuantumGraph, files: GraphButler, path: Path, *, known: Collection[UUID] = ()
) -> None:
    """Bring into the registry what the quanta of a graph left, and call the graph settled.

    All of it goes in at once or not at all, but for what is `known` already.
    """
    quanta = list(quanta_of(graph))
    logged = files.stored_many([log_of(quantum) for quantum in quanta])
    refs = [
        ref for quantum in quanta if logged[log_of(quantum)] for of_kind in quantum.outputs.values() for ref in of_kind
    ]
    butler.transfer_from(files, [ref for ref in refs if ref.id not in known], transfer="auto")
    path.rename(path.with_name(path.name.replace(_OPEN, ".qg")))


def make_room(butler: Butler, graph: PredictedQuantumGraph) -> None:
    """Take out of the registry what earlier attempts at the quanta of a graph left.

    The files stay: the worker that has the quantum keeps the old log within the new one, and then removes them.
    """
    wanted = {
        (ref.datasetType.name, ref.dataId)
        for quantum in quanta_of(graph)
        for of_kind in quantum.outputs.values()
        for ref in of_kind
    }
    names = sorted({name for name, _ in wanted})
    found = [ref for name in names for ref in _in_run(butler, name, graph.header.output_run)]
    old = [ref for ref in found if (ref.datasetType.name, ref.dataId) in wanted]
    with butler.transaction():
        butler._datastore.forget(old)  # noqa: SLF001 - the public way deletes the files
        butler.registry.removeDatasets(old)


def _in_run(butler: Butler, name: str, run: str) -> list[DatasetRef]:
    return list(butler.query_datasets(name, run, explain=False, limit=None))
