"""Translators of LSSTCam and LATISS headers (header service version 2).

Facts from lsst/obs_lsst, python/lsst/obs/lsst/translators: how exposure ids are made of DAYOBS and
SEQNUM, how detectors are numbered, and which cards hold what.
"""

# mypy: disable-error-code="misc, untyped-decorator"
# The base class and its decorator come from a library that mypy is told to skip.

from __future__ import annotations

from typing import Any, ClassVar

import astropy.units as u
from astro_metadata_translator import cache_translation
from astro_metadata_translator.translators import FitsTranslator
from astro_metadata_translator.translators.helpers import altaz_from_degree_headers, tracking_from_degree_headers
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time, TimeDelta

_SECONDS_TO_DAY_START = 12 * 3600
_SCIENCE_TYPES = frozenset({"object", "skyexp"})
_SCIENCE_RAFTS = (
    *("R01", "R02", "R03"),
    *("R10", "R11", "R12", "R13", "R14"),
    *("R20", "R21", "R22", "R23", "R24"),
    *("R30", "R31", "R32", "R33", "R34"),
    *("R41", "R42", "R43"),
)
_SCIENCE_SLOTS = ("S00", "S01", "S02", "S10", "S11", "S12", "S20", "S21", "S22")
_CORNER_RAFTS = ("R00", "R04", "R40", "R44")
_CORNER_SLOTS = ("SG0", "SG1", "SW0", "SW1")

DETECTOR_NUMBERS = {
    name: number
    for number, name in enumerate(
        [f"{raft}_{slot}" for raft in _SCIENCE_RAFTS for slot in _SCIENCE_SLOTS]
        + [f"{raft}_{slot}" for raft in _CORNER_RAFTS for slot in _CORNER_SLOTS]
    )
}


class RubinTranslator(FitsTranslator):
    """What the cameras behind Rubin's header service have in common."""

    _observing_day_offset: ClassVar[TimeDelta] = TimeDelta(_SECONDS_TO_DAY_START, format="sec", scale="tai")
    _site: ClassVar[EarthLocation]
    _detectors_per_exposure: ClassVar[int]

    _const_map: ClassVar[dict[str, Any]] = {"boresight_rotation_coord": "sky"}
    _trivial_map: ClassVar[dict[str, Any]] = {
        "exposure_time": ("EXPTIME", {"unit": u.s}),
        "dark_time": ("DARKTIME", {"unit": u.s}),
        "boresight_rotation_angle": ("ROTPA", {"unit": u.deg}),
        "detector_group": "RAFTBAY",
        "detector_name": "CCDSLOT",
        "detector_serial": "LSST_NUM",
        "exposure_group": "GROUPID",
        "object": "OBJECT",
        "observation_counter": "SEQNUM",
        "observation_id": "OBSID",
        "observation_reason": "REASON",
        "science_program": "PROGRAM",
        "focus_z": ("FOCUSZ", {"unit": u.mm}),
        "relative_humidity": "HUMIDITY",
        "temperature": ("AIRTEMP", {"unit": u.deg_C}),
        "pressure": ("PRESSURE", {"unit": u.Pa}),
    }

    @classmethod
    def observing_date_to_offset(cls, observing_date: Time) -> TimeDelta:  # noqa: ARG003 - the same for all dates
        """Days begin at noon UTC."""
        return cls._observing_day_offset

    @cache_translation
    def to_location(self) -> EarthLocation:
        """Site of the telescope; LATISS's OBSGEO cards have been seen with the wrong sign."""
        return self._site

    @cache_translation
    def to_exposure_id(self) -> int:
        """Compose the exposure id of the observing day and five digits of the sequence number."""
        day, sequence = self._header["DAYOBS"], int(self._header["SEQNUM"])
        self._used_these_cards("DAYOBS", "SEQNUM")
        return int(f"{day}{sequence:05d}")

    @cache_translation
    def to_visit_id(self) -> int:
        """Visits are exposures."""
        return int(self.to_exposure_id())

    @cache_translation
    def to_detector_exposure_id(self) -> int:
        """Combine the numbers of exposure and detector."""
        return int(self.to_exposure_id() * self._detectors_per_exposure + self.to_detector_num())

    @cache_translation
    def to_observation_type(self) -> str:
        """Translate the image type; exposures of the sky are `science`."""
        kind = self._header["IMGTYPE"].strip().lower()
        self._used_these_cards("IMGTYPE")
        return "science" if kind in _SCIENCE_TYPES else kind

    @cache_translation
    def to_physical_filter(self) -> str:
        """Name of the filter."""
        name: str = self._header["FILTER"].strip()
        self._used_these_cards("FILTER")
        return name

    @cache_translation
    def to_tracking_radec(self) -> SkyCoord | None:
        """Where the telescope pointed, preferring what it reported to what was asked for."""
        return tracking_from_degree_headers(self, ("RADESYS",), (("RASTART", "DECSTART"), ("RA", "DEC")))

    @cache_translation
    def to_altaz_begin(self) -> AltAz | None:
        """Altitude and azimuth at the beginning."""
        return altaz_from_degree_headers(self, (("ELSTART", "AZSTART"),), self.to_datetime_begin())

    @cache_translation
    def to_boresight_airmass(self) -> float | None:
        """Mean of the airmasses at begin and end, or the one that is known."""
        known = [key for key in ("AMSTART", "AMEND") if self.is_key_ok(key)]
        self._used_these_cards(*known)
        return sum(float(self._header[key]) for key in known) / len(known) if known else None


