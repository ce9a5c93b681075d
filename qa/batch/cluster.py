"""The plugin by which BPS puts quanta into the jobs that `qa.batch.jobs` made; BPS finds it by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from qa.batch.jobs import BatchJob
from qa.batch.obsqa_cluster import clustered
from qa.documents import read_document, write_document

if TYPE_CHECKING:
    from collections.abc import Sequence

_KIND = "jobs"


def write_jobs(path: Path, jobs: Sequence[BatchJob[UUID]]) -> None:
    """Write down which quanta make a job."""
    write_document(path, _KIND, tuple(jobs), tuple[BatchJob[UUID], ...])


def read_jobs(path: Path) -> tuple[BatchJob[UUID], ...]:
    """Read which quanta make a job.

    Raises
    ------
    DocumentError
        If the file is not what `write_jobs` writes.
    """
    jobs: tuple[BatchJob[UUID], ...] = read_document(path, _KIND, tuple[BatchJob[UUID], ...])
    return jobs


def as_planned(config: Any, qgraph: Any, name: str) -> Any:  # noqa: ANN401 - types of the untyped BPS
    """Return the clustered graph of BPS for the jobs in the file that the configuration names as `obsqaJobs`."""
    return clustered(config, qgraph, name, jobs=read_jobs(Path(config["obsqaJobs"])))
