"""MegaPrime: one file per exposure, one extension per CCD with a complete header of its own, amplifiers A and B.

Cards after a real header (exposure 1038843): 32 columns of overscan outside of either half, 32 rows above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.drp.image import Box
from qa.drp.layouts import Section, format_section
from qa.twins.forms.base import Channel, Form, Geometry, Site, clock, degrees, header, hours, mjd, wcs_cards
from qa.twins.recipe import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.io.fits import HDUList

    from qa.twins.forms.base import Cards, Exposure, Readout
    from qa.twins.recipe import Detector, Shot

_OVERSCAN, _TOP = 32, 32
_OBSTYPES = {Kind.SCIENCE: "OBJECT", Kind.BIAS: "BIAS", Kind.DARK: "DARK", Kind.FLAT: "FLAT"}


def geometry(shape: tuple[int, int]) -> Geometry:
    """Amplifier A left, amplifier B right."""
    (ny, nx), half = shape, shape[1] // 2

    def channel(name: str, start: int, over: int) -> Channel:
        data = Section(Box(_OVERSCAN + start, 0, _OVERSCAN + start + half, ny))
        overscan = Section(Box(over, 0, over + _OVERSCAN, ny + _TOP))
        target = Section(Box(start, 0, start + half, ny))
        return Channel(name, 0, data, overscan, target, against=(start > 0, False))

    return Geometry((ny + _TOP, nx + 2 * _OVERSCAN), (channel("A", 0, 0), channel("B", half, nx + _OVERSCAN)))


def file_name(shot: Shot, detectors: Sequence[Detector]) -> str:  # noqa: ARG001 - a file holds all detectors
    """Name a file by its exposure number; `o` is an object, `b` a bias and so on."""
    return f"{shot.exposure}{_OBSTYPES[shot.kind][0].lower()}.fits"


def hdus(exposure: Exposure, readouts: Sequence[Readout]) -> HDUList:
    """Make the file of one exposure."""
    from astropy.io import fits  # noqa: PLC0415 - costs a tenth of a second

    pictures = []
    for readout in readouts:
        picture = fits.ImageHDU(
            readout.frames[0], header(_detector_cards(readout) + _exposure_cards(exposure, readout))
        )
        # Set as a card: the argument `name` would be turned into capitals, and the translator wants ccdNN.
        picture.header["EXTNAME"] = f"ccd{readout.detector.id:02d}", "CCD number in the mosaic"
        pictures.append(picture)
    return fits.HDUList([fits.PrimaryHDU(), *pictures])


def _detector_cards(readout: Readout) -> Cards:
    channels = readout.geometry.channels
    left, right = (channel.data.box for channel in channels)
    imaging = Section(Box(left.x0, left.y0, right.x1, right.y1))
    cards: Cards = [
        ("EXTVER", readout.detector.id, "Now matches the CCD number in the mosaic"),
        ("DETECTOR", "MegaCam"),
        ("CCDSUM", "1 1", "Binning factors"),
        ("PIXSIZE1", 13.5, "Pixel size for axis 1 (microns)"),
        ("PIXSIZE2", 13.5, "Pixel size for axis 2 (microns)"),
        ("AMPLIST", "A B", "List of amplifiers for this CCD"),
        ("DATASEC", format_section(imaging), "Imaging area of the entire CCD in raw frame"),
        ("BIASSEC", "[0:0,0:0]", "Dual amplifiers readout - see BSECA & BSECB"),
        ("CCDNAME", f"8352-15-{readout.detector.id}", "Name of the CCD (manufacturer reference)"),
    ]
    for channel, amplifier in zip(channels, readout.amplifiers, strict=True):
        name = channel.name
        cards += [
            (f"DSEC{name}", format_section(channel.data), f"Image area of {name} amplifier in raw frame"),
            (f"TSEC{name}", format_section(channel.data), f"Trim section of {name} amplifier"),
            (f"BSEC{name}", format_section(channel.overscan), f"Overscan of {name} amplifier in raw frame"),
            (f"CSEC{name}", format_section(channel.target), f"Section in full CCD after BSEC{name} cut out"),
            (f"GAIN{name}", amplifier.header_gain, f"Converting gain of {name} amplifier (e-/ADU)"),
            (f"RDNOISE{name}", amplifier.read_noise, f"Read noise (electrons) {name} amplifier"),
        ]
    return cards


def _exposure_cards(exposure: Exposure, readout: Readout) -> Cards:
    shot, begin, end = exposure.shot, exposure.begin, exposure.end
    ra, dec = exposure.pointing
    altitude, azimuth = exposure.horizontal
    saturation = int(exposure.recipe.electronics.saturation)
    box = readout.geometry.channels[0].data.box
    return [
        ("MAXLINA", saturation, "Level at 1% linearity departure (ADU) A amp"),
        ("MAXLINB", saturation, "Level at 1% linearity departure (ADU) B amp"),
        ("SATURATE", saturation, "Saturation value (ADU)"),
        ("INHERIT", False, "No need to inherit global headers"),
        ("TIMESYS", "UTC", "Time System for DATExxxx"),
        ("OBJECT", "TWIN"),
        ("RUNID", "twin"),
        ("OBSTYPE", _OBSTYPES[shot.kind], "Observation/ Exposure type"),
        ("EXPNUM", shot.exposure, "CFHT odometer number"),
        ("OBSID", shot.exposure, "CFHT odometer number"),
        ("EXPTIME", shot.exposure_time, "Measured integration time (seconds)"),
        ("EXPREQ", shot.exposure_time, "Requested integration time (seconds)"),
        ("DARKTIME", shot.exposure_time, "Dark current time (seconds)"),
        ("ORIGIN", "CFHT", "Canada-France-Hawaii Telescope"),
        *wcs_cards(readout.wcs, (box.x0, box.y0)),
        ("INSTRUME", "MegaPrime"),
        ("FILTER", exposure.physical_filter, "Name of filter in position"),
        ("TELESCOP", "CFHT 3.6m", "Hawaii Big Island, Mauna Kea"),
        ("LATITUDE", exposure.site.latitude, "Latitude (degrees N)"),
        ("LONGITUD", exposure.site.longitude, "Longitude (degrees E)"),
        ("DATE-OBS", begin.strftime("%Y-%m-%d"), "Date at start of observation (UTC)"),
        ("UTC-OBS", clock(begin), "Time at start of observation (UTC)"),
        ("MJD-OBS", mjd(begin), "Modified Julian Date at start of obs."),
        ("UTCEND", clock(end), "Time at end of observation (UTC)"),
        ("MJDEND", mjd(end), "Modified Julian Date at end of obs."),
        ("EQUINOX", 2000.0, "Equinox of coordinates"),
        ("RADECSYS", "FK5", "Coordinate system for equinox (FK4/FK5/GAPPT)"),
        ("RA", hours(ra), "Object right ascension"),
        ("DEC", degrees(dec), "Object declination"),
        ("RA_DEG", ra, "Object right ascension in degrees"),
        ("DEC_DEG", dec, "Object declination in degrees"),
        ("AIRMASS", exposure.airmass, "Airmass at start of observation"),
        ("TELALT", altitude, "Telescope altitude at start of observation, deg"),
        ("TELAZ", azimuth, "Telescope azimuth at start, deg, 0=N 90=E 270=W"),
        ("FOCUSID", "MegaPrime", "Telescope focus in use"),
        ("RELHUMID", 20.0, "Relative humidity (%)"),
        ("TEMPERAT", 1.8, "Air temperature (C)"),
        ("PRESSURE", 617.5, "Barometric pressure (mbar)"),
    ]


FORM = Form("MegaPrime", "uint16", Site(-155.468876, 19.825252), geometry, file_name, hdus, together=True)