class LsstCamTranslator(RubinTranslator):
    """LSSTCam on the Simonyi Survey Telescope."""

    name = "LSSTCam"
    supported_instrument = "LSSTCam"
    _site = EarthLocation.from_geodetic(-70.749417, -30.244639, 2663.0)
    _detectors_per_exposure = 1000

    @classmethod
    def can_translate(cls, header: Any, filename: str | None = None) -> bool:  # noqa: ANN401, ARG003
        """Tell LSSTCam by its INSTRUME card."""
        return str(header.get("INSTRUME", "")).strip().lower() == "lsstcam"

    @cache_translation
    def to_instrument(self) -> str:
        """Spell the instrument as the Butler does; the card says lsstCam."""
        self._used_these_cards("INSTRUME")
        return "LSSTCam"

    @cache_translation
    def to_detector_unique_name(self) -> str:
        """Raft and slot."""
        return f"{self.to_detector_group()}_{self.to_detector_name()}"

    @cache_translation
    def to_detector_num(self) -> int:
        """Position in the focal plane."""
        return DETECTOR_NUMBERS[self.to_detector_unique_name()]


class LatissTranslator(RubinTranslator):
    """LATISS on the Auxiliary Telescope."""

    name = "LATISS"
    supported_instrument = "LATISS"
    _site = EarthLocation.from_geodetic(-70.747698, -30.244728, 2663.0)
    _detectors_per_exposure = 1
    _const_map: ClassVar[dict[str, Any]] = {"detector_num": 0, "detector_name": "S00", "detector_group": "RXX"}

    @classmethod
    def can_translate(cls, header: Any, filename: str | None = None) -> bool:  # noqa: ANN401, ARG003
        """Tell LATISS by its INSTRUME card."""
        return str(header.get("INSTRUME", "")).strip() == "LATISS"

    @cache_translation
    def to_detector_unique_name(self) -> str:
        """Name the only detector."""
        return "RXX_S00"

    @cache_translation
    def to_physical_filter(self) -> str:
        """Join filter and grating by a tilde; holders without glass are `empty`."""
        keys = ("FILTER", "GRATING")
        self._used_these_cards(*keys)
        names = [str(self._header[key]).strip() if self.is_key_ok(key) else "none" for key in keys]
        return "~".join("empty" if name.startswith("empty") else name for name in names)
