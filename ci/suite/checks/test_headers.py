"""The headers of raw exposures, as astro_metadata_translator reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ci.suite.frames import Twin
    from obs_registry.model import Camera

LONGEST = 3600.0
"""No exposure of these cameras is longer (s)."""

FARTHEST = 1.5
"""An exposure points no farther from the field's centre (deg)."""


@pytest.mark.obsqa(needs="draw", words=("headers", "translator", "metadata"))
def test_headers_translate(camera: Camera, twin: Twin) -> None:
    """The header of every exposure translates, to this instrument, to a time, a filter and a place on the sky."""
    from astropy import units
    from astropy.coordinates import SkyCoord

    tract = twin.manifest.tract
    centre = SkyCoord(tract.ra, tract.dec, unit="deg")
    for path, raw in twin.raws.items():
        info = raw.info
        assert (path, raw.kind, info.instrument) == (path, "science", camera.instrument.name)
        assert 0 < info.exposure_time.to_value("s") < LONGEST, path
        assert info.datetime_begin < info.datetime_end, path
        assert info.physical_filter, path
        assert info.tracking_radec.icrs.separation(centre) < FARTHEST * units.deg, path


@pytest.mark.obsqa(needs="draw", words=("headers", "translator", "metadata"))
def test_headers_name_exposures(twin: Twin) -> None:
    """Exposure, detector and observing day come out of the headers as they went in, no two frames alike."""
    frames = [(raw.exposure, number) for raw in twin.manifest.raws for number in raw.detectors]
    twice = sorted({one for one in frames if frames.count(one) > 1})
    assert twice == [], "these exposures and detectors are there twice"
    for raw in twin.manifest.raws:
        assert twin.raws[raw.path].info.exposure_id == raw.exposure, raw.path
        assert tuple(one.id for one in twin.raws[raw.path].detectors) == raw.detectors, raw.path
        assert len(str(twin.raws[raw.path].info.observing_day)) == len("20180116"), raw.path


@pytest.mark.obsqa(needs="draw", words=("headers", "translator", "calibrations"))
def test_headers_tell_calibrations_apart(twin: Twin) -> None:
    """Bias, dark and flat exposures are told apart by their headers."""
    from qa.drp.raw import describe_raw

    for one in twin.manifest.calibrations:
        assert (one.path, describe_raw(twin.folder / one.path).kind) == (one.path, one.kind)
