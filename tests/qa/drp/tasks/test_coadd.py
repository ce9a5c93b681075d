# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
import pytest

base = pytest.importorskip("lsst.pipe.base")

from astropy.table import Table

from qa.drp.skymap import SkyMap
from qa.drp.tasks.base import CAVEATS
from qa.drp.tasks.coadd import CoaddConfig, CoaddTask

pytestmark = pytest.mark.pipeline


def test_a_patch_that_no_visit_reaches_is_no_work() -> None:
    """A patch predicted to overlap by its region alone is given up quietly."""
    sky_map = SkyMap("toy", ra=10.0, dec=0.0, pixel_scale=0.2, npix=100, patch_npix=100, border=0)
    with pytest.raises(base.NoWorkFound, match="no calibrated detector reaches patch 0"):
        CoaddTask(config=CoaddConfig()).run(calexps=[], solutions=Table(), sky_map=sky_map, patch=0)


def test_a_visit_that_disagrees_is_named() -> None:
    """A visit of which more than a twentieth was left out is a caveat of the night."""
    task = CoaddTask(config=CoaddConfig())
    task._report({1: 0.01, 2: 0.3})
    assert list(task.metadata.getArray(CAVEATS)) == ["visit 2: 30 % of its pixels were left out as outliers"]
