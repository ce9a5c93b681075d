"""From a recipe to the folder of a twin: raws, calibrations, catalogues and manifest.

The same recipe gives the same bytes. `qa.twins.cache` decides when to draw and where.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.twins import electronics, scene
from qa.twins.forms import form_of
from qa.twins.forms.base import Exposure, Readout, sidereal_time
from qa.twins.manifest import TwinCalibration, TwinDetector, TwinManifest, TwinRaw, TwinTract, write_manifest
from qa.twins.optics import crude_wcs, offset
from qa.twins.recipe import Kind
from qa.twins.schedule import calibration_shots, epoch_of
from qa.twins.sky import reference_catalogue, true_sky

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.twins.electronics import Chip
    from qa.twins.forms.base import Form, Geometry
    from qa.twins.recipe import Detector, Recipe, Visit
    from qa.twins.schedule import CalibrationShot

    Progress = Callable[[int, int], None]
    Image = NDArray[np.float32]

REFERENCE_FILE, TRUTH_FILE = "refcat.parq", "truth.parq"


@dataclass(frozen=True, slots=True)
class _Studio:
    """Everything that is the same for all exposures of a twin."""

    recipe: Recipe
    form: Form
    geometry: Geometry
    chips: dict[int, Chip]
    sky: Table

    @property
    def groups(self) -> list[list[Detector]]:
        """The detectors that share a file."""
        detectors = list(self.recipe.detectors)
        return [detectors] if self.form.together else [[detector] for detector in detectors]

    def bias(self, detector: Detector, epoch: int) -> Image:
        """Bias pattern of a detector in one epoch."""
        return electronics.bias_pattern(self.recipe, detector, epoch, self.geometry.channels)


def produce(recipe: Recipe, *, dataset: str, folder: Path, progress: Progress) -> TwinManifest:
    """Draw a twin into a folder that exists and is empty.

    `progress` is called with the number of pictures drawn and to be drawn.
    """
    form = form_of(recipe.camera)
    geometry = form.geometry(recipe.detector_shape)
    chips = {each.id: electronics.make_chip(recipe, each, geometry.channels) for each in recipe.detectors}
    studio = _Studio(recipe, form, geometry, chips, true_sky(recipe))
    counter = _Counter(progress, _number_of_pictures(recipe, form))
    calibrations = tuple(_write_calibrations(studio, folder, counter))
    _write_table(folder / TRUTH_FILE, _truth(recipe, studio.sky))
    _write_table(folder / REFERENCE_FILE, reference_catalogue(recipe, studio.sky))
    manifest = TwinManifest(
        camera=recipe.camera,
        dataset=dataset,
        instrument=form.instrument,
        detectors=tuple(TwinDetector(each.id, each.name, recipe.detector_shape) for each in recipe.detectors),
        filters={band.physical_filter: name for name, band in recipe.bands.items()},
        raws=tuple(_write_raws(studio, folder, counter)),
        calibrations=calibrations,
        refcat=REFERENCE_FILE,
        truth=TRUTH_FILE,
        crosstalk=recipe.electronics.crosstalk,
        tract=TwinTract(*recipe.centre, **recipe.tract.model_dump()),
        injected=tuple(
            scene.injected(recipe, visit, detector) for visit in _visits(recipe) for detector in recipe.detectors
        ),
    )
    write_manifest(folder, manifest)
    return manifest


def _truth(recipe: Recipe, sky: Table) -> Table:
    return sky[["id", "ra", "dec", *(f"mag_{band}" for band in recipe.bands), "star", "half_light_radius"]]


class _Counter:
    """Counts pictures."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        progress(0, total)

    def add(self, number: int) -> None:
        """Tell that so many more pictures are drawn."""
        self._done += number
        self._progress(self._done, self._total)


def _visits(recipe: Recipe) -> list[Visit]:
    return [visit for visit in recipe.visits if recipe.draws(visit.exposure)]


