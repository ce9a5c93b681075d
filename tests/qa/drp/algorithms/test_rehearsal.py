from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("numba")

from qa.drp.algorithms import background, clip, coadd, cosmics, moments, psf_photometry, sources, stacking, warp
from qa.drp.algorithms.calibrate import calibrate
from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.cosmics import cosmic_rays
from qa.drp.algorithms.objects import measure_coadd
from qa.drp.algorithms.rehearsal import rehearse
from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.algorithms.solution import solutions_from_table
from qa.drp.algorithms.stacking import clipped_mean
from qa.drp.algorithms.warp import VisitInput
from qa.drp.image import Box

if TYPE_CHECKING:
    from conftest import Survey

pytestmark = pytest.mark.pipeline


def compiled_variants() -> int:
    """Count the variants of all compiled loops that this process holds."""
    modules = (background, clip, coadd, cosmics, moments, psf_photometry, sources, stacking, warp)
    loops = [value for module in modules for value in vars(module).values() if hasattr(value, "nopython_signatures")]
    assert loops
    return sum(len(loop.nopython_signatures) for loop in loops)


def test_after_the_rehearsal_nothing_is_left_to_compile(survey: Survey) -> None:
    """The chain on real layouts meets no loop that the rehearsal did not meet."""
    rehearse()
    before = compiled_variants()
    solved = solutions_from_table(calibrate(survey.catalogs, survey.reference, band="r").solutions)
    grid, box = TangentGrid(ra=survey.ra, dec=survey.dec, pixel_scale=0.2, npix=1200), Box(200, 200, 900, 900)
    inputs = [VisitInput.of(survey.images[key], solved[key]) for key in solved]
    clipped_mean(np.zeros((3, 5, 5), np.float32), np.ones((5, 5), np.float32))
    cosmic_rays(next(iter(survey.exposures.values())))
    measure_coadd(coadd_visits(inputs, grid, box), grid, patch=0, outer=box, inner=box)
    assert compiled_variants() == before
