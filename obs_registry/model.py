"""What a camera's registry entry says: pydantic models that refuse unknown keys."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class Entry(BaseModel):
    """Base of all registry models: frozen, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sponsor(Entry):
    """The team that maintains a camera, and how to reach it."""

    team: str
    contact: str
    deputy: str


class Lease(Entry):
    """From when until when the sponsor's promise holds."""

    granted: date
    until: date

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until <= self.granted:
            msg = f"lease must end after it was granted ({self.granted}), got until {self.until}"
            raise ValueError(msg)
        return self


class Package(Entry):
    """The obs_ package of a camera; commits to `watches` concern only this camera."""

    name: str
    repository: str
    watches: tuple[str, ...] = ()


class Instrument(Entry):
    """Facts about the real instrument. Sizes in pixels, pitch in micron, scales in arcsec."""

    name: str
    translator: str | None = None
    detectors: PositiveInt
    detector_size: tuple[PositiveInt, PositiveInt]
    pixel_um: PositiveFloat
    plate_scale: PositiveFloat
    pixel_scale: PositiveFloat
    filters: dict[str, str]


class Lane(StrEnum):
    """Which lane a data set belongs to."""

    COMMIT = "commit"
    NIGHTLY = "nightly"


class Dataset(Entry):
    """Data to process: here a simulated twin of the camera drawn from a sky recipe."""

    name: Name
    kind: Literal["twin"]
    lane: Lane
    sky: Name
    bands: Annotated[tuple[str, ...], Field(min_length=1)]
    pipeline: str = "qa/drp/pipelines/drp.yaml"


class Runtime(Entry):
    """Where a camera's pipeline runs: this environment unless an image or a set-up script is named."""

    image: str | None = None
    setup: str | None = None


class Requirements(Entry):
    """Which requirements apply, and the level below which a night fails."""

    profile: str = "lpm-17"
    gate: Literal["minimum", "design", "stretch"] = "minimum"


class Camera(Entry):
    """One camera of the registry."""

    name: Name
    title: str
    package: Package
    sponsor: Sponsor | None = None
    lease: Lease | None = None
    retired: date | None = None
    instrument: Instrument
    datasets: tuple[Dataset, ...] = ()
    runtime: Runtime = Runtime()
    requirements: Requirements = Requirements()

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands the camera has filters for, in the order of its filter list."""
        return tuple(dict.fromkeys(self.instrument.filters.values()))

    @model_validator(mode="after")
    def _datasets_are_consistent(self) -> Self:
        names = [dataset.name for dataset in self.datasets]
        if len(set(names)) != len(names):
            msg = f"datasets must have different names, got {', '.join(names)}"
            raise ValueError(msg)
        for dataset in self.datasets:
            for band in dataset.bands:
                if band not in self.bands:
                    known = ", ".join(self.bands) or "none"
                    msg = f"band of dataset {dataset.name} must have a filter (bands: {known}), got {band}"
                    raise ValueError(msg)
        return self
