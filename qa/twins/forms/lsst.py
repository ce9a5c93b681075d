"""LSSTCam and LATISS: one file per detector, sixteen extensions `SegmentNN`, the cards in the primary header.

Cards after real headers (MC_O_20250422_000250, AT_O_20240624_000106). Gain, read noise and saturation stand
in the extensions as imSim writes them; real files leave them to the camera's description. Overscan is shorter
than the real 64 columns and 48 rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from qa.drp.image import Box
from qa.drp.layouts import Section, format_section
from qa.twins.forms.base import TAI_MINUS_UTC, Channel, Form, Geometry, Site, header, isot, mjd, wcs_cards
from qa.twins.recipe import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from astropy.io.fits import HDUList

    from qa.twins.forms.base import Cards, Exposure, Readout
    from qa.twins.recipe import Detector, Shot

_OVERSCAN, _TOP = 24, 16
_IDLE = 0.9
_IMAGE_TYPES = {Kind.SCIENCE: "OBJECT", Kind.BIAS: "BIAS", Kind.DARK: "DARK", Kind.FLAT: "FLAT"}


@dataclass(frozen=True, slots=True)
class _Vendor:
    """How a maker's sensor is read: prescan columns, and the corner each row of segments is read towards.

    `low` and `high` are the segments' first digit in the lower and the upper half; the flips follow DETSEC.
    """

    manufacturer: str
    type: str
    prescan: int
    low: str
    high: str
    low_flips: tuple[bool, bool]
    high_flips: tuple[bool, bool]


_ITL = _Vendor("ITL", "3800C", 3, "1", "0", (True, False), (True, True))
_E2V = _Vendor("E2V", "CCD250", 10, "0", "1", (False, False), (True, True))


@dataclass(frozen=True, slots=True)
class _Camera:
    """What tells one camera's header from the other's."""

    instrume: str
    telescope: str
    code: str
    vendor: _Vendor
    serial: str
    extra: tuple[tuple[str, str | int | float], ...] = ()


_LSSTCAM = _Camera("lsstCam", "Simonyi Survey Telescope", "MC", _E2V, "E2V-CCD250-")
_LATISS = _Camera(
    "LATISS",
    "LSST AuxTelescope",
    "AT",
    _ITL,
    "ITL-3800C-",
    (("GRATING", "empty_1"), ("GRATBAND", "EMPTY"), ("GRATSLOT", 0), ("LINSPOS", 67.0)),
)


def geometry(vendor: _Vendor, shape: tuple[int, int]) -> Geometry:
    """Sixteen segments, in the order of the real files: 10 to 17, then 07 to 00."""
    ny, width, height = shape[0], shape[1] // 8, shape[0] // 2
    data = Section(Box(vendor.prescan, 0, vendor.prescan + width, height))
    overscan = Section(Box(data.box.x1, 0, data.box.x1 + _OVERSCAN, height))
    channels: list[Channel] = []
    for row, columns in (("1", range(8)), ("0", range(7, -1, -1))):
        bottom = row == vendor.low
        y0, flips = (0, vendor.low_flips) if bottom else (ny - height, vendor.high_flips)
        for column in columns:
            target = Section(Box(column * width, y0, (column + 1) * width, y0 + height), *flips)
            channels.append(Channel(f"Segment{row}{column}", len(channels), data, overscan, target, against=flips))
    return Geometry((height + _TOP, overscan.box.x1), tuple(channels))


def _day_and_sequence(exposure: int) -> tuple[int, int]:
    return divmod(exposure, 100_000)


def _place(detector: Detector) -> tuple[str, str]:
    raft, slot = detector.name.split("_")
    return ("R00" if raft == "RXX" else raft), slot


def file_name(camera: _Camera, shot: Shot, detectors: Sequence[Detector]) -> str:
    """Name a file by observation, raft and slot."""
    return f"{_observation(camera, shot)}_{'_'.join(_place(detectors[0]))}.fits"


def _observation(camera: _Camera, shot: Shot) -> str:
    day, sequence = _day_and_sequence(shot.exposure)
    return f"{camera.code}_O_{day}_{sequence:06d}"


def hdus(camera: _Camera, exposure: Exposure, readouts: Sequence[Readout]) -> HDUList:
    """Make the file of one detector."""
    from astropy.io import fits  # noqa: PLC0415 - costs a tenth of a second

    (readout,) = readouts
    cards = _exposure_cards(camera, exposure) + _state_cards(exposure) + _detector_cards(camera, exposure, readout)
    segments = []
    for number, channel in enumerate(readout.geometry.channels):
        own = header(_segment_cards(exposure, readout, number))
        segment = fits.ImageHDU(readout.frames[channel.frame], own)
        segment.header["EXTNAME"] = channel.name
        segments.append(segment)
    return fits.HDUList([fits.PrimaryHDU(header=header(cards)), *segments])


def _dates(begin: datetime, end: datetime) -> Cards:
    cards: Cards = []
    for suffix, when in (("OBS", begin), ("BEG", begin), ("TRG", end), ("END", end)):
        cards += [(f"DATE-{suffix}", isot(when)), (f"MJD-{suffix}", mjd(when))]
    return cards


def _exposure_cards(camera: _Camera, exposure: Exposure) -> Cards:
    shot = exposure.shot
    day, sequence = _day_and_sequence(shot.exposure)
    begin, end = exposure.begin + TAI_MINUS_UTC, exposure.end + TAI_MINUS_UTC
    return [
        ("BINX", 1),
        ("BINY", 1),
        ("CCDGAIN", 1.0),
        ("CCDNOISE", 10.0),
        ("IMGTYPE", _IMAGE_TYPES[shot.kind]),
        *_dates(begin, end),
        ("OBSID", _observation(camera, shot)),
        ("GROUPID", isot(begin - timedelta(seconds=30))),
        ("BUNIT", "adu"),
        ("TIMESYS", "TAI"),
        ("INSTRUME", camera.instrume),
        ("TELESCOP", camera.telescope),
        ("OBS-LONG", exposure.site.longitude),
        ("OBS-LAT", exposure.site.latitude),
        ("OBS-ELEV", 2663.0),
        ("FACILITY", "Vera C. Rubin Observatory"),
        ("CAMCODE", camera.code),
        ("CONTRLLR", "O"),
        ("DAYOBS", str(day)),
        ("SEQNUM", sequence),
        ("PROGRAM", "twin"),
        ("REASON", "twin"),
        ("CURINDEX", 1),
        ("MAXINDEX", 1),
        *camera.extra,
    ]


def _state_cards(exposure: Exposure) -> Cards:
    shot = exposure.shot
    ra, dec = exposure.pointing
    altitude, azimuth = exposure.horizontal
    return [
        ("RA", ra),
        ("DEC", dec),
        ("RASTART", ra),
        ("DECSTART", dec),
        ("RAEND", ra),
        ("DECEND", dec),
        ("ROTPA", exposure.recipe.optics.rotation),
        ("ROTCOORD", "sky"),
        ("ELSTART", altitude),
        ("AZSTART", azimuth),
        ("AMSTART", exposure.airmass),
        ("AMEND", exposure.airmass),
        ("RADESYS", "ICRS"),
        ("FOCUSZ", 0.742),
        ("OBJECT", "TWIN"),
        ("VIGNETTE", "NO"),
        ("FILTBAND", shot.band),
        ("FILTER", exposure.physical_filter.partition("~")[0]),
        ("FILTSLOT", 2),
        ("EXPTIME", shot.exposure_time),
        ("DARKTIME", shot.exposure_time + _IDLE),
        ("AIRTEMP", 11.3),
        ("PRESSURE", 74255.0),
        ("HUMIDITY", 29.5),
        ("HEADVER", 2),
    ]


def _detector_cards(camera: _Camera, exposure: Exposure, readout: Readout) -> Cards:
    raft, slot = _place(readout.detector)
    return [
        ("CCD_MANU", camera.vendor.manufacturer),
        ("CCD_TYPE", camera.vendor.type),
        ("CCDSLOT", slot),
        ("RAFTBAY", raft),
        ("LSST_NUM", f"{camera.serial}{readout.detector.id:03d}"),
        *wcs_cards(readout.wcs),
        ("EQUINOX", 2000.0),
        ("FILENAME", file_name(camera, exposure.shot, [readout.detector])),
    ]


def _segment_cards(exposure: Exposure, readout: Readout, number: int) -> Cards:
    channel, amplifier = readout.geometry.channels[number], readout.amplifiers[number]
    ny, nx = exposure.recipe.detector_shape
    return [
        ("CHANNEL", number + 1),
        ("CCDSUM", "1 1"),
        ("DATASEC", format_section(channel.data)),
        ("DETSEC", format_section(channel.target)),
        ("DETSIZE", format_section(Section(Box(0, 0, nx, ny)))),
        ("GAIN", amplifier.header_gain, "[electron/adu]"),
        ("RDNOISE", amplifier.read_noise, "[electron]"),
        ("SATURATE", exposure.recipe.electronics.saturation, "[adu]"),
        ("INHERIT", True),
    ]


def _form(camera: _Camera, instrument: str, site: Site) -> Form:
    return Form(
        instrument,
        "int32",
        site,
        partial(geometry, camera.vendor),
        partial(file_name, camera),
        partial(hdus, camera),
        idle=_IDLE,
    )


LSSTCAM = _form(_LSSTCAM, "LSSTCam", Site(-70.749417, -30.244639))
LATISS = _form(_LATISS, "LATISS", Site(-70.747698, -30.244728))
