# mypy: disable-error-code="misc"
# (the middleware is untyped for us: its classes are Any, and subclassing Any is what `misc` complains about)
"""The cameras as the middleware knows them.

An `Instrument` here says no more than names and limits; detectors and filters come with the data,
because a twin has fewer of them than the camera it stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from lsst.pipe.base import Instrument

from qa.drp.formatters import RawFormatter
from qa.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lsst.daf.butler import Registry

VISIT_SYSTEM = 0
_LARGEST_EXPOSURE = 10**15
_LARGEST_DETECTOR = 1000


class TwinInstrument(Instrument):
    """Base of all cameras: a subclass gives the name its translator uses, and nothing else."""

    name: ClassVar[str]

    @classmethod
    def getName(cls) -> str:  # noqa: N802 - the middleware's spelling
        """Return the name of the instrument in data IDs."""
        return cls.name

    def getRawFormatter(self, dataId: object) -> type[RawFormatter]:  # noqa: ARG002, N802, N803 - the middleware's
        """Return the reader of raw files, the same for all of them."""
        return RawFormatter

    def register(self, registry: Registry, *, update: bool = False) -> None:
        """Insert the instrument and its one visit system: every exposure is a visit."""
        record = {
            "name": self.name,
            "class_name": f"{type(self).__module__}.{type(self).__qualname__}",
            "detector_max": _LARGEST_DETECTOR,
            "exposure_max": _LARGEST_EXPOSURE,
            "visit_max": _LARGEST_EXPOSURE,
            "visit_system": VISIT_SYSTEM,
        }
        system = {"instrument": self.name, "id": VISIT_SYSTEM, "name": "one-to-one"}
        with registry.transaction():
            registry.syncDimensionData("instrument", record, update=update)
            registry.syncDimensionData("visit_system", system, update=update)


class Hsc(TwinInstrument):
    """Hyper Suprime-Cam on Subaru (obs_subaru)."""

    name = "HSC"


class DECam(TwinInstrument):
    """The Dark Energy Camera on the Blanco telescope (obs_decam)."""

    name = "DECam"


class MegaPrime(TwinInstrument):
    """MegaPrime/MegaCam on CFHT (obs_cfht)."""

    name = "MegaPrime"


class LsstCam(TwinInstrument):
    """The LSST Camera of the Rubin Observatory (obs_lsst)."""

    name = "LSSTCam"


class Latiss(TwinInstrument):
    """The imager and spectrograph of the Rubin auxiliary telescope (obs_lsst)."""

    name = "LATISS"


_INSTRUMENTS = {kind.name: kind for kind in (Hsc, DECam, MegaPrime, LsstCam, Latiss)}


def instrument(name: str) -> TwinInstrument:
    """Return the instrument of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in _INSTRUMENTS:
        raise UnknownNameError(kind="instrument", name=name, known=_INSTRUMENTS)
    return _INSTRUMENTS[name]()


def detector_records(name: str, detectors: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the dimension records of an instrument's detectors, given as id -> full name."""
    return [
        {"instrument": name, "id": number, "full_name": full, "name_in_raft": full, "raft": None, "purpose": "SCIENCE"}
        for number, full in detectors.items()
    ]


def filter_records(name: str, filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the dimension records of an instrument's filters, given as physical filter -> band."""
    return [{"instrument": name, "name": physical, "band": band} for physical, band in filters.items()]
