"""What the middleware is told to run on a repository, also as a command line. Nothing here imports the middleware."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import sysconfig
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa.drp.ingest import read_ingested
from qa.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

PIPELINE = Path(__file__).resolve().parent / "pipelines" / "drp.yaml"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """A pipeline to be run on a repository.

    `inputs` are collections, the first one searched first; `run` takes the outputs. `query` chooses the data.
    `config` are values of tasks' fields, as (task label, field, value).
    """

    repo: Path
    run: str
    pipeline: Path
    inputs: tuple[str, ...]
    query: str
    config: tuple[tuple[str, str, str], ...] = ()


def processing(repo: Path, *, run: str, pipeline: Path = PIPELINE) -> PipelineRun:
    """Return the run that processes everything in a repository into the collection `run`.

    Raises
    ------
    DocumentError
        If nothing was ingested into the repository.
    """
    facts = read_ingested(repo)
    return PipelineRun(
        repo=repo,
        run=run,
        pipeline=pipeline,
        inputs=(f"{facts.instrument}/defaults",),
        query=f"instrument='{facts.instrument}' and skymap='{facts.sky_map}'",
        config=tuple(
            (task, *value)
            for task in ("measure_metrics", "measure_colours")
            for value in (("camera", facts.camera), ("dataset", facts.dataset))
        ),
    )


def pipetask_command(what: PipelineRun, *, resume: bool = True) -> list[str]:
    """Return the argument list of `pipetask` that carries out a run in one process, in whatever environment.

    With `resume`, a run that was begun before is continued: quanta that succeeded are kept, those that failed or
    were interrupted are done again. Exit code 0 means that no quantum failed; quanta whose data were rejected do
    not count as failed.
    """
    again = ["--extend-run", "--skip-existing", "--clobber-outputs"] if resume and has_run(what.repo, what.run) else []
    values = (("--config", f"{label}:{field}={value}") for label, field, value in what.config)
    return [
        str(pipetask()),
        *("--long-log", "--log-level", "INFO", "--log-level", "qa=INFO"),
        *("run", "--butler-config", str(what.repo), "--input", ",".join(what.inputs), "--output-run", what.run),
        *("--pipeline", str(what.pipeline)),
        *(part for value in values for part in value),
        *("--data-query", what.query),
        *("--register-dataset-types", "--processes", "1"),
        *again,
    ]


def process_command(repo: Path, *, run: str, resume: bool = True, pipeline: Path = PIPELINE) -> list[str]:
    """Return the argument list that processes everything in a repository into the collection `run`."""
    return pipetask_command(processing(repo, run=run, pipeline=pipeline), resume=resume)


def process_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` with all libraries held to one thread: cameras run side by side, one core each.

    Sums of one thread are also the same from night to night.
    """
    return {**environment, **dict.fromkeys(_ONE_THREAD, "1")}


def pipetask() -> Path:
    """Return the `pipetask` of the environment this Python belongs to.

    Raises
    ------
    MissingExtraError
        If there is none.
    """
    return program("pipetask", extra="pipeline", module="lsst.ctrl.mpexec")


def program(name: str, *, extra: str, module: str) -> Path:
    """Return a program of the environment this Python belongs to, which comes with a module of an extra.

    Raises
    ------
    MissingExtraError
        If there is none.
    """
    folders = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    for folder in folders:
        found = shutil.which(name, path=folder)
        if found:
            return Path(found)
    raise MissingExtraError(extra=extra, module=module)


def has_run(repo: Path, run: str) -> bool:
    """Tell whether processing into `run` was ever begun; asks the registry directly, which takes a millisecond."""
    # Not read-only: SQLite must undo what a killed process left half written.
    with closing(sqlite3.connect(f"file:{repo / 'gen3.sqlite3'}?mode=rw", uri=True)) as registry:
        rows = registry.execute("SELECT 1 FROM collection WHERE name = ?", (run,)).fetchall()
    return bool(rows)
