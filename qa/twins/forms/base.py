"""What every camera's form consists of, and the facts about an exposure from which header cards are made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from astropy.io.fits import HDUList, Header
    from numpy.typing import NDArray

    from qa.drp.layouts import Section
    from qa.twins.electronics import Amplifier
    from qa.twins.optics import CrudeWcs
    from qa.twins.recipe import Detector, Recipe, Shot

# TAI - UTC since 2017-01-01; recipes are younger.
TAI_MINUS_UTC = timedelta(seconds=37)
_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)

Cards = list[tuple[str, Any] | tuple[str, Any, str]]


@dataclass(frozen=True, slots=True)
class Channel:
    """Where one amplifier's pixels go: raw frame number, data and overscan in it, and place in the detector.

    `against` tells whether it is read against the detector's x and y axis.
    """

    name: str
    frame: int
    data: Section
    overscan: Section
    target: Section
    against: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Amplifiers of a detector and the shape (ny, nx) of each of its raw frames."""

    frame_shape: tuple[int, int]
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Position of a telescope: longitude to the east and latitude in degrees."""

    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Readout:
    """One detector, read out."""

    detector: Detector
    geometry: Geometry
    amplifiers: tuple[Amplifier, ...]
    wcs: CrudeWcs
    frames: Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Exposure:
    """One exposure as its header tells it. Times in UTC, angles in degrees, the pointing as believed."""

    recipe: Recipe
    shot: Shot
    pointing: tuple[float, float]
    site: Site

    @property
    def begin(self) -> datetime:
        """When the shutter opened."""
        return self.shot.begin.replace(tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """When the shutter closed."""
        return self.begin + timedelta(seconds=self.shot.exposure_time)

    @property
    def physical_filter(self) -> str:
        """Name of the filter."""
        return self.recipe.bands[self.shot.band].physical_filter

    @property
    def sidereal_time(self) -> float:
        """Mean local sidereal time at the beginning, in degrees."""
        return sidereal_time(self.begin, self.site)

    @property
    def horizontal(self) -> tuple[float, float]:
        """Altitude and azimuth (from north over east) at the beginning, in degrees."""
        hour, dec = math.radians(self.sidereal_time - self.pointing[0]), math.radians(self.pointing[1])
        latitude = math.radians(self.site.latitude)
        up = math.sin(latitude) * math.sin(dec) + math.cos(latitude) * math.cos(dec) * math.cos(hour)
        north = math.cos(latitude) * math.sin(dec) - math.sin(latitude) * math.cos(dec) * math.cos(hour)
        east = -math.cos(dec) * math.sin(hour)
        return math.degrees(math.asin(up)), math.degrees(math.atan2(east, north)) % 360.0

    @property
    def airmass(self) -> float:
        """Secant of the zenith distance at the beginning."""
        return 1.0 / math.sin(math.radians(self.horizontal[0]))


def sidereal_time(when: datetime, site: Site) -> float:
    """Mean local sidereal time in degrees (Explanatory Supplement, 2.24, to first order)."""
    days = (when - _J2000) / timedelta(days=1)
    return (280.46061837 + 360.98564736629 * days + site.longitude) % 360.0


@dataclass(frozen=True, slots=True)
class Form:
    """One camera's way of writing raws.

    `geometry` gives the amplifiers of a detector of shape (ny, nx); `file_name` and `hdus` get the detectors
    that share a file: all of them when `together`, else one. `instrument` is the Butler's name. Exposure ids go up in
    steps of `step`, and charge gathers in the dark for `idle` seconds more than the shutter is open.
    """

    instrument: str
    dtype: str
    site: Site
    geometry: Callable[[tuple[int, int]], Geometry]
    file_name: Callable[[Shot, Sequence[Detector]], str]
    hdus: Callable[[Exposure, Sequence[Readout]], HDUList]
    together: bool = False
    step: int = 1
    idle: float = 0.0


def header(cards: Cards) -> Header:
    """Make a header of cards."""
    from astropy.io.fits import Header  # noqa: PLC0415 - astropy.io costs a tenth of a second

    return Header(cards)


def wcs_cards(wcs: CrudeWcs, corner: tuple[int, int] = (0, 0), unit: str = "deg") -> Cards:
    """Cards of a linear TAN WCS; `corner` is the raw pixel of the assembled detector's first."""
    names = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")
    return [
        ("CTYPE1", "RA---TAN", "Coordinate type"),
        ("CTYPE2", "DEC--TAN", "Coordinate type"),
        ("CUNIT1", unit),
        ("CUNIT2", unit),
        ("CRVAL1", wcs.crval[0], "Right ascension of the reference pixel"),
        ("CRVAL2", wcs.crval[1], "Declination of the reference pixel"),
        ("CRPIX1", wcs.crpix[0] + corner[0], "Reference pixel in x"),
        ("CRPIX2", wcs.crpix[1] + corner[1], "Reference pixel in y"),
        *((name, value, "Pixel coordinate transformation matrix") for name, value in zip(names, wcs.cd, strict=True)),
    ]


def mjd(when: datetime) -> float:
    """Give the modified Julian date in the time scale of the argument."""
    return (when - _MJD_ZERO) / timedelta(days=1)


def clock(when: datetime) -> str:
    """Time of day to the millisecond."""
    return when.strftime("%H:%M:%S.%f")[:-3]


def isot(when: datetime) -> str:
    """Date and time to the millisecond."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def hours(degrees: float) -> str:
    """Right ascension or hour angle as HH:MM:SS.sss."""
    return _sexagesimal(degrees / 15.0, "")


def degrees(angle: float) -> str:
    """Angle as +DD:MM:SS.sss."""
    return _sexagesimal(angle, "+")


def _sexagesimal(value: float, plus: str) -> str:
    thousandths = round(abs(value) * 3_600_000)
    seconds, thousandths = divmod(thousandths, 1000)
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    return f"{'-' if value < 0 else plus}{whole:02d}:{minutes:02d}:{seconds:02d}.{thousandths:03d}"
