"""A twin small enough to be drawn and processed within a test session, once whole and once spoiled in many ways."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits

if TYPE_CHECKING:
    from qa.drp.command import PipelineRun

RUN = "obsqa"
RECIPE = """
camera: hsc
seed: 7
centre: [150.1, 2.2]
detector_shape: [384, 384]
detectors:
  - {id: 49, name: "0_12", centre: [-203.0, 0.0]}
  - {id: 50, name: "1_12", centre: [203.0, 0.0]}
optics: {pixel_scale: 0.168, radius: 2.0, distortion: 0.5}
electronics: {gain: 3.2, read_noise: 4.5, bias: 1500.0, saturation: 60000.0, crosstalk: [-2.0e-4]}
bands:
  r: {physical_filter: HSC-R, zero_point: 28.8}
  i: {physical_filter: HSC-I, zero_point: 28.6, colour: -0.3}
stars: {density: 60.0, brightest: 16.5, faintest: 24.5, slope: 0.2}
galaxies: {density: 20.0, brightest: 19.0, faintest: 24.5, slope: 0.3}
reference: {brightest: 17.0, faintest: 22.5}
epochs:
  - {begin: 2018-01-15T06:00:00, exposure: 136800, bias: 3, dark: 2, flat: 2}
  - {begin: 2018-01-20T06:00:00, exposure: 137900, bias: 3, dark: 0, flat: 0}
visits:
  - {exposure: 137000, band: r, begin: 2018-01-16T12:00:00, exposure_time: 30.0, dither: [0, 0], seeing: 0.7, sky: 20.9}
  - {exposure: 137002, band: r, begin: 2018-01-16T12:02:00, exposure_time: 30, dither: [5, -4], seeing: 0.8, sky: 20.8}
  - {exposure: 138000, band: r, begin: 2018-01-22T11:30:00, exposure_time: 30, dither: [-4, 6], seeing: 0.6, sky: 21.0}
  - {exposure: 137010, band: i, begin: 2018-01-16T12:10:00, exposure_time: 40.0, dither: [3, 4], seeing: 0.6, sky: 20.0}
tract: {pixel_scale: 0.168, npix: 940, patch_npix: 940, border: 20}
"""

Process = Callable[..., int]


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw two detectors, three visits in r and a single one in i."""
    pytest.importorskip("galsim")
    from qa.twins.produce import produce
    from qa.twins.recipe import load_recipe

    folder = tmp_path_factory.mktemp("twin")
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    data = folder / "data"
    data.mkdir()
    produce(load_recipe(recipe), dataset="tiny", folder=data, progress=lambda _done, _total: None)
    return data


@pytest.fixture
def copied(twin: Path, tmp_path: Path) -> Path:
    """Copy the twin, to be spoiled."""
    return Path(shutil.copytree(twin, tmp_path / "copied"))


@pytest.fixture(scope="session")
def spoiled(twin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spoil the twin: a truncated raw, a missing card, a detector without data and one without a bias."""
    from qa.twins.manifest import read_manifest, write_manifest

    folder = Path(shutil.copytree(twin, tmp_path_factory.mktemp("spoiled") / "data"))
    raws = {(raw.exposure, raw.detectors[0]): folder / raw.path for raw in read_manifest(folder).raws}
    truncated = raws[137002, 49]
    truncated.write_bytes(truncated.read_bytes()[:100_000])
    with fits.open(raws[137002, 50], mode="update") as hdus:
        del hdus[0].header["EXPTIME"]
    blank(raws[137000, 50])
    manifest = read_manifest(folder)
    kept = tuple(one for one in manifest.calibrations if (one.kind, one.detectors, one.end) != ("bias", (50,), None))
    write_manifest(folder, replace(manifest, calibrations=kept))
    return folder


def blank(path: Path) -> None:
    """Make all pixels of a raw NaN."""
    with fits.open(path) as hdus:
        header, shape = hdus[0].header.copy(), hdus[0].data.shape
    for card in ("BZERO", "BSCALE"):
        header.remove(card, ignore_missing=True)
    fits.writeto(path, np.full(shape, np.nan, np.float32), header, overwrite=True)


def process(repo: Path, *, until: str | None = None) -> int:
    """Run the pipeline; with `until`, kill it when the first file of that data set type is there."""
    from qa.drp.command import processing

    make_masters(repo)
    return run(processing(repo, run=RUN), until=repo / RUN / until if until else None)


def make_masters(repo: Path) -> None:
    """Make and certify the master calibrations."""
    from qa.drp.calibrations import certify, is_certified, making_masters

    if not is_certified(repo):
        assert run(making_masters(repo)) == 0
        certify(repo)


def run(what: PipelineRun, *, until: Path | None = None) -> int:
    """Carry out a run in a fork of this process, which spares the imports, and return its exit code.

    With `until`, kill it when the first file appears below that folder.
    """

    def work() -> None:
        from qa.drp.executor.run import execute, log_like_pipetask

        with what.repo.with_name(f"{what.repo.name}.log").open("a") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            log_like_pipetask()
            os._exit(execute(what, workers=2).failed > 0)

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    while until and child.is_alive():
        if any(until.rglob("*.*")):
            child.kill()
        time.sleep(0.01)
    child.join(300)
    assert child.exitcode is not None
    return child.exitcode


@pytest.fixture(scope="session")
def processed(twin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ingest the twin and process it in one go."""
    from qa.drp.ingest import ingest

    repo = tmp_path_factory.mktemp("processed") / "butler"
    ingest(twin, repo)
    assert process(repo) == 0
    return repo


@pytest.fixture(scope="session")
def salvaged(spoiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ingest the spoiled twin and process it as far as it goes."""
    from qa.drp.ingest import ingest

    repo = tmp_path_factory.mktemp("salvaged") / "butler"
    ingest(spoiled, repo)
    assert process(repo) == 0
    return repo


@pytest.fixture(scope="session")
def run_pipeline() -> Process:
    """Return the function that runs the pipeline."""
    return process


@pytest.fixture(scope="session")
def carry_out() -> Process:
    """Return the function that carries out a run of any pipeline."""
    return run
