"""Where a camera's pipeline runs, and how much of the machine it may take."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from obs_registry.entry import Count, Entry, Line, Size


class Limits(Entry):
    """What one step may take: memory in GiB, processors, processes, and time in hours."""

    memory_gib: Size = 8.0
    cpus: Size = 2.0
    processes: Count = 512
    hours: Size = 4.0


class BatchService(StrEnum):
    """A batch system that BPS submits to."""

    PARSL = "parsl"
    SLURM = "slurm"
    HTCONDOR = "htcondor"


Option = Annotated[str, Field(strict=True)] | Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True)]


class Batch(Entry):
    """A batch system: its options, and how many quanta make one job, so that a job is minutes and not seconds."""

    service: BatchService
    options: dict[Line, Option] = Field(default_factory=dict)
    quanta_per_job: Count = 50


class Runtime(Entry):
    """Where a camera's pipeline runs: this environment unless an image, a set-up script or a batch system is named.

    The batch system comes before the image, and the image before this machine. The set-up script is sourced by bash
    before every command; its path is seen from the folder of the camera's file.
    """

    image: Line | None = None
    setup: Line | None = None
    limits: Limits = Limits()
    batch: Batch | None = None
