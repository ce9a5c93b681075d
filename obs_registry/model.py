"""What a camera's registry entry says: pydantic models that refuse unknown keys.

A check that concerns several keys sits on the last of them in field order and names the very key that is wrong: it is
made even when the entry has faults elsewhere, and waits only for the values it rests on.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from obs_registry.datasets import AnyDataset, Dataset, Lane, Limit, OwnRaws, PipelineStep, Stored, Suite, Twin
from obs_registry.entry import FAULT, PATTERNS, Contact, Count, Day, Entry, Name, Size, Text, fault, refuse
from obs_registry.runtime import Batch, BatchService, Limits, Runtime

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from pydantic_core import InitErrorDetails

__all__ = [
    "FAULT",
    "PATTERNS",
    "Batch",
    "BatchService",
    "Camera",
    "Dataset",
    "Entry",
    "Instrument",
    "Judging",
    "Lane",
    "Lease",
    "Limit",
    "Limits",
    "OwnRaws",
    "Package",
    "PipelineStep",
    "Requirements",
    "Runtime",
    "Sponsor",
    "Stored",
    "Suite",
    "Twin",
    "Waiver",
]

SCALE_TOLERANCE = 0.005
"""Largest relative difference of a pixel scale from pitch times plate scale: published values are rounded."""


class Sponsor(Entry):
    """The team that maintains a camera, and how to reach it."""

    team: Text
    contact: Contact
    deputy: Contact


class Lease(Entry):
    """From when until when (that day included) the sponsor's promise holds."""

    granted: Day
    until: Day

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: date, info: ValidationInfo) -> date:
        granted = info.data.get("granted")
        if granted is not None and until <= granted:
            refuse(cls.__name__, [fault(f"a day after the lease was granted ({granted})", until)])
        return until


class Package(Entry):
    """The obs_ package of a camera; commits to it and to `watches` concern only this camera."""

    name: Text
    repository: Text
    watches: tuple[Text, ...] = ()


