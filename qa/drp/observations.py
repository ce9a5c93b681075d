"""From raw files to what the registry stores about them: exposures, visits, regions on the sky.

A visit is an exposure: the cameras here take no snaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa.drp.algorithms.skygrid import plane_to_sky
from qa.drp.image import Box
from qa.drp.instrument import VISIT_SYSTEM
from qa.drp.raw import observation_info, read_raw
from qa.drp.skymap import corners, polygon
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from astro_metadata_translator import ObservationInfo
    from astropy.io.fits import Header
    from lsst.sphgeom import ConvexPolygon

    from qa.drp.skymap import Coordinates
    from qa.twins.manifest import TwinManifest

# Raw headers place a detector to a few arcsec; a region on the sky must not be too small.
_MARGIN_ARCSEC = 5.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One detector of one raw file, and the part of the sky it saw."""

    path: Path
    detector: int
    region: ConvexPolygon


@dataclass(frozen=True, slots=True)
class Observation:
    """One exposure: what its translator says, and its readable detectors."""

    info: ObservationInfo
    frames: tuple[Frame, ...]

    @property
    def exposure(self) -> int:
        """The exposure's number, which is the visit's too."""
        return int(self.info.exposure_id)

    @property
    def region(self) -> ConvexPolygon:
        """The part of the sky the whole exposure saw."""
        from lsst.sphgeom import ConvexPolygon  # noqa: PLC0415

        return ConvexPolygon.convexHull([point for frame in self.frames for point in frame.region.getVertices()])


def read_observations(manifest: TwinManifest, folder: Path) -> tuple[list[Observation], list[str]]:
    """Read the headers of all raws, exposure by exposure.

    Returns
    -------
    observations
        The exposures that have at least one readable detector.
    caveats
        A line for every detector that was left out, saying why.
    """
    frames: dict[int, list[Frame]] = {}
    infos: dict[int, ObservationInfo] = {}
    caveats: list[str] = []
    for raw in manifest.raws:
        path = folder / raw.path
        for detector in raw.detectors:
            try:
                frame = read_frame(path, detector=detector)
                if raw.exposure not in infos:
                    infos[raw.exposure] = observation_info(path)
            except DocumentError as error:
                caveats.append(f"exposure {raw.exposure} detector {detector} left out: {error}")
            else:
                frames.setdefault(raw.exposure, []).append(frame)
    return [Observation(infos[number], tuple(found)) for number, found in frames.items()], caveats


def read_frame(path: Path, *, detector: int) -> Frame:
    """Read one detector of a raw file, pixels included, so that a damaged file is found here.

    Raises
    ------
    DocumentError
        If the file cannot be used.
    """
    raw = read_raw(path, detector=detector)
    ny, nx = raw.shape
    header = raw.header
    scale = 3600 * abs(header["CD1_1"] * header["CD2_2"] - header["CD1_2"] * header["CD2_1"]) ** 0.5
    x, y = corners(Box(0, 0, nx, ny), margin=_MARGIN_ARCSEC / scale)
    return Frame(path, detector, polygon(*_crude_sky(header, x, y)))


def _crude_sky(header: Header, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Project pixels to the sky (deg) by the linear tangent-plane WCS of a raw header."""
    dx, dy = x + 1 - header["CRPIX1"], y + 1 - header["CRPIX2"]
    xi = header["CD1_1"] * dx + header["CD1_2"] * dy
    eta = header["CD2_1"] * dx + header["CD2_2"] * dy
    return plane_to_sky(xi, eta, ra0=header["CRVAL1"], dec0=header["CRVAL2"])


def dimension_records(name: str, observations: Sequence[Observation]) -> dict[str, list[dict[str, Any]]]:
    """Return the registry's records of the exposures of an instrument, in an order in which they can be inserted."""
    days = sorted({_day(one.info) for one in observations})
    return {
        "day_obs": [{"instrument": name, "id": day} for day in days],
        "group": [{"instrument": name, "name": _group(one)} for one in observations],
        "exposure": [_exposure(name, one) for one in observations],
        "visit": [_visit(name, one) for one in observations],
        "visit_definition": [{"instrument": name, "exposure": n, "visit": n} for n in _numbers(observations)],
        "visit_system_membership": [
            {"instrument": name, "visit": n, "visit_system": VISIT_SYSTEM} for n in _numbers(observations)
        ],
        "visit_detector_region": [
            {"instrument": name, "visit": one.exposure, "detector": frame.detector, "region": frame.region}
            for one in observations
            for frame in one.frames
        ],
    }


def _numbers(observations: Iterable[Observation]) -> list[int]:
    return [one.exposure for one in observations]


def _day(info: ObservationInfo) -> int:
    return int(info.observing_day)


def _group(one: Observation) -> str:
    return str(one.info.exposure_group or one.info.observation_id)


def _common(name: str, one: Observation) -> dict[str, Any]:
    """Return what exposure and visit have in common."""
    from lsst.daf.butler import Timespan  # noqa: PLC0415

    info = one.info
    return {
        "instrument": name,
        "id": one.exposure,
        "day_obs": _day(info),
        "physical_filter": info.physical_filter,
        "exposure_time": info.exposure_time.to_value("s"),
        "observation_reason": info.observation_reason or "science",
        "seq_num": int(info.observation_counter or 0),
        "target_name": info.object or None,
        "science_program": str(info.science_program or "") or None,
        "azimuth": info.altaz_begin.az.deg if info.altaz_begin is not None else None,
        "zenith_angle": 90.0 - info.altaz_begin.alt.deg if info.altaz_begin is not None else None,
        "timespan": Timespan(info.datetime_begin, info.datetime_end),
    }


def _exposure(name: str, one: Observation) -> dict[str, Any]:
    info, common = one.info, _common(name, one)
    pointing = info.tracking_radec
    own = {
        "obs_id": info.observation_id,
        "group": _group(one),
        "dark_time": info.dark_time.to_value("s") if info.dark_time is not None else None,
        "observation_type": info.observation_type,
        "seq_start": common["seq_num"],
        "seq_end": common["seq_num"],
        "tracking_ra": pointing.icrs.ra.deg if pointing is not None else None,
        "tracking_dec": pointing.icrs.dec.deg if pointing is not None else None,
        "sky_angle": info.boresight_rotation_angle.deg if info.boresight_rotation_angle is not None else None,
        "has_simulated": True,
        "can_see_sky": True,
    }
    return common | own


def _visit(name: str, one: Observation) -> dict[str, Any]:
    return _common(name, one) | {"name": one.info.observation_id, "region": one.region}
