"""What BPS is told of a run: its submission as the content of a YAML file, for each kind of batch system. Pure."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from obs_registry.model import BatchService
from qa.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from obs_registry.model import Batch, Limits

SERVICES = {
    BatchService.PARSL: "lsst.ctrl.bps.parsl.ParslService",
    BatchService.SLURM: "lsst.ctrl.bps.parsl.ParslService",
    BatchService.HTCONDOR: "lsst.ctrl.bps.htcondor.HTCondorService",
}
"""The plugin of BPS for each batch system; Slurm's nodes are taken by Parsl, which gives them job after job."""

PROJECT = "obsqa"
SUBMITTED = "submit"
"""Folder of a submission that BPS makes itself and keeps its own files in."""
SAME_GRAPH = "cp {inputQgraphFile} {qgraphFile}"
"""What BPS is to do to a graph that is given: it has its run already."""

ENDED = "obsqa: exit"
"""How the line begins that a job of Parsl prints last; after it come its CPU times, as bash's `times` writes them."""

# Taken up by us: the set-up script is the registry's `setup`, and `environment: true` crashes ctrl_bps_parsl.
_OURS = frozenset({"class", "commandPrefix", "run_dir", "environment", "cluster", "clusterAlgorithm"})
# BPS makes shell commands of paths, and looks for variables in them.
_PLAIN = re.compile(r"[\w@%+=:,./-]+")
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission: `name` is that of its jobs, `folder` its own, `jobs` the file that tells which quanta make one.

    The quanta are those of the file `graph`; `environment` is set for each job.
    """

    name: str
    folder: Path
    graph: Path
    jobs: Path
    repo: Path
    run: str
    inputs: tuple[str, ...]
    pipetask: Path
    environment: Mapping[str, str]
    setup: Path | None = None


def configuration(what: Submission, batch: Batch, limits: Limits) -> dict[str, Any]:
    """Return the content of the YAML file that `bps submit` and `bps prepare` take.

    The quantum graph is made before, and what the jobs leave is brought into the registry afterwards, both by obsqa:
    BPS is told to do neither.

    Raises
    ------
    RequestError
        If an option is not what it should be, or a path has characters that are not safe in a shell.
    """
    for path in (what.folder, what.graph, what.jobs, what.repo, what.pipetask):
        plain(path)
    exports = [f"export {name}={shlex.quote(value)}" for name, value in what.environment.items()]
    site = site_of(batch, limits, folder=what.folder, setup=what.setup, prepare=exports)
    return {
        **head(batch, name=what.name, folder=what.folder),
        "qgraphFile": str(what.graph),
        "updateQuantumGraph": SAME_GRAPH,
        "clusterAlgorithm": "qa.batch.cluster.as_planned",
        "obsqaJobs": str(what.jobs),
        "runQuantumCommand": (
            f"{what.pipetask} --long-log --log-level INFO --log-level qa=INFO run-qbb {{butlerConfig}} {{qgraphFile}}"
            " --qgraph-node-id {qgraphNodeId}"
        ),
        "payload": payload(what.name, repo=str(what.repo), inputs=",".join(what.inputs), run=what.run)
        | {"runInit": False},
        "finalJob": {"whenRun": "NEVER"},
        "environment": dict(what.environment),
        "site": {batch.service.value: site},
    }


def head(batch: Batch, *, name: str, folder: Path) -> dict[str, Any]:
    """Return what every submission says: by which plugin, under which name, in which folder."""
    return {
        "wmsServiceClass": SERVICES[batch.service],
        "computeSite": batch.service.value,
        "project": PROJECT,
        "campaign": name,
        "operator": PROJECT,
        "submitPath": str(folder / SUBMITTED),
        "parsl": {"log_level": "INFO"},
    }


def payload(name: str, *, repo: str, inputs: str, run: str) -> dict[str, Any]:
    """Return what is said of data: repository, input collections and the run that takes the outputs."""
    return {
        "payloadName": name,
        "butlerConfig": repo,
        "inCollection": inputs,
        "dataQuery": "",
        "output": run,
        "outputRun": run,
    }


def slots(batch: Batch, limits: Limits) -> int:
    """Return how many jobs can run at once, as far as the options tell.

    Raises
    ------
    RequestError
        If an option is not a whole number.
    """
    match batch.service:
        case BatchService.PARSL:
            return _whole(batch, "cores", max(1, int(limits.cpus)))
        case BatchService.SLURM:
            return _whole(batch, "nodes", 1) * _whole(batch, "cores_per_node", 1)
        case BatchService.HTCONDOR:
            return _whole(batch, "slots", 1)
        case _:
            assert_never(batch.service)


def walltime(hours: float) -> str:
    """Write a time as Slurm has it, `HH:MM:SS`."""
    seconds = round(hours * 3600)
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def site_of(
    batch: Batch, limits: Limits, *, folder: Path, setup: Path | None, prepare: Sequence[str]
) -> dict[str, Any]:
    """Return the section of the place where jobs run; jobs of Parsl are set up, then `prepare` lines of bash are run.

    Raises
    ------
    RequestError
        If an option is not what it should be.
    """
    taken = sorted(_OURS & batch.options.keys())
    if taken:
        msg = f"runtime.batch.options must not have {taken[0]}, which obsqa sets itself; leave it out"
        raise RequestError(msg)
    options: dict[str, Any] = {name: value for name, value in batch.options.items() if name != "slots"}
    by_parsl = {"retries": 0, "run_dir": str(folder / "runinfo"), "commandPrefix": _prefix(setup, prepare)}
    match batch.service:
        case BatchService.PARSL:
            cores = slots(batch, limits)
            return {"class": "lsst.ctrl.bps.parsl.sites.Local", **by_parsl, **options, "cores": cores}
        case BatchService.SLURM:
            nodes = {"nodes": _whole(batch, "nodes", 1), "walltime": walltime(limits.hours)}
            return {"class": "lsst.ctrl.bps.parsl.sites.Slurm", **by_parsl, **nodes, **_slurm(options)}
        case BatchService.HTCONDOR:
            return options
        case _:
            assert_never(batch.service)


def _slurm(options: dict[str, Any]) -> dict[str, Any]:
    """Turn the option `partition`, which ctrl_bps_parsl does not know, into a line of the submission script."""
    partition = options.pop("partition", None)
    if partition is None:
        return options
    if not _WORD.fullmatch(str(partition)):
        msg = f"runtime.batch.options.partition must be the name of a partition, found {partition!r}"
        raise RequestError(msg)
    lines = [f"#SBATCH --partition={partition}", *filter(None, [options.get("scheduler_options")])]
    return {**options, "scheduler_options": "\n".join(lines)}


def _prefix(setup: Path | None, prepare: Sequence[str]) -> str:
    """Return what each job of Parsl does first, in bash; it tells its end and its CPU time."""
    first = [f"source {shlex.quote(str(setup))} || exit 126"] if setup else []
    return "\n".join([*first, *prepare, f"trap 'echo \"{ENDED} $?\"; times' EXIT"])


def plain(path: Path | str) -> None:
    """Insist that a path means the same in a shell and to BPS.

    Raises
    ------
    RequestError
        If it has characters that do not.
    """
    if not _PLAIN.fullmatch(str(path)):
        msg = (
            f"for a batch system, paths must be of letters, digits and @%+=:,./-_ alone, found {str(path)!r};"
            " choose another folder"
        )
        raise RequestError(msg)


def _whole(batch: Batch, name: str, default: int) -> int:
    value = batch.options.get(name, default)
    if isinstance(value, int) and value > 0:
        return value
    msg = f"runtime.batch.options.{name} must be a whole number above 0, found {value!r}"
    raise RequestError(msg)
