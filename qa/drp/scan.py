"""A folder of a user's own raw files as a manifest: what each file is, by its own header cards.

Nothing is copied or changed. Files that cannot be used are told, never a reason to stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.skygrid import mean_direction, plane_to_sky, sky_to_plane
from qa.drp.image import Box
from qa.drp.observations import crude_sky
from qa.drp.raw import RawFile, describe_raw
from qa.drp.scan_calibrations import Calibrating, in_groups
from qa.drp.skymap import corners
from qa.errors import DocumentError
from qa.twins.manifest import TwinDetector, TwinManifest, TwinRaw, TwinTract

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from obs_registry.model import Camera
    from qa.drp.raw import DetectorFacts

    Floats = NDArray[np.float64]

SUFFIXES = (".fits", ".fits.fz", ".fits.gz", ".fit", ".fts")
CALIBRATIONS = ("bias", "dark", "flat")
FIELD_DEGREES = 2.0
"""Exposures farther than this from the field that most of them show are of another field."""

_MARGIN_PIXELS = 100
_PATCH_PIXELS = 2000
_BORDER = 50


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a folder holds; `caveats` has a line for each file that is left out, saying why."""

    manifest: TwinManifest
    caveats: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """The usable files, and what was said about the others."""

    science: list[tuple[Path, RawFile]] = field(default_factory=list)
    calibrations: list[tuple[Path, RawFile]] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    seen: dict[tuple[int, int], Path] = field(default_factory=dict)
    wanted: tuple[str, ...] = ("science", *CALIBRATIONS)
    bands: Collection[str] = ()


def scan(
    folder: Path,
    camera: Camera,
    *,
    dataset: str = "raws",
    reference: Path | None = None,
    calibrations: Path | None = None,
    bands: Collection[str] = (),
) -> Scanned:
    """Find the raws of a camera in a folder and below, and what can be made of them.

    Biases, darks and flats are combined in groups, one for each run of days on which biases were taken; the masters of
    a group are valid from its first exposure until that of the next. The tract is laid around the science exposures.
    Crosstalk is not corrected: coefficients are known of twins only.

    Parameters
    ----------
    folder
        Where the files are. Those that are not called like FITS files are not looked at.
    camera
        Whose files are taken; it says of which band a filter is.
    dataset
        Name of the data set.
    reference
        A reference catalogue as Parquet, with the columns of a twin's.
    calibrations
        Another folder, of which calibration exposures are taken and nothing else.
    bands
        The bands of which exposures of the sky are taken; empty for all.

    Raises
    ------
    DocumentError
        If there is no usable exposure of the sky; the message has the first reason.
    """
    found, files = _Found(bands=bands), _fits_files(folder)
    _look_at(files, camera, found)
    if calibrations is not None:
        found.wanted = CALIBRATIONS
        _look_at([path for path in _fits_files(calibrations) if path not in files], camera, found)
    science = list(_in_one_field(found))
    if not science:
        none = "none" if files else f"no file called {', '.join(f'*{suffix}' for suffix in SUFFIXES)}"
        said = f"{none} ({found.caveats[0]})" if found.caveats else none
        of_band = f" in {' or '.join(bands)}" if bands else ""
        required = f"a folder with a usable exposure of the sky{of_band} with {camera.name}"
        raise DocumentError(folder, required=required, found=said)
    return Scanned(_manifest(camera, dataset, reference, science, found), tuple(found.caveats))


def _fits_files(folder: Path) -> list[Path]:
    there = (path for path in folder.resolve().rglob("*") if path.name.lower().endswith(SUFFIXES))
    return sorted(path for path in there if path.is_file())


def _look_at(files: Sequence[Path], camera: Camera, found: _Found) -> None:
    for path in files:
        reason = _sort(path, camera, found)
        if reason:
            found.caveats.append(f"{path.name} left out: {reason}")


def _sort(path: Path, camera: Camera, found: _Found) -> str:
    """Put a file where it belongs, or say why it belongs nowhere."""
    try:
        raw = describe_raw(path)
    except DocumentError as error:
        return str(error)
    reason = _unwanted(path, raw, camera, found)
    band = camera.instrument.filters.get(raw.info.physical_filter)
    asked = raw.kind != "science" or not found.bands or band in found.bands
    if not reason and asked:
        found.seen.update({(int(raw.info.exposure_id), one.id): path for one in raw.detectors})
        (found.science if raw.kind == "science" else found.calibrations).append((path, raw))
    return reason


