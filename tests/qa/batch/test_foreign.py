from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from obs_registry.model import Batch, BatchService, Limits
from qa.batch.foreign import ForeignRun, foreign_configuration
from qa.errors import RequestError

QUERY = "instrument = 'HSC' AND visit IN (1, 2)"
ARGV = (
    *("pipetask", "--long-log", "run", "--butler-config", "/data/repo", "--pipeline", "/drp/HSC.yaml#step1"),
    *("--input", "HSC/defaults,refcats", "--output-run", "u/obsqa/hsc/ci/1", "--data-query", QUERY),
    *("--instrument", "lsst.obs.subaru.HyperSuprimeCam", "--config-file", "isr:/runs/7/config/0-0.py"),
    *("--register-dataset-types", "--processes", "2", "--summary", "/runs/7/summary-0.json"),
)
SLURM = Batch(service=BatchService.SLURM, options={"nodes": 2, "cores_per_node": 60}, quanta_per_job=200)


def configuration(*argv: str, graph: Path | None = None, setup: Path | None = None) -> dict[str, object]:
    """Return what BPS is told of a run in somebody else's environment."""
    what = ForeignRun("hsc-ci-0a", Path("/runs/7/batch/1/001"), argv or ARGV, setup, graph)
    return foreign_configuration(what, SLURM, Limits())


def test_bps_is_told_what_pipetask_would_be() -> None:
    """Repository, pipeline, collections, query and configuration; how many processes it would have means nothing."""
    told = configuration()
    assert told["pipelineYaml"] == "/drp/HSC.yaml#step1"
    payload = told["payload"]
    assert isinstance(payload, dict)
    assert (payload["butlerConfig"], payload["inCollection"]) == ("/data/repo", "HSC/defaults,refcats")
    assert payload["outputRun"] == "u/obsqa/hsc/ci/1"
    assert shlex.split(str(told["extraQgraphOptions"])) == [
        *("--data-query", QUERY, "--instrument", "lsst.obs.subaru.HyperSuprimeCam"),
        *("--config-file", "isr:/runs/7/config/0-0.py"),
    ]


def test_everything_is_made_there() -> None:
    """Graph, jobs of the size that was asked for, and the collection of what they leave."""
    told = configuration()
    assert str(told["createQuantumGraph"]).startswith("pipetask ")
    assert (told["clusterAlgorithm"], told["obsqaPerJob"], told["obsqaSlots"]) == ("obsqa_cluster.by_size", 200, 120)
    final = told["finalJob"]
    assert isinstance(final, dict)
    assert " aggregate-graph " in final["command1"]
    assert "qgraphFile" not in told


def test_an_attempt_that_was_cut_off_has_its_graph_again() -> None:
    """So that what it left is known by the same names."""
    assert configuration(graph=Path("/runs/7/batch/1/001/submit/x.qg"))["qgraphFile"].endswith("x.qg")  # type: ignore[attr-defined]


def test_each_job_names_a_summary_of_its_own() -> None:
    """In the submission's folder, by machine and process, after the set-up script."""
    site = configuration(setup=Path("/opt/setup.sh"))["site"]
    assert isinstance(site, dict)
    first, second, _ = site["slurm"]["commandPrefix"].splitlines()
    assert first == "source /opt/setup.sh || exit 126"
    assert second == "export OBSQA_SUMMARY=/runs/7/batch/1/001/summaries/$(hostname)-$$.json"


@pytest.mark.parametrize(
    ("old", "new"),
    [("/data/repo", "/data/$(rm) repo"), ("u/obsqa/hsc/ci/1", "u/x;y"), ("HSC/defaults,refcats", "a b")],
)
def test_names_that_a_shell_would_read_otherwise_are_refused(old: str, new: str) -> None:
    """They stand in commands that BPS makes."""
    with pytest.raises(RequestError, match="choose another"):
        configuration(*(new if part == old else part for part in ARGV))


@pytest.mark.parametrize("query", ["visit = $HOME", "visit IN ({visits})"])
def test_a_query_that_bps_would_fill_in_is_refused(query: str) -> None:
    """Braces and $ are its own variables."""
    with pytest.raises(RequestError, match=r"must be without braces and \$"):
        configuration(*(query if part == QUERY else part for part in ARGV))
