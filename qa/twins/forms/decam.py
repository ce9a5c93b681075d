"""DECam: one file per exposure, one extension per CCD that inherits the primary header, amplifiers A and B.

Cards after real headers (exposures 160496 and 177764). Amplifier A reads the right half; the overscan of
50 columns lies outside of the data, with 6 columns of prescan beyond it and 50 rows of postscan below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.drp.image import Box
from qa.drp.layouts import Section, format_section
from qa.twins.forms.base import Channel, Form, Geometry, Site, degrees, header, hours, isot, mjd, wcs_cards
from qa.twins.recipe import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.io.fits import HDUList, ImageHDU

    from qa.twins.forms.base import Cards, Exposure, Readout
    from qa.twins.recipe import Detector, Shot

_PRESCAN, _OVERSCAN, _POSTSCAN = 6, 50, 50
_IDLE = 1.0
_OBSTYPES = {Kind.SCIENCE: "object", Kind.BIAS: "zero", Kind.DARK: "dark", Kind.FLAT: "dome flat"}


def geometry(shape: tuple[int, int]) -> Geometry:
    """Amplifier A right, amplifier B left."""
    (ny, nx), half = shape, shape[1] // 2
    left = _PRESCAN + _OVERSCAN
    rows = _POSTSCAN, _POSTSCAN + ny

    def channel(name: str, start: int, over: int) -> Channel:
        data = Section(Box(left + start, rows[0], left + start + half, rows[1]))
        overscan = Section(Box(over, rows[0], over + _OVERSCAN, rows[1]))
        target = Section(Box(start, 0, start + half, ny))
        return Channel(name, 0, data, overscan, target, against=(start > 0, False))

    return Geometry((rows[1], nx + 2 * left), (channel("A", half, left + nx), channel("B", 0, _PRESCAN)))


def file_name(shot: Shot, detectors: Sequence[Detector]) -> str:  # noqa: ARG001 - a file holds all detectors
    """Name a file by its exposure number."""
    return f"DECam_{shot.exposure:08d}.fits"


def hdus(exposure: Exposure, readouts: Sequence[Readout]) -> HDUList:
    """Make the file of one exposure."""
    from astropy.io import fits  # noqa: PLC0415 - costs a tenth of a second

    primary = fits.PrimaryHDU(header=header(_exposure_cards(exposure, len(readouts))))
    return fits.HDUList([primary, *(_extension(exposure, readout) for readout in readouts)])


def _exposure_cards(exposure: Exposure, extensions: int) -> Cards:
    shot, begin = exposure.shot, exposure.begin
    ra, dec = exposure.pointing
    altitude, azimuth = exposure.horizontal
    return [
        ("NEXTEND", extensions, "Number of extensions"),
        ("PROCTYPE", "RAW", "Data processing level"),
        ("PRODTYPE", "image", "Data product type"),
        ("TELESCOP", "CTIO 4.0-m telescope", "Telescope name"),
        ("OBSERVAT", "CTIO", "Observatory name"),
        ("OBS-LONG", -exposure.site.longitude, "[deg] Observatory west longitude"),
        ("OBS-LAT", exposure.site.latitude, "[deg] Observatory latitude"),
        ("OBS-ELEV", 2215.0, "[m] Observatory elevation"),
        ("INSTRUME", "DECam", "Instrument used to obtain these data"),
        ("EXPREQ", shot.exposure_time, "[s] Requested exposure duration"),
        ("EXPTIME", shot.exposure_time, "[s] Exposure duration"),
        ("DARKTIME", shot.exposure_time + _IDLE, "[s] Dark time"),
        ("OBSID", f"ct4m{begin:%Y%m%dt%H%M%S}", "Unique Observation ID"),
        ("DATE-OBS", isot(begin), "UTC epoch"),
        ("MJD-OBS", mjd(begin), "MJD of observation start"),
        ("TIMESYS", "UTC", "Time system"),
        ("EXPNUM", shot.exposure, "DECam exposure number"),
        ("OBJECT", "TWIN", "Object name"),
        ("OBSTYPE", _OBSTYPES[shot.kind], "Observation type"),
        ("PROGRAM", "twin", "Current observing program"),
        ("PROPID", "twin", "Proposal ID"),
        ("FILTER", exposure.physical_filter),
        ("RA", hours(ra), "[HH:MM:SS] Target RA"),
        ("DEC", degrees(dec), "[DD:MM:SS] Target DEC"),
        ("TELRA", hours(ra), "[HH:MM:SS] Telescope RA"),
        ("TELDEC", degrees(dec), "[DD:MM:SS] Telescope DEC"),
        ("TELFOCUS", "0.00,0.00,2387.06,0.00,0.00,0.00", "DECam hexapod settings"),
        ("ZD", 90.0 - altitude, "[deg] Telescope zenith distance"),
        ("AZ", azimuth, "[deg] Telescope azimuth angle"),
        ("AIRMASS", exposure.airmass, "Airmass"),
        ("OUTTEMP", 12.0, "[deg C] Outside temperature"),
        ("PRESSURE", 777.0, "[Torr] Barometric pressure (outside)"),
        ("HUMIDITY", 38.0, "[%] Ambient relative humidity (outside)"),
        ("DTUTC", isot(exposure.end), "post exposure UTC epoch from DTS"),
    ]


def _extension(exposure: Exposure, readout: Readout) -> ImageHDU:
    from astropy.io import fits  # noqa: PLC0415

    detector = readout.detector
    boxes = [channel.data.box for channel in readout.geometry.channels]
    whole = Box(min(b.x0 for b in boxes), boxes[0].y0, max(b.x1 for b in boxes), boxes[0].y1)
    cards: Cards = [
        ("TRIMSEC", format_section(Section(whole)), "Good section"),
        ("DATASEC", format_section(Section(whole)), "Data section to display"),
        ("CCDSEC", format_section(Section(Box(0, 0, whole.x1 - whole.x0, whole.y1 - whole.y0))), "CCD section"),
        *_amplifier_cards(exposure, readout),
        ("DETECTOR", f"S3-111_twin-{detector.id}", "Detector Identifier"),
        ("CCDNUM", detector.id, "CCD number"),
        ("DETPOS", detector.name, "detector position ID"),
        ("FPA", "DECAM_BKP1", "DECam focal plane name"),
        ("INHERIT", True, "Inherits PHDU header"),
        ("CCDBIN1", 1, "Pixel binning, axis 1"),
        ("CCDBIN2", 1, "Pixel binning, axis 2"),
        ("RADESYS", "FK5", "World coordinate reference frame"),
        ("EQUINOX", 2000.0, "[yr] Equinox of WCS"),
        *wcs_cards(readout.wcs, (whole.x0, whole.y0)),
    ]
    return fits.ImageHDU(readout.frames[0], header(cards), name=detector.name)


def _amplifier_cards(exposure: Exposure, readout: Readout) -> Cards:
    cards: Cards = []
    for channel, amplifier in zip(readout.geometry.channels, readout.amplifiers, strict=True):
        name = channel.name
        cards += [
            (f"CCDSEC{name}", format_section(channel.target), f"CCD section from amp {name}"),
            (f"DATASEC{name}", format_section(channel.data), f"Data section from amp {name}"),
            (f"BIASSEC{name}", format_section(channel.overscan), f"Overscan from amp {name}"),
            (f"GAIN{name}", amplifier.header_gain, f"[electrons/adu] Gain for amp {name}"),
            (f"RDNOISE{name}", amplifier.read_noise, f"[electrons] Read noise for amp {name}"),
            (f"SATURAT{name}", exposure.recipe.electronics.saturation, f"[adu] Saturation for amp {name}"),
        ]
    return cards


FORM = Form("DECam", "uint16", Site(-70.81489, -30.16606), geometry, file_name, hdus, together=True, idle=_IDLE)
