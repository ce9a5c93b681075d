"""A job and its report as files, for steps that are carried out elsewhere: in a container or by a batch system."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from obs_registry.model import Camera, OwnRaws
from qa.documents import read_document, write_document
from qa.engines.base import Job, StepReport
from qa.model import Result, Stage, Step, StepOutcome

if TYPE_CHECKING:
    from obs_registry.model import Dataset

JOB, REPORT = "job", "report"
_AGAIN = "have the engine write it again"


class JobFile(BaseModel):
    """A job as it is written down; a data set that is not in the camera's registry entry comes in `own`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera: Camera
    dataset: str
    own: OwnRaws | None = Field(default=None, validate_default=True)
    stage: Stage
    folder: Path
    cache: Path
    recipes: Path
    keep_pixels: bool = False
    workers: int = Field(default=1, ge=1)
    calibrations_as_of: date | None = None

    @field_validator("own")
    @classmethod
    def _is_the_one_named(cls, own: OwnRaws | None, info: ValidationInfo) -> OwnRaws | None:
        if {"camera", "dataset"} <= info.data.keys():
            camera: Camera = info.data["camera"]
            known = [one.name for one in camera.datasets] if own is None else [own.name]
            if info.data["dataset"] not in known:
                msg = f"the data set must be one of {', '.join(known) or 'none'}, found {info.data['dataset']!r}"
                raise ValueError(msg)
        return own

    def job(self) -> Job:
        """Return the job that is written down."""
        datasets: list[Dataset] = [self.own] if self.own is not None else list(self.camera.datasets)
        return Job(
            step=Step(self.camera.name, self.dataset, self.stage),
            camera=self.camera,
            dataset=next(one for one in datasets if one.name == self.dataset),
            folder=self.folder,
            cache=self.cache,
            recipes=self.recipes,
            keep_pixels=self.keep_pixels,
            workers=self.workers,
            calibrations_as_of=self.calibrations_as_of,
        )


def job_file_of(job: Job) -> JobFile:
    """Return a job as it is written down; paths become absolute."""
    own = job.dataset if isinstance(job.dataset, OwnRaws) else None
    return JobFile(
        camera=job.camera if own is None else job.camera.model_copy(update={"datasets": ()}),
        dataset=job.dataset.name,
        own=own,
        stage=job.step.stage,
        folder=job.folder.absolute(),
        cache=job.cache.absolute(),
        recipes=job.recipes.absolute(),
        keep_pixels=job.keep_pixels,
        workers=job.workers,
        calibrations_as_of=job.calibrations_as_of,
    )


def write_job(path: Path, job: Job) -> None:
    """Write a job down."""
    write_document(path, JOB, job_file_of(job), JobFile)


def read_job(path: Path) -> Job:
    """Read a job.

    Raises
    ------
    DocumentError
        If the file is not what `write_job` writes.
    """
    read: JobFile = read_document(path, JOB, JobFile, action=_AGAIN)
    return read.job()


def report_path(path: Path) -> Path:
    """Return where the report of a job goes: beside its file, `report.json` for `job.json`."""
    return path.with_name(path.name.replace(JOB, REPORT) if JOB in path.name else f"{path.stem}.{REPORT}.json")


def write_report(path: Path, report: StepReport) -> None:
    """Write the report of a job down."""
    write_document(path, REPORT, (report.outcome, report.results, report.caveats), _Report)


def read_report(path: Path) -> StepReport:
    """Read the report of a job.

    Raises
    ------
    DocumentError
        If the file is not what `write_report` writes.
    """
    outcome, results, caveats = read_document(path, REPORT, _Report)
    return StepReport(outcome, results, caveats)


_Report = tuple[StepOutcome, tuple[Result, ...], tuple[str, ...]]
