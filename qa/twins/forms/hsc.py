"""Hyper Suprime-Cam: one file per CCD, four channels side by side in one frame, cards T_* for their places.

Cards and order after a real header (2015, frame HSCA04090107); prescan and overscan have their real sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.drp.image import Box
from qa.drp.layouts import Section
from qa.twins.forms.base import Channel, Form, Geometry, Site, clock, degrees, header, hours, mjd, wcs_cards
from qa.twins.recipe import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.io.fits import HDUList

    from qa.twins.forms.base import Cards, Exposure, Readout
    from qa.twins.recipe import Detector, Shot

_PRESCAN, _OVERSCAN, _BOTTOM, _TOP = 8, 16, 49, 16
_DATA_TYPES = {Kind.SCIENCE: "OBJECT", Kind.BIAS: "BIAS", Kind.DARK: "DARK", Kind.FLAT: "DOMEFLAT"}


def geometry(shape: tuple[int, int]) -> Geometry:
    """Channels 1 and 3 have their overscan to the right, 2 and 4 to the left, as in the real frame."""
    ny, width = shape[0], shape[1] // 4
    pitch = _PRESCAN + width + _OVERSCAN
    channels = []
    for index in range(4):
        start, mirrored = index * pitch, index % 2 == 1
        data = start + (_OVERSCAN if mirrored else _PRESCAN)
        over = start if mirrored else data + width
        channels.append(
            Channel(
                f"channel{index + 1}",
                0,
                Section(Box(data, _BOTTOM, data + width, _BOTTOM + ny)),
                Section(Box(over, _BOTTOM + ny, over + _OVERSCAN, _BOTTOM + ny + _TOP)),
                Section(Box(index * width, 0, (index + 1) * width, ny)),
                against=(mirrored, False),
            )
        )
    return Geometry((_BOTTOM + ny + _TOP, 4 * pitch), tuple(channels))


def file_name(shot: Shot, detectors: Sequence[Detector]) -> str:
    """Name a file by its frame id."""
    return f"{_frame(shot.exposure, detectors[0].id)}.fits"


def _frame(exposure: int, detector: int) -> str:
    return f"HSCA{exposure + detector // 100:06d}{detector % 100:02d}"


def hdus(exposure: Exposure, readouts: Sequence[Readout]) -> HDUList:
    """Make the file of one CCD."""
    from astropy.io import fits  # noqa: PLC0415 - costs a tenth of a second

    (readout,) = readouts
    cards = _time_cards(exposure) + _identity_cards(exposure, readout) + _channel_cards(readout)
    return fits.HDUList([fits.PrimaryHDU(readout.frames[0], header(cards))])


def _time_cards(exposure: Exposure) -> Cards:
    begin, end = exposure.begin, exposure.end
    altitude, azimuth = exposure.horizontal
    return [
        ("BUNIT", "ADU", "Unit of original pixel value"),
        ("TIMESYS", "UTC", "Time System used in the header"),
        ("DATE-OBS", begin.strftime("%Y-%m-%d"), "Observation start date"),
        ("UT-STR", clock(begin), "HH:MM:SS.S UTC at the start exposure time"),
        ("MJD-STR", mjd(begin), "[d] Mod.Julian Date at the start of exposure"),
        ("UT", clock(begin), "HH:MM:SS.S typical UTC at the exposure"),
        ("MJD", mjd(begin), "[d] Mod. Julian Date at typical time"),
        ("UT-END", clock(end), "HH:MM:SS.S UTC at the end of the exposure"),
        ("MJD-END", mjd(end), "[d] Mod.Julian Date at the end of exposure"),
        ("AIRMASS", exposure.airmass, "Average airmass during exposure"),
        ("AZIMUTH", azimuth, "[degree] Azimuth of telescope pointing"),
        ("ALTITUDE", altitude, "[degree] Altitude of telescope pointing"),
    ]


def _identity_cards(exposure: Exposure, readout: Readout) -> Cards:
    shot, detector = exposure.shot, readout.detector
    ra, dec = exposure.pointing
    box = readout.geometry.channels[0].data.box
    return [
        ("PROP-ID", "twin", "Proposal ID"),
        ("OBSERVER", "obsqa", "Names of the Observers"),
        ("FRAMEID", _frame(shot.exposure, detector.id), "Frame ID"),
        ("EXP-ID", f"HSCE{shot.exposure:08d}", "Exposure ID"),
        ("OBS-MOD", "IMAG", "Observation Mode"),
        ("DATA-TYP", _DATA_TYPES[shot.kind], "Characteristics of this data"),
        ("OBJECT", "TWIN", "Object"),
        ("RA", hours(ra), "Right ascension of telescope pointing"),
        ("DEC", degrees(dec), "Declination of telescope pointing"),
        ("RA2000", hours(ra), "Right ascension of telescope pointing (J2000)"),
        ("DEC2000", degrees(dec), "Declination of telescope pointing (J2000)"),
        ("RADESYS", "FK5", "The equatorial coordinate system"),
        ("EQUINOX", 2000.0, "[y] Equinox"),
        *wcs_cards(readout.wcs, (box.x0, box.y0)),
        ("WCS-ORIG", "Rough estimation", "Origin/quality of the WCS values"),
        ("OBSERVAT", "NAOJ", "Observatory"),
        ("TELESCOP", "Subaru", "Telescope name"),
        ("FOC-VAL", 3.83, "[mm] Encoder value of the focus unit"),
        ("FILTER01", exposure.physical_filter, "Filter barcode"),
        ("EXPTIME", shot.exposure_time, "Exposure time"),
        ("INSTRUME", "Hyper Suprime-Cam", "Name of instrument"),
        ("DETECTOR", "notSet", "Name of the detector/CCD"),
        ("DET-ID", detector.id, "Sequential number for the entire CCDs"),
        ("DET-TMP", -99.8, "CCD Temperature value [celsius degree]"),
        ("BIN-FCT1", 1, "Binning factor of axis 1"),
        ("BIN-FCT2", 1, "Binning factor of axis 2"),
        ("INST-PA", 0.0, "Position Angle of the Instrument Flange"),
        ("OUT-TMP", 278.35, "[Kelvin] Atm. temp. outside the dome/encl."),
        ("OUT-HUM", 8.6, "[%] Humidity outside the dome/encl."),
        ("OUT-PRS", 625.4, "[hPa] Atm. press. outside the dome/encl."),
        ("T_CCDSN", f"{detector.id:03d}", "CCD Serial Number"),
        ("T_NFRAME", 112, "Number of total frames"),
    ]


def _channel_cards(readout: Readout) -> Cards:
    gains: Cards = [
        (f"T_GAIN{number}", amplifier.header_gain, f"Gain for channel {number}")
        for number, amplifier in enumerate(readout.amplifiers, start=1)
    ]
    places: Cards = []
    for number, channel in enumerate(readout.geometry.channels, start=1):
        for kind, box in (("OS", channel.overscan.box), ("EF", channel.data.box)):
            for axis, first, last in ((1, box.x0, box.x1), (2, box.y0, box.y1)):
                places.append((f"T_{kind}MN{number}{axis}", first + 1, f"First pixel of axis {axis} for ch{number}"))
                places.append((f"T_{kind}MX{number}{axis}", last, f"Last pixel of axis {axis} for ch{number}"))
    return gains + places


FORM = Form("HSC", "uint16", Site(-155.476667, 19.825556), geometry, file_name, hdus, step=2)
