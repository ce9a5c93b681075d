"""Entries of services: what is no camera and has tests all the same, which run in the same nights."""

from __future__ import annotations

from typing import ClassVar

from obs_registry.datasets import Suite  # noqa: TC001 - pydantic resolves the annotations at run time
from obs_registry.model import Camera, Instrument

NO_INSTRUMENT = Instrument.model_construct(
    name="none",
    translator=None,
    detectors=0,
    detector_size=(0, 0),
    pixel_um=0.0,
    plate_scale=0.0,
    pixel_scale=0.0,
    filters={},
)
"""What stands in the place of an instrument where there is none."""


class Service(Camera):
    """A service of the registry, such as a database or a web service, whose data sets are suites of tests.

    It has a package, a sponsor and a lease like a camera, takes the place of one in plans, records and reports, and
    shares its names with them. It has no instrument.
    """

    instrument: ClassVar[Instrument] = NO_INSTRUMENT  # type: ignore[misc]  # no key of the file
    datasets: tuple[Suite, ...] = ()
