"""The plugin by which BPS puts quanta into jobs where there is no obsqa: this file and `jobs.py` are put beside it."""

from __future__ import annotations

from typing import Any

try:
    from qa.batch.jobs import Quantum, make_jobs
except ImportError:  # where BPS runs it
    from jobs import Quantum, make_jobs  # type: ignore[import-not-found,no-redef]


def by_size(config: Any, qgraph: Any, name: str) -> Any:  # noqa: ANN401 - types of the untyped BPS
    """Return the clustered graph of BPS with jobs of `obsqaPerJob` quanta, for `obsqaSlots` cores."""
    per_job, slots = int(config["obsqaPerJob"]), int(config["obsqaSlots"])
    return clustered(config, qgraph, name, jobs=make_jobs(quanta_of(qgraph), per_job=per_job, slots=slots))


def clustered(config: Any, qgraph: Any, name: str, *, jobs: Any) -> Any:  # noqa: ANN401
    """Return the clustered graph of BPS for some jobs."""
    from lsst.ctrl.bps import ClusteredQuantumGraph, QuantaCluster  # noqa: PLC0415 - an extra
    from lsst.ctrl.bps.quantum_clustering_funcs import add_cluster_dependencies  # noqa: PLC0415

    graph = ClusteredQuantumGraph(name, qgraph, config[".bps_defined.runQgraphFile"])
    home = {}
    for job in jobs:
        cluster = QuantaCluster(job.name, job.label)
        for quantum in job.quanta:
            cluster.add_quantum(quantum, qgraph.quantum_only_xgraph.nodes[quantum]["task_label"])
            home[quantum] = job.name
        graph.add_cluster(cluster)
    for cluster in list(graph.clusters()):
        add_cluster_dependencies(graph, cluster, home)
    graph.validate()
    return graph


def quanta_of(graph: Any) -> list[Quantum[Any]]:  # noqa: ANN401
    """Return the quanta of a graph, in the order of the tasks."""
    nodes = graph.quantum_only_xgraph
    return [
        Quantum(key, label, dict(nodes.nodes[key]["data_id"].mapping), tuple(nodes.predecessors(key)))
        for label in graph.pipeline_graph.tasks
        for key in graph.quanta_by_task.get(label, {}).values()
    ]
