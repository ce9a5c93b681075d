from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("lsst.daf.butler")
pytest.importorskip("galsim")

from obs_registry.loader import load_registry
from obs_registry.model import OwnRaws
from qa.drp.ingest import read_ingested
from qa.drp.own_raws import dataset_name, described, ingest_own, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.pipeline


@pytest.fixture
def raws(toy_twin: Callable[[str], Path], tmp_path: Path) -> Path:
    """Copy the raws of a twin into a folder of a user."""
    return Path(shutil.copytree(toy_twin("latiss") / "raws", tmp_path / "M 51"))


def test_what_was_prepared_is_found_again(toy_twin: Callable[[str], Path], raws: Path, tmp_path: Path) -> None:
    """A run's folder says what its data set is, whatever happens to the user's files."""
    camera, place = load_registry(plugins=False)["latiss"], tmp_path / "place"
    assert described(place) is None
    prepared = prepare(raws, camera, reference=toy_twin("latiss") / "refcat.parq")
    prepared.write(place)
    assert prepared.dataset == OwnRaws(name="m-51", bands=("r",), reference=True)
    assert described(place) == prepared.dataset


def test_a_repository_is_made_without_a_reference(raws: Path, tmp_path: Path) -> None:
    """Without a reference catalogue the raws are ingested as they are; nothing of them is copied."""
    camera, place = load_registry(plugins=False)["latiss"], tmp_path / "place"
    prepare(raws, camera).write(place)
    found = described(place)
    assert found is not None
    assert not found.reference
    assert ingest_own(place, tmp_path / "butler") == read_ingested(tmp_path / "butler")
    assert read_ingested(tmp_path / "butler").dataset == "m-51"
    assert not list((tmp_path / "butler").rglob("*.fits"))


def test_calibrations_may_lie_elsewhere(raws: Path, tmp_path: Path) -> None:
    """Of the second folder only calibration exposures are taken, and of the bands only those asked for."""
    camera = load_registry(plugins=False)["latiss"]
    alone = prepare(raws, camera).scanned.manifest
    science = {Path(raw.path).name for raw in alone.raws}
    other = tmp_path / "biases"
    other.mkdir()
    for path in [path for path in raws.iterdir() if path.name not in science]:
        path.rename(other / path.name)
    shutil.copy(raws / min(science), other)
    found = prepare(raws, camera, calibrations=other, bands=["r"]).scanned
    assert len(found.manifest.raws) == len(alone.raws)
    assert len(found.manifest.calibrations) == len(alone.calibrations)
    (told,) = found.caveats
    assert "must be of type bias, dark, flat, found" in told


@pytest.mark.parametrize(
    ("folder", "name"),
    [("M51 r+i", "m51-r-i"), ("2024-11-02", "raws-2024-11-02"), ("__", "raws"), ("ngc_7331", "ngc_7331")],
)
def test_data_sets_are_called_like_their_folders(folder: str, name: str) -> None:
    """Names are in small letters, digits, - and _, a letter first."""
    assert dataset_name(Path("data") / folder) == name
