import pytest

pytest.importorskip("lsst.pipe.base")

from astropy.table import Table

from qa.drp.skymap import SkyMap
from qa.drp.tasks.measure_metrics import MeasureMetricsConfig, MeasureMetricsTask, join_patches
from qa.metrics.bundle import from_bundle
from qa.model import Scope, Unmeasured

pytestmark = pytest.mark.pipeline


def test_patches_are_joined_in_order() -> None:
    """However the patches are found, the table is the same; none at all is no table."""
    joined = join_patches([Table({"patch": [3], "id": [30]}), Table({"patch": [1, 1], "id": [10, 11]})])
    assert joined is not None
    assert joined["id"].tolist() == [10, 11, 30]
    assert join_patches([]) is None


def test_tract_without_anything_measured_says_why() -> None:
    """Empty tables give a bundle in which every metric has a reason."""
    sky_map = SkyMap("toy", ra=10.0, dec=0.0, pixel_scale=0.2, npix=100, patch_npix=100, border=0)
    scope = Scope("toy", "twin", band="r", tract=0)
    tables = {"matched": None, "visit_summary": None}
    bundle = MeasureMetricsTask(config=MeasureMetricsConfig()).run(tables, sky_map, scope=scope).metrics
    results = from_bundle(bundle, scope)
    assert {result.metric for result in results} >= {"PA1", "coadd_depth"}
    assert all(isinstance(result, Unmeasured) and result.reason for result in results)
