# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
import pytest

base = pytest.importorskip("lsst.pipe.base")

from astropy.table import Table

from qa.drp.skymap import SkyMap
from qa.drp.tasks.warp import WarpConfig, WarpTask

pytestmark = pytest.mark.pipeline


def test_visit_that_reaches_no_pixel_of_the_patch_is_no_work() -> None:
    """A patch predicted to overlap by its region alone is given up quietly."""
    sky_map = SkyMap("toy", ra=10.0, dec=0.0, pixel_scale=0.2, npix=100, patch_npix=100, border=0)
    with pytest.raises(base.NoWorkFound, match="no calibrated detector of the visit reaches patch 0"):
        WarpTask(config=WarpConfig()).run(calexps=[], solutions=Table(), sky_map=sky_map, patch=0)
