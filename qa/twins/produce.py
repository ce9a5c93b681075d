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
from qa.twins.forms.base import TAI_MINUS_UTC, Exposure, Readout, isot
from qa.twins.manifest import TwinCalibration, TwinDetector, TwinManifest, TwinRaw, TwinTract, write_manifest
from qa.twins.optics import crude_wcs, offset
from qa.twins.sky import reference_catalogue, true_sky

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.twins.electronics import Chip
    from qa.twins.forms.base import Form, Geometry
    from qa.twins.recipe import Detector, Recipe, Visit

    Progress = Callable[[int, int], None]

REFERENCE_FILE, TRUTH_FILE = "refcat.parq", "truth.parq"


@dataclass(frozen=True, slots=True)
class _Studio:
    """Everything that is the same for all exposures of a twin."""

    recipe: Recipe
    form: Form
    geometry: Geometry
    chips: dict[int, Chip]
    sky: Table


def produce(recipe: Recipe, *, dataset: str, folder: Path, progress: Progress) -> TwinManifest:
    """Draw a twin into a folder that exists and is empty.

    `progress` is called with the number of pictures drawn and to be drawn.
    """
    form = form_of(recipe.camera)
    geometry = form.geometry(recipe.detector_shape)
    chips = {each.id: electronics.make_chip(recipe, each, geometry.channels) for each in recipe.detectors}
    studio = _Studio(recipe, form, geometry, chips, true_sky(recipe))
    calibrations = tuple(_write_calibrations(studio, folder))
    _write_table(folder / TRUTH_FILE, _truth(recipe, studio.sky))
    _write_table(folder / REFERENCE_FILE, reference_catalogue(recipe, studio.sky))
    manifest = TwinManifest(
        camera=recipe.camera,
        dataset=dataset,
        instrument=form.instrument,
        detectors=tuple(TwinDetector(each.id, each.name, recipe.detector_shape) for each in recipe.detectors),
        filters={band.physical_filter: name for name, band in recipe.bands.items()},
        raws=tuple(_write_raws(studio, folder, progress)),
        calibrations=calibrations,
        refcat=REFERENCE_FILE,
        truth=TRUTH_FILE,
        tract=TwinTract(*recipe.centre, **recipe.tract.model_dump()),
        injected=tuple(
            scene.injected(recipe, visit, detector) for visit in recipe.visits for detector in recipe.detectors
        ),
    )
    write_manifest(folder, manifest)
    return manifest


def _truth(recipe: Recipe, sky: Table) -> Table:
    return sky[["id", "ra", "dec", *(f"mag_{band}" for band in recipe.bands), "star", "half_light_radius"]]


def _write_raws(studio: _Studio, folder: Path, progress: Progress) -> Iterator[TwinRaw]:
    recipe, form = studio.recipe, studio.form
    total, done = len(recipe.visits) * len(recipe.detectors), 0
    groups = [list(recipe.detectors)] if form.together else [[detector] for detector in recipe.detectors]
    progress(done, total)
    for visit in recipe.visits:
        error = (visit.dither[0] + visit.pointing_error[0], visit.dither[1] + visit.pointing_error[1])
        exposure = Exposure(recipe, visit, offset(recipe.centre, error), form.site)
        for group in groups:
            readouts = [_expose(studio, visit, detector) for detector in group]
            path = f"raws/{form.file_name(visit, group)}"
            _write_hdus(folder / path, form.hdus(exposure, readouts))
            yield TwinRaw(path, visit.exposure, tuple(detector.id for detector in group))
            done += len(group)
            progress(done, total)


def _expose(studio: _Studio, visit: Visit, detector: Detector) -> Readout:
    recipe, geometry, chip = studio.recipe, studio.geometry, studio.chips[detector.id]
    expected = scene.expected_electrons(recipe, visit, detector, studio.sky)
    frames = electronics.read_out(
        recipe,
        visit,
        detector,
        electronics.collected(recipe, visit, detector, expected, chip),
        chip=chip,
        bias=electronics.bias_pattern(recipe, detector, bias_epoch(recipe, visit), geometry.channels),
        channels=geometry.channels,
        frame_shape=geometry.frame_shape,
        dtype=studio.form.dtype,
    )
    return Readout(detector, geometry, chip.amplifiers, crude_wcs(recipe, visit, detector), frames)


def bias_epoch(recipe: Recipe, visit: Visit) -> int:
    """Tell the number of the bias epoch a visit falls into."""
    return max(sum(epoch <= visit.begin for epoch in recipe.bias_epochs) - 1, 0)


def _write_calibrations(studio: _Studio, folder: Path) -> Iterator[TwinCalibration]:
    recipe, channels = studio.recipe, studio.geometry.channels
    starts = [isot(epoch.replace(tzinfo=UTC) + TAI_MINUS_UTC) for epoch in recipe.bias_epochs]
    for detector in recipe.detectors:
        chip = studio.chips[detector.id]
        for epoch, (begin, end) in enumerate(zip([None, *starts[1:]], [*starts[1:], None], strict=True)):
            path = f"calibs/bias-{detector.id:03d}-{epoch}.fits"
            _write_picture(folder / path, electronics.master_bias(recipe, detector, epoch, channels))
            yield TwinCalibration("bias", path, detector.id, None, begin, end)
        for number, (band, facts) in enumerate(recipe.bands.items()):
            path = f"calibs/flat-{detector.id:03d}-{band}.fits"
            _write_picture(folder / path, electronics.master_flat(recipe, detector, chip, channels, number))
            yield TwinCalibration("flat", path, detector.id, facts.physical_filter)
        path = f"calibs/defects-{detector.id:03d}.fits"
        _write_picture(folder / path, chip.bad.astype(np.uint8))
        yield TwinCalibration("defects", path, detector.id)


def _write_picture(path: Path, picture: NDArray[Any]) -> None:
    from astropy.io import fits  # noqa: PLC0415 - costs a tenth of a second

    _write_hdus(path, fits.HDUList([fits.PrimaryHDU(picture)]))


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