class Instrument(Entry):
    """Facts about the real instrument.

    `detector_size` is columns, rows; `pixel_um` the pitch in micron, `plate_scale` in arcsec/mm, `pixel_scale` in
    arcsec/pixel. `filters` maps physical filters, as the translator of the raw header names them, to bands.
    """

    name: Text
    translator: Text | None = None
    detectors: Count
    detector_size: tuple[Count, Count]
    pixel_um: Size
    plate_scale: Size
    pixel_scale: Size
    filters: dict[Text, Text]

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands there are filters for, in the order of the filter list."""
        return tuple(dict.fromkeys(self.filters.values()))

    @field_validator("pixel_scale")
    @classmethod
    def _scales_agree(cls, pixel_scale: float, info: ValidationInfo) -> float:
        try:
            expected = info.data["pixel_um"] / 1000 * info.data["plate_scale"]
        except KeyError:  # one of the two is itself faulty
            return pixel_scale
        if abs(pixel_scale / expected - 1) > SCALE_TOLERANCE:
            required = f"pixel_um x plate_scale = {expected:.4g} arcsec/pixel to within {SCALE_TOLERANCE:.1%}"
            refuse(cls.__name__, [fault(required, pixel_scale)])
        return pixel_scale


class Waiver(Entry):
    """Leave for a metric to be below the gate: in which bands (all if none are named), why, until when (included)."""

    metric: Text
    bands: Annotated[tuple[Text, ...] | None, Field(min_length=1)] = None
    reason: Text
    ticket: Text | None = None
    expires: Day


class Requirements(Entry):
    """Which requirements apply, the level below which a night fails, and what is excepted from that for a while.

    `profile` is the name of a requirements document that comes with obsqa or is in the folder `requirements` beside
    the camera's file, or the path of one, seen from that file's folder.
    """

    profile: Text = "lpm-17"
    gate: Literal["minimum", "design", "stretch"] = "minimum"
    waivers: tuple[Waiver, ...] = ()

    @field_validator("waivers")
    @classmethod
    def _are_of_different_things(cls, waivers: tuple[Waiver, ...]) -> tuple[Waiver, ...]:
        refuse(cls.__name__, _repeated_waivers(waivers))
        return waivers


class Judging(Entry):
    """How sure a night must be before it fails.

    `confirm` is the number of successive nights that must show a change, or `rerun`: the data set is processed a second
    time in the same night, and what does not repeat is noise. The default is 1, because the embedded pipeline repeats
    to the last bit: what is seen once is there.
    """

    confirm: Count | Literal["rerun"] = 1


class Camera(Entry):
    """One camera of the registry."""

    name: Name
    title: Text
    package: Package
    sponsor: Sponsor | None = None
    lease: Annotated[Lease | None, Field(validate_default=True)] = None
    retired: Day | None = None
    instrument: Instrument
    datasets: tuple[AnyDataset, ...] = ()
    runtime: Runtime = Runtime()
    requirements: Requirements = Requirements()
    judging: Judging = Judging()

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands the camera has filters for, in the order of its filter list."""
        return self.instrument.bands

    @field_validator("requirements")
    @classmethod
    def _waivers_are_of_own_bands(cls, requirements: Requirements, info: ValidationInfo) -> Requirements:
        if instrument := info.data.get("instrument"):
            named = [waiver.bands or () for waiver in requirements.waivers]
            refuse(cls.__name__, _without_filter(named, instrument.bands, before=("waivers",)))
        return requirements

    @field_validator("lease")
    @classmethod
    def _sponsor_and_lease_come_together(cls, lease: Lease | None, info: ValidationInfo) -> Lease | None:
        if "sponsor" in info.data and (info.data["sponsor"] is None) != (lease is None):
            required, found = ("a lease", "a sponsor alone") if lease is None else ("a sponsor", "a lease alone")
            refuse(cls.__name__, [fault(f"{required} too", found)])
        return lease

    @field_validator("datasets")
    @classmethod
    def _datasets_are_consistent(cls, datasets: tuple[AnyDataset, ...], info: ValidationInfo) -> tuple[AnyDataset, ...]:
        faults = [*_repeated_names(datasets)]
        if instrument := info.data.get("instrument"):
            faults += _without_filter([dataset.bands for dataset in datasets], instrument.bands)
        refuse(cls.__name__, faults)
        return datasets


def _repeated_names(datasets: tuple[Dataset, ...]) -> Iterable[InitErrorDetails]:
    seen: Counter[str] = Counter()
    for index, dataset in enumerate(datasets):
        seen[dataset.name] += 1
        if seen[dataset.name] > 1:
            yield fault("a name no other data set of the camera has", repr(dataset.name), index, "name")


def _repeated_waivers(waivers: tuple[Waiver, ...]) -> Iterable[InitErrorDetails]:
    """Find waivers that cover what one before them covers: which of the two days holds would be a guess."""
    for index, waiver in enumerate(waivers):
        for other in waivers[:index]:
            shared = set(waiver.bands or other.bands or ()) & set(other.bands or waiver.bands or ())
            if other.metric == waiver.metric and (shared or waiver.bands is other.bands is None):
                where = f" in {', '.join(sorted(shared))}" if shared else ""
                yield fault("a metric and band no other waiver covers", f"{waiver.metric!r}{where} again", index)


def _without_filter(
    bands: Iterable[tuple[str, ...]], known: tuple[str, ...], *, before: tuple[str, ...] = ()
) -> Iterable[InitErrorDetails]:
    """Find bands the camera has no filter for, in the entries of the list at the key `before`."""
    required = f"a band the camera has a filter for ({', '.join(known) or 'it has none'})"
    for index, named in enumerate(bands):
        for place, band in enumerate(named):
            if band not in known:
                yield fault(required, repr(band), *before, index, "bands", place)
