import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lsst.daf.butler")

from qa.drp.accounting import QuantumStatus
from qa.drp.harvest import Harvest, discard_intermediates, harvest
from qa.metrics import catalogue
from qa.model import Measurement, Result, Scope, Unmeasured

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def whole(processed: Path, tmp_path_factory: pytest.TempPathFactory) -> Harvest:
    """Harvest of the twin processed in one go."""
    return harvest(processed, "obsqa", "hsc", "tiny", tmp_path_factory.mktemp("harvest"))


@pytest.fixture(scope="module")
def salvage(salvaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Harvest:
    """Harvest of the spoiled twin."""
    return harvest(salvaged, "obsqa", "hsc", "tiny", tmp_path_factory.mktemp("harvest"))


def find(results: tuple[Result, ...], metric: str, **scope: str) -> Result:
    """Find the one result of a metric in a scope."""
    wanted = Scope("hsc", "tiny", tract=0 if "band" in scope else None, **scope)
    (found,) = (result for result in results if result.metric == metric and result.scope == wanted)
    return found


def test_metrics_of_each_band_are_read_from_their_bundles(whole: Harvest) -> None:
    """Seeing and depth are what the recipe drew."""
    seeing = find(whole.results, "psf_fwhm", band="r")
    assert isinstance(seeing, Measurement)
    assert seeing.unit == "arcsec"
    assert seeing.value == pytest.approx(0.75, abs=0.15)
    depth = find(whole.results, "coadd_depth", band="r")
    assert isinstance(depth, Measurement)
    assert 24 < depth.value < 27


def test_single_visit_is_processed_and_repeatability_unmeasured(whole: Harvest) -> None:
    """One visit gives a coadd and its depth, and a reason where several visits are needed."""
    assert isinstance(find(whole.results, "coadd_depth", band="i"), Measurement)
    repeatability = find(whole.results, "PA1", band="i")
    assert isinstance(repeatability, Unmeasured)
    assert "seen twice or more" in repeatability.reason


def test_calibration_against_truth_is_good(whole: Harvest) -> None:
    """Positions and magnitudes agree with what was drawn."""
    position = find(whole.results, "astrometric_bias", band="r")
    brightness = find(whole.results, "photometric_bias", band="r")
    assert isinstance(position, Measurement)
    assert isinstance(brightness, Measurement)
    assert position.value < 15
    assert abs(brightness.value) < 30


def test_bands_are_compared(whole: Harvest) -> None:
    """Positions in i against r, and their colour, filed under i; a locus would need a third band."""
    names = {"AB1", "AB2", "ABF1", "PA5"}
    across = {(result.metric, result.scope.band) for result in whole.results if catalogue()[result.metric].cross_band}
    assert across == {(name, "i") for name in names}


def test_cost_is_told_by_task(whole: Harvest) -> None:
    """Each task has its CPU time per megapixel and its memory; the middleware has the rest."""
    tasks = ("isr", "characterize", "calibrate", "coadd", "measure_coadd", "measure_colours", "measure_metrics")
    assert set(whole.account.tasks) == set(tasks)
    for task in tasks:
        cpu, memory = (find(whole.results, name, task=task) for name in ("cpu_per_megapixel", "peak_memory"))
        assert isinstance(cpu, Measurement)
        assert isinstance(memory, Measurement)
        assert 50 < memory.value < 2048
    assert whole.account.megapixels == pytest.approx(8 * 384**2 / 1e6)
    middleware = find(whole.results, "middleware_cpu")
    assert isinstance(middleware, Measurement)
    assert middleware.value == pytest.approx(whole.account.total - sum(whole.account.tasks.values()))


def test_nothing_failed(whole: Harvest) -> None:
    """A good run has no failures and no caveats, and all its quanta are accounted for."""
    assert (whole.failures, whole.caveats) == ((), ())
    assert {quantum.status for quantum in whole.quanta} == {QuantumStatus.DONE}
    assert len(whole.quanta) == 8 + 8 + 2 + 2 + 2 + 2 + 1


def test_picture_shows_the_coadd_with_its_objects(whole: Harvest) -> None:
    """The picture of a band has pixels, and most objects lie on bright ones."""
    assert [path.name for path in whole.pictures] == ["coadd-i.npz", "coadd-r.npz"]
    with np.load(whole.pictures[1]) as archive:
        image, x, y = archive["image"], archive["x"], archive["y"]
        assert archive["pixel_scale"] == pytest.approx(0.168)
        assert archive["band"] == "r"
    assert len(x) > 50
    at_objects = image[np.round(y).astype(int), np.round(x).astype(int)]
    assert np.isfinite(at_objects).mean() > 0.95
    assert np.nanmedian(at_objects) > np.nanpercentile(image, 90)


def test_unusable_detectors_are_rejected_by_name_and_the_rest_goes_on(salvage: Harvest) -> None:
    """A detector without data and one without a bias cost a line each, beside those of ingest."""
    assert salvage.failures == ()
    assert len(salvage.caveats) == 4
    assert any(
        "isr detector 50 exposure 137000: detector: must have pixels with data" in line for line in salvage.caveats
    )
    assert "isr detector 50 exposure 138000: no bias valid on 2018-01-22 for detector 50" in salvage.caveats
    assert isinstance(find(salvage.results, "coadd_depth", band="r"), Measurement)
    assert isinstance(find(salvage.results, "coadd_depth", band="i"), Measurement)


def test_run_without_any_bundle_is_harvested(processed: Path, tmp_path: Path) -> None:
    """A run that came to nothing gives no results and no pictures, and no error."""
    nothing = harvest(processed, "HSC/raw/all", "hsc", "tiny", tmp_path)
    assert (nothing.results, nothing.pictures, nothing.quanta) == ((), (), ())


def test_intermediate_images_can_be_let_go(processed: Path, tmp_path: Path) -> None:
    """What only later tasks needed is deleted; coadds, catalogues and metrics stay, and a second call finds nothing."""
    from lsst.daf.butler import Butler

    repo = tmp_path / "repo"
    shutil.copytree(processed, repo)
    assert discard_intermediates(repo, "obsqa") > 0
    assert discard_intermediates(repo, "obsqa") == 0
    with Butler.from_config(str(repo), collections=["obsqa"]) as butler:
        stored = {
            name: any(butler.stored(ref) for ref in butler.query_datasets(name))
            for name in ("post_isr", "coadd", "objects", "metrics")
        }
    assert stored == {"post_isr": False, "coadd": True, "objects": True, "metrics": True}