def _calibrations(recipe: Recipe, form: Form) -> list[CalibrationShot]:
    return [one for one in calibration_shots(recipe, step=form.step) if recipe.draws(one.shot.exposure)]


def _number_of_pictures(recipe: Recipe, form: Form) -> int:
    return (len(_visits(recipe)) + len(_calibrations(recipe, form))) * len(recipe.detectors)


def _write_raws(studio: _Studio, folder: Path, counter: _Counter) -> Iterator[TwinRaw]:
    recipe, form = studio.recipe, studio.form
    for visit in _visits(recipe):
        error = (visit.dither[0] + visit.pointing_error[0], visit.dither[1] + visit.pointing_error[1])
        exposure = Exposure(recipe, visit, offset(recipe.centre, error), form.site)
        for group in studio.groups:
            light = [scene.expected_electrons(recipe, visit, detector, studio.sky) for detector in group]
            path = _write_exposure(studio, folder, exposure, dict(zip(group, light, strict=True)))
            yield TwinRaw(path, visit.exposure, tuple(detector.id for detector in group))
            counter.add(len(group))


def _write_calibrations(studio: _Studio, folder: Path, counter: _Counter) -> Iterator[TwinCalibration]:
    recipe, site = studio.recipe, studio.form.site
    for one in _calibrations(recipe, studio.form):
        shot = one.shot
        zenith = sidereal_time(shot.begin.replace(tzinfo=UTC), site), site.latitude
        exposure = Exposure(recipe, shot, zenith, site)
        light = electronics.flat_light(recipe, shot) if shot.kind is Kind.FLAT else 0.0
        for group in studio.groups:
            path = _write_exposure(studio, folder, exposure, dict.fromkeys(group, light))
            detectors = tuple(detector.id for detector in group)
            yield TwinCalibration(shot.kind.value, path, shot.exposure, detectors, one.group, one.begin, one.end)
            counter.add(len(group))


def _write_exposure(studio: _Studio, folder: Path, exposure: Exposure, light: Mapping[Detector, Image | float]) -> str:
    """Write the file of the detectors that share it, and return its path."""
    readouts = [_expose(studio, exposure, detector, expected) for detector, expected in light.items()]
    path = f"raws/{studio.form.file_name(exposure.shot, list(light))}"
    _write_hdus(folder / path, studio.form.hdus(exposure, readouts))
    return path


def _expose(studio: _Studio, exposure: Exposure, detector: Detector, light: Image | float) -> Readout:
    recipe, geometry, chip, shot = studio.recipe, studio.geometry, studio.chips[detector.id], exposure.shot
    dark_time = shot.exposure_time + studio.form.idle
    frames = electronics.read_out(
        recipe,
        shot,
        detector,
        electronics.collected(recipe, shot, detector, light, chip=chip, dark_time=dark_time),
        chip=chip,
        bias=studio.bias(detector, epoch_of(recipe, shot.begin)),
        channels=geometry.channels,
        frame_shape=geometry.frame_shape,
        dtype=studio.form.dtype,
    )
    return Readout(detector, geometry, chip.amplifiers, crude_wcs(recipe, exposure.pointing, detector), frames)


def _write_hdus(path: Path, hdus: Any) -> None:  # noqa: ANN401 - an HDUList
    # Through memory: astropy words a full disk in ways of its own, plain files fail with ENOSPC.
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    _write_bytes(path, buffer.getbuffer())


def _write_table(path: Path, table: Table) -> None:
    import pyarrow as pa  # noqa: PLC0415 - costs a fifth of a second
    from pyarrow import parquet  # noqa: PLC0415

    buffer = io.BytesIO()
    parquet.write_table(pa.table({name: np.asarray(table[name]) for name in table.colnames}), buffer)
    _write_bytes(path, buffer.getbuffer())


def _write_bytes(path: Path, content: memoryview | Sequence[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(content)  # type: ignore[arg-type]
