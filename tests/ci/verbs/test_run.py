"""`obsqa run`, for real: a plain folder of raws from scan to report."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

pytest.importorskip("lsst.daf.butler")
pytest.importorskip("galsim")

from qa.journal import read_record, runs_under
from qa.metrics import catalogue
from qa.model import Lane, Measurement

pytestmark = pytest.mark.pipeline
OBSQA = str(Path(sysconfig.get_path("scripts")) / "obsqa")
RECIPE = """
camera: hsc
seed: 7
centre: [150.1, 2.2]
detector_shape: [384, 384]
detectors:
  - {id: 49, name: "0_12", centre: [-203.0, 0.0]}
  - {id: 50, name: "1_12", centre: [203.0, 0.0]}
optics: {pixel_scale: 0.168, radius: 2.0, distortion: 0.5}
electronics: {gain: 3.2, read_noise: 4.5, bias: 1500.0, saturation: 60000.0}
bands: {r: {physical_filter: HSC-R, zero_point: 28.8}}
stars: {density: 60.0, brightest: 16.5, faintest: 24.5, slope: 0.2}
galaxies: {density: 20.0, brightest: 19.0, faintest: 24.5, slope: 0.3}
reference: {brightest: 17.0, faintest: 22.5}
epochs: [{begin: 2018-01-15T06:00:00, exposure: 136800, bias: 3, dark: 2, flat: 2}]
visits:
  - {exposure: 137000, band: r, begin: 2018-01-16T12:00:00, exposure_time: 30, dither: [0, 0], seeing: 0.7, sky: 20.9}
  - {exposure: 137002, band: r, begin: 2018-01-16T12:02:00, exposure_time: 30, dither: [5, -4], seeing: 0.8, sky: 20.8}
  - {exposure: 138000, band: r, begin: 2018-01-22T11:30:00, exposure_time: 30, dither: [-4, 6], seeing: 0.6, sky: 21}
tract: {pixel_scale: 0.168, npix: 940, patch_npix: 940, border: 20}
"""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw two detectors, three visits and what calibrates them."""
    from qa.twins.produce import produce
    from qa.twins.recipe import load_recipe

    folder = tmp_path_factory.mktemp("twin")
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "data").mkdir()
    recipe = load_recipe(folder / "recipe.yaml")
    produce(recipe, dataset="tiny", folder=folder / "data", progress=lambda _done, _total: None)
    return folder / "data"


def obsqa(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run obsqa in a folder."""
    environ = {**os.environ, "OBSQA_RUNS": str(folder / "runs")}
    return subprocess.run(
        [OBSQA, *arguments], env=environ, cwd=folder, text=True, capture_output=True, check=False, timeout=240
    )


def test_a_folder_of_raws_is_processed_like_a_night(twin: Path, tmp_path: Path) -> None:
    """Raws, biases, darks and flats in one folder and a reference catalogue become a judged report.

    A value of it is put into an archive with its raws, and comes out again where these are gone.
    """
    from astropy.table import Table

    raws = shutil.copytree(twin / "raws", tmp_path / "m51")
    Table.read(twin / "refcat.parq").write(tmp_path / "stars.csv")
    done = obsqa(tmp_path, "run", "--raws", "m51", "--camera", "hsc", "--reference", "stars.csv", "--json")
    assert done.returncode in {0, 1}, done.stderr
    assert json.loads(done.stdout)
    (run,) = runs_under(tmp_path / "runs")
    record = read_record(run)
    assert record.plan.lane is Lane.RAWS
    assert record.completed("hsc")
    assert record.provenance["data raws"] == str(raws)
    definitions = catalogue()
    assert not [one for one in record.results if "truth_coverage" in definitions[one.metric].reads]
    measured = {one.metric for one in record.results if isinstance(one, Measurement)}
    assert {"AA1", "D1", "psf_fwhm", "coadd_depth"} <= measured
    assert (run / "report" / "index.html").is_file()

    assert obsqa(tmp_path, "measure", "latest").returncode == done.returncode
    assert read_record(run).results == record.results

    made = obsqa(tmp_path, "reproduce", "latest", "hsc", "AA1", "--out", "value.tar.gz")
    assert made.returncode == 0, made.stdout + made.stderr
    shutil.rmtree(raws)
    again = obsqa(tmp_path, "reproduce", "value.tar.gz", "--json")
    assert again.returncode == 0, again.stdout + again.stderr
    answer = json.loads(again.stdout)
    assert (answer["same"], answer["facts"]) == (True, [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--camera", "hsc"),
            "must be a folder with a usable exposure of the sky with hsc, found no file called",
        ),
        (("--camera", "nocam"), "no camera is called 'nocam'; known:"),
    ],
)
def test_what_cannot_be_processed_is_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """A folder without raws and an unknown camera are told at once, and no run is begun."""
    (tmp_path / "m51").mkdir()
    done = obsqa(tmp_path, "run", "--raws", "m51", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not runs_under(tmp_path / "runs")
