"""The command line by which the middleware processes a repository. Nothing here imports the middleware."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import sys
import sysconfig
import traceback
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from qa.drp.ingest import read_ingested
from qa.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PIPELINE = Path(__file__).resolve().parent / "pipelines" / "drp.yaml"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def process_command(repo: Path, *, run: str, resume: bool = True, pipeline: Path = PIPELINE) -> list[str]:
    """Return the argument list that processes everything in a repository into the collection `run`.

    With `resume`, a run that was begun before is continued: quanta that succeeded are kept, those that failed or
    were interrupted are done again. Exit code 0 means that no quantum failed; quanta whose data were rejected do
    not count as failed.
    """
    facts = read_ingested(repo)
    again = ["--extend-run", "--skip-existing", "--clobber-outputs"] if resume and has_run(repo, run) else []
    return [
        str(pipetask()),
        *("--long-log", "--log-level", "INFO", "--log-level", "qa=INFO"),
        *("run", "--butler-config", str(repo), "--input", f"{facts.instrument}/defaults", "--output-run", run),
        *("--pipeline", str(pipeline)),
        *("--config", f"measure_metrics:camera={facts.camera}"),
        *("--config", f"measure_metrics:dataset={facts.dataset}"),
        *("--data-query", f"instrument='{facts.instrument}' and skymap='{facts.sky_map}'"),
        *("--register-dataset-types", "--processes", "1"),
        *again,
    ]


def run_pipetask(command: Sequence[str]) -> bool:
    """Run a `pipetask` command in this process and tell whether it failed.

    For processes that have imported the middleware already: it is the entry point of the executable, without its
    start-up. What it says goes to stdout and stderr.
    """
    from lsst.ctrl.mpexec.cli.pipetask import cli  # noqa: PLC0415 - see qa.engines.local

    logging.getLogger().handlers.clear()  # pipetask sets up its own
    try:
        cli.main(list(command[1:]), prog_name="pipetask")
    except SystemExit as end:
        return bool(end.code)
    except Exception:  # noqa: BLE001 - as the interpreter would, after which the executable ends with 1
        traceback.print_exc()
        return True
    return False


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
    folders = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    for folder in folders:
        found = shutil.which("pipetask", path=folder)
        if found:
            return Path(found)
    raise MissingExtraError(extra="pipeline", module="lsst.ctrl.mpexec")


def has_run(repo: Path, run: str) -> bool:
    """Tell whether processing into `run` was ever begun; asks the registry directly, which takes a millisecond."""
    # Not read-only: SQLite must undo what a killed process left half written.
    with closing(sqlite3.connect(f"file:{repo / 'gen3.sqlite3'}?mode=rw", uri=True)) as registry:
        rows = registry.execute("SELECT 1 FROM collection WHERE name = ?", (run,)).fetchall()
    return bool(rows)
