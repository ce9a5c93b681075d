from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from qa.twins.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qa.twins.recipe import Recipe

pytestmark = pytest.mark.pipeline
pytest.importorskip("galsim")
parquet = pytest.importorskip("pyarrow.parquet")

CAMERAS = ("hsc", "decam", "megaprime", "lsstcam", "latiss")


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("camera", ["hsc", "latiss"])
def test_the_same_recipe_gives_the_same_bytes(
    camera: str, toy_twin: Callable[[str], Path], toy_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    """Every file of a twin drawn twice is the same to the last byte."""
    from qa.twins.produce import produce

    produce(toy_recipe(camera), dataset="toy", folder=tmp_path, progress=lambda _done, _total: None)
    first, second = contents(toy_twin(camera)), contents(tmp_path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_manifest_names_all_files_and_no_others(camera: str, toy_twin: Callable[[str], Path]) -> None:
    """Raws, calibrations and catalogues of the manifest are the files of the folder."""
    folder = toy_twin(camera)
    manifest = read_manifest(folder)
    named = {raw.path for raw in manifest.raws} | {each.path for each in manifest.calibrations}
    assert named | {manifest.refcat, manifest.truth, "manifest.json"} == set(contents(folder))


def test_every_visit_has_one_group_of_biases_by_date(toy_twin: Callable[[str], Path]) -> None:
    """The epochs of the biases follow each other without gap, open at both ends; darks and flats hold for all dates."""
    manifest = read_manifest(toy_twin("hsc"))
    validities = {(each.kind, each.group, each.begin, each.end) for each in manifest.calibrations}
    assert validities == {
        ("bias", "calibration-0", None, "2018-01-20T00:00:37.000"),
        ("bias", "calibration-1", "2018-01-20T00:00:37.000", None),
        ("dark", "calibration-0", None, None),
        ("flat", "calibration-0", None, None),
    }


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_cameras_own_translator_knows_what_calibrations_are(camera: str, toy_twin: Callable[[str], Path]) -> None:
    """Type, exposure time and id come out as drawn, and the pixels are read like those of any raw."""
    from qa.drp.raw import kind_of, observation_info, read_raw

    folder = toy_twin(camera)
    manifest = read_manifest(folder)
    detector = manifest.detectors[-1].id
    for one in (each for each in manifest.calibrations if detector in each.detectors):
        info = observation_info(folder / one.path)
        assert (kind_of(info.observation_type), info.exposure_id) == (one.kind, one.exposure)
        assert info.exposure_time.to_value("s") == {"bias": 0.0, "dark": 300.0, "flat": 8.0}[one.kind]
        level = np.median(read_raw(folder / one.path, detector=detector).segments[0].data)
        assert (level > 10_000) == (one.kind == "flat")


def test_progress_counts_the_pictures(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Progress goes from none to all of the detectors of all visits."""
    from qa.twins.produce import produce

    seen: list[tuple[int, int]] = []
    produce(toy_recipe("decam"), dataset="toy", folder=tmp_path, progress=lambda *counts: seen.append(counts))
    assert seen == [(done, 32) for done in range(0, 33, 2)]


def test_the_truth_holds_what_was_drawn(toy_twin: Callable[[str], Path]) -> None:
    """Truth has stars and galaxies with magnitudes and sizes; the reference catalogue's stars are among them."""
    folder = toy_twin("hsc")
    truth, reference = (parquet.read_table(folder / name).to_pydict() for name in ("truth.parq", "refcat.parq"))
    assert list(truth) == ["id", "ra", "dec", "mag_r", "star", "half_light_radius"]
    assert list(reference) == ["id", "ra", "dec", "ra_err", "dec_err", "mag_r", "mag_err_r"]
    assert set(truth["star"]) == {True, False}
    stars = {number for number, star in zip(truth["id"], truth["star"], strict=True) if star}
    assert set(reference["id"]) <= stars


def test_what_was_injected_is_told_per_detector_and_exposure(
    toy_twin: Callable[[str], Path], toy_recipe: Callable[..., Recipe]
) -> None:
    """Zero point, sky and PSF are there for every picture."""
    manifest, recipe = read_manifest(toy_twin("hsc")), toy_recipe("hsc")
    pairs = [(each.exposure, each.detector) for each in manifest.injected]
    assert pairs == [(visit.exposure, detector.id) for visit in recipe.visits for detector in recipe.detectors]
    assert np.ptp([each.zero_point for each in manifest.injected]) > 0.0
