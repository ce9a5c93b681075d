"""From raw files to what the registry stores about them: exposures, visits, regions on the sky.

A visit is an exposure: the cameras here take no snaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa.drp.algorithms.skygrid import plane_to_sky
from qa.drp.image import Box
from qa.drp.instrument import VISIT_SYSTEM
from qa.drp.raw import detector_header, kind_of, observation_info, read_raw
from qa.drp.skymap import corners, polygon
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from astro_metadata_translator import ObservationInfo
    from astropy.io.fits import Header
    from lsst.sphgeom import ConvexPolygon

    from qa.drp.skymap import Coordinates
    from qa.twins.manifest import TwinCalibration, TwinManifest

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


@dataclass(frozen=True, slots=True)
class Calibration:
    """One calibration exposure: what its translator says, its readable detectors (id -> file), and its group."""

    info: ObservationInfo
    files: dict[int, Path]
    kind: str
    group: str

    @property
    def exposure(self) -> int:
        """The exposure's number."""
        return int(self.info.exposure_id)


def read_calibrations(manifest: TwinManifest, folder: Path) -> tuple[list[Calibration], list[str]]:
    """Read the headers of all calibration exposures.

    Returns
    -------
    calibrations
        The exposures that have at least one readable detector and are what the manifest says.
    caveats
        A line for every detector that was left out, saying why.
    """
    found: dict[int, Calibration] = {}
    caveats: list[str] = []
    for one in manifest.calibrations:
        path = folder / one.path
        for detector in one.detectors:
            try:
                detector_header(path, detector=detector)
                if one.exposure not in found:
                    found[one.exposure] = _calibration(path, one)
            except DocumentError as error:
                caveats.append(f"{one.kind} {one.exposure} detector {detector} left out: {error}")
            else:
                found[one.exposure].files[detector] = path
    return list(found.values()), caveats


def _calibration(path: Path, one: TwinCalibration) -> Calibration:
    info = observation_info(path)
    kind = kind_of(info.observation_type)
    if kind != one.kind:
        raise DocumentError(path, required=f"a {one.kind} exposure", found=f"one of type {info.observation_type!r}")
    return Calibration(info, {}, one.kind, one.group)


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
    return Frame(path, detector, polygon(*crude_sky(header, x, y)))


def crude_sky(header: Header, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Project pixels to the sky (deg) by the linear tangent-plane WCS of a raw header."""
    dx, dy = x + 1 - header["CRPIX1"], y + 1 - header["CRPIX2"]
    xi = header["CD1_1"] * dx + header["CD1_2"] * dy
    eta = header["CD2_1"] * dx + header["CD2_2"] * dy
    return plane_to_sky(xi, eta, ra0=header["CRVAL1"], dec0=header["CRVAL2"])


def filters_of(calibrations: Iterable[Calibration]) -> set[str]:
    """Return the physical filters in the beam of calibration exposures."""
    return {_filter(one.info) for one in calibrations}


def dimension_records(
    name: str, observations: Sequence[Observation], calibrations: Sequence[Calibration] = ()
) -> dict[str, list[dict[str, Any]]]:
    """Return the registry's records of the exposures of an instrument, in an order in which they can be inserted."""
    infos = [one.info for one in observations] + [one.info for one in calibrations]
    days = sorted({_day(info) for info in infos})
    groups = [_group(one) for one in observations] + sorted({one.group for one in calibrations})
    exposures = [_exposure(name, one.info, _group(one), "science") for one in observations]
    exposures += [_exposure(name, one.info, one.group, one.kind) for one in calibrations]
    return {
        "day_obs": [{"instrument": name, "id": day} for day in days],
        "group": [{"instrument": name, "name": group} for group in dict.fromkeys(groups)],
        "exposure": exposures,
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


def _filter(info: ObservationInfo) -> str:
    """Name the filter in the beam, which biases and darks may not tell."""
    return info.physical_filter or "unknown"


def _common(name: str, info: ObservationInfo) -> dict[str, Any]:
    """Return what exposure and visit have in common."""
    from lsst.daf.butler import Timespan  # noqa: PLC0415

    return {
        "instrument": name,
        "id": int(info.exposure_id),
        "day_obs": _day(info),
        "physical_filter": _filter(info),
        "exposure_time": info.exposure_time.to_value("s"),
        "observation_reason": info.observation_reason or "science",
        "seq_num": int(info.observation_counter or 0),
        "target_name": info.object or None,
        "science_program": str(info.science_program or "") or None,
        "azimuth": info.altaz_begin.az.deg if info.altaz_begin is not None else None,
        "zenith_angle": 90.0 - info.altaz_begin.alt.deg if info.altaz_begin is not None else None,
        "timespan": Timespan(info.datetime_begin, info.datetime_end),
    }


def _exposure(name: str, info: ObservationInfo, group: str, kind: str) -> dict[str, Any]:
    common, pointing = _common(name, info), info.tracking_radec
    own = {
        "obs_id": info.observation_id,
        "group": group,
        "dark_time": info.dark_time.to_value("s") if info.dark_time is not None else None,
        "observation_type": kind,
        "seq_start": common["seq_num"],
        "seq_end": common["seq_num"],
        "tracking_ra": pointing.icrs.ra.deg if pointing is not None else None,
        "tracking_dec": pointing.icrs.dec.deg if pointing is not None else None,
        "sky_angle": info.boresight_rotation_angle.deg if info.boresight_rotation_angle is not None else None,
        "has_simulated": True,
        "can_see_sky": kind == "science",
    }
    return common | own


def _visit(name: str, one: Observation) -> dict[str, Any]:
    return _common(name, one.info) | {"name": one.info.observation_id, "region": one.region}