def _unwanted(path: Path, raw: RawFile, camera: Camera, found: _Found) -> str:
    """Say why a readable file is not taken; nothing if it is."""
    info = raw.info
    if info.instrument != camera.instrument.name:
        return f"must be of {camera.instrument.name}, found {info.instrument}"
    if raw.kind not in found.wanted:
        return f"must be of type {', '.join(found.wanted)}, found {info.observation_type}"
    if raw.kind in ("science", "flat") and info.physical_filter not in camera.instrument.filters:
        return f"must be taken through a filter that the registry knows of {camera.name}, found {info.physical_filter}"
    twice = [found.seen[key] for one in raw.detectors if (key := (int(info.exposure_id), one.id)) in found.seen]
    return f"must be there once, found the same exposure in {twice[0].name}" if twice and twice[0] != path else ""


def _in_one_field(found: _Found) -> Iterator[tuple[Path, RawFile]]:
    """Give the exposures of the field that most of them show; the others become caveats."""
    if not found.science:
        return
    pointings = np.array([_direction(raw) for _, raw in found.science])
    distances = np.degrees(np.arccos(np.clip(pointings @ pointings.T, -1.0, 1.0)))
    middle = int(np.argmax((distances < FIELD_DEGREES).sum(axis=1)))
    for (path, raw), distance in zip(found.science, distances[middle], strict=True):
        if distance < FIELD_DEGREES:
            yield path, raw
        else:
            reason = f"must lie within {FIELD_DEGREES:g} deg of the others, found {distance:.1f} deg"
            found.caveats.append(f"{path.name} left out: {reason}")


def _direction(raw: RawFile) -> Floats:
    """Return the unit vector of where the telescope pointed."""
    pointing = raw.info.tracking_radec.icrs
    (vector,) = _unit_vectors(np.array([pointing.ra.deg]), np.array([pointing.dec.deg]))
    return np.asarray(vector)


def _unit_vectors(ra: Floats, dec: Floats) -> Floats:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def _manifest(
    camera: Camera, dataset: str, reference: Path | None, science: Sequence[tuple[Path, RawFile]], found: _Found
) -> TwinManifest:
    filters = {raw.info.physical_filter for _, raw in science}
    everything = [*science, *found.calibrations]
    calibrations, said = in_groups([_calibrating(path, raw) for path, raw in found.calibrations])
    found.caveats += said
    return TwinManifest(
        camera=camera.name,
        dataset=dataset,
        instrument=camera.instrument.name,
        detectors=_detectors(one for _, raw in everything for one in raw.detectors),
        filters={name: band for name, band in camera.instrument.filters.items() if name in filters},
        raws=tuple(TwinRaw(str(path), int(raw.info.exposure_id), _ids(raw)) for path, raw in science),
        calibrations=calibrations,
        refcat=None if reference is None else str(reference.resolve()),
        truth=None,
        tract=_tract([raw for _, raw in science], camera.instrument.pixel_scale),
    )


def _ids(raw: RawFile) -> tuple[int, ...]:
    return tuple(one.id for one in raw.detectors)


def _calibrating(path: Path, raw: RawFile) -> Calibrating:
    begin = raw.info.datetime_begin.tai
    return Calibrating(str(path), raw.kind, int(raw.info.exposure_id), _ids(raw), begin.mjd, str(begin.isot))


def _detectors(facts: Iterable[DetectorFacts]) -> tuple[TwinDetector, ...]:
    known = {one.id: TwinDetector(one.id, one.name, one.shape) for one in facts}
    return tuple(known[number] for number in sorted(known))


def _tract(science: Sequence[RawFile], pixel_scale: float) -> TwinTract:
    """Lay a square around all detectors of all exposures, as their headers place them."""
    places = [crude_sky(one.header, *corners(Box(0, 0, one.shape[1], one.shape[0]))) for one in _all(science)]
    ra, dec = (np.concatenate(axis) for axis in zip(*places, strict=True))
    centre = mean_direction(ra, dec)
    xi, eta = sky_to_plane(ra, dec, ra0=centre[0], dec0=centre[1])
    # The middle of the extremes, not the mean: dithers are not symmetric.
    shift = (xi.max() + xi.min()) / 2, (eta.max() + eta.min()) / 2
    ra0, dec0 = (float(value) for value in plane_to_sky(*shift, ra0=centre[0], dec0=centre[1]))
    side = max(np.ptp(xi), np.ptp(eta)) * 3600.0 / pixel_scale
    npix = int(np.ceil(side)) + 2 * _MARGIN_PIXELS
    return TwinTract(ra0, dec0, pixel_scale, npix, -(-npix // max(round(npix / _PATCH_PIXELS), 1)), _BORDER)


def _all(science: Iterable[RawFile]) -> Iterator[DetectorFacts]:
    return (one for raw in science for one in raw.detectors)
