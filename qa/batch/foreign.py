"""What BPS is told of a step in somebody else's environment, where there is no obsqa: it does all of it there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa.batch.config import SAME_GRAPH, head, payload, plain, site_of, slots
from qa.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from obs_registry.model import Batch, Limits

CLUSTER = "obsqa_cluster"
"""Module that puts quanta into jobs, put beside the configuration where `bps` runs."""

SUMMARY = "OBSQA_SUMMARY"
"""Variable of a job that names the file its summary goes to."""

_LOGGED = "--long-log --log-level INFO"
# Programs are those on PATH after the set-up script; BPS itself would look for them in folders that EUPS names.
_COMMANDS = {
    "createQuantumGraph": (
        f"pipetask {_LOGGED} qgraph --butler-config {{butlerConfig}} --input {{inCollection}}"
        " --output-run {outputRun} --pipeline {pipelineYaml}"
        " --save-qgraph {qgraphFile} --qgraph-datastore-records {extraQgraphOptions}"
    ),
    "runQuantumCommand": (
        f"pipetask {_LOGGED} run-qbb {{butlerConfig}} {{qgraphFile}} --qgraph-node-id {{qgraphNodeId}}"
        f" --summary ${{{SUMMARY}}}"
    ),
    "pipetask": {
        "pipetaskInit": {"runQuantumCommand": f"pipetask {_LOGGED} pre-exec-init-qbb {{butlerConfig}} {{qgraphFile}}"}
    },
    "finalJob": {
        "requestCpus": 1,
        "requestMemory": 4096,
        "command1": f"butler {_LOGGED} aggregate-graph {{qgraphFile}} {{butlerConfig}} -j 1 --register-dataset-types",
    },
}
_ENDED = frozenset({"--processes", "--summary"})


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """One submission: `name` is that of its jobs, `folder` its own; `graph` is that of an attempt to be continued.

    `argv` are the arguments of `pipetask run` that would do the same on one machine.
    """

    name: str
    folder: Path
    argv: Sequence[str]
    setup: Path | None = None
    graph: Path | None = None


def foreign_configuration(what: ForeignRun, batch: Batch, limits: Limits) -> dict[str, Any]:
    """Return the content of the YAML file that `bps submit` takes.

    Raises
    ------
    RequestError
        If an option is not what it should be, or a name has characters that are not safe in a shell.
    """
    named, others = _arguments(what.argv)
    for text in (str(what.folder), *named.values()):
        plain(text.replace("#", ""))
    summary = f"export {SUMMARY}={what.folder / 'summaries'}/$(hostname)-$$.json"
    site = site_of(batch, limits, folder=what.folder, setup=what.setup, prepare=[summary])
    repo, inputs, run = (named[flag] for flag in ("--butler-config", "--input", "--output-run"))
    again = {"qgraphFile": str(what.graph), "updateQuantumGraph": SAME_GRAPH} if what.graph else {}
    return {
        **head(batch, name=what.name, folder=what.folder),
        **again,
        **_COMMANDS,
        "pipelineYaml": named["--pipeline"],
        "extraQgraphOptions": _options(others),
        "clusterAlgorithm": f"{CLUSTER}.by_size",
        "obsqaPerJob": batch.quanta_per_job,
        "obsqaSlots": slots(batch, limits),
        "payload": payload(what.name, repo=repo, inputs=inputs, run=run),
        "site": {batch.service.value: site},
    }


def _options(others: Sequence[str]) -> str:
    """Return options of the command that makes a graph, which no shell reads, but BPS fills in variables.

    Raises
    ------
    RequestError
        If there is what BPS would take for a variable.
    """
    wrong = [one for one in others if set(one) & set("{}$")]
    if wrong:
        msg = f"for a batch system, query and configuration must be without braces and $, found {wrong[0]!r}"
        raise RequestError(msg)
    return shlex.join(others)


def _arguments(argv: Sequence[str]) -> tuple[Mapping[str, str], list[str]]:
    """Return what `pipetask run` is given by name, and what of it the making of a graph is given besides."""
    known = {"--butler-config", "--pipeline", "--input", "--output-run"}
    named, others = {}, []
    rest = iter(argv[argv.index("run") + 1 :])
    for flag in rest:
        if flag in known:
            named[flag] = next(rest)
        elif flag in _ENDED:
            next(rest)
        elif flag in {"--data-query", "--instrument", "--config-file", "--config"}:
            others += [flag, next(rest)]
    return named, others
