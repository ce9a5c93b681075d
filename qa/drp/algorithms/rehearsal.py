"""The whole chain on a few pixels of noise, so that processes forked afterwards find its inner loops compiled."""

from __future__ import annotations

import numpy as np

from qa.drp.algorithms.characterize import characterize
from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.cosmics import cosmic_rays
from qa.drp.algorithms.objects import measure_coadd
from qa.drp.algorithms.skygrid import ARCSEC, TangentGrid
from qa.drp.algorithms.solution import Solution, TanSip, ZeroPoint, psf_of
from qa.drp.algorithms.stacking import clipped_mean
from qa.drp.algorithms.warp import VisitInput
from qa.drp.image import Box, MaskedImage

SIZE, SCALE = 320, 0.2
SKY, PEAK, SIGMA = 100.0, 2000.0, 2.0


def rehearse() -> None:
    """Stack, characterize, coadd and measure some made-up stars in all the memory layouts that the pipeline has."""
    exposure = _exposure()
    clipped_mean(np.stack([exposure.image, exposure.image]), exposure.variance)
    cosmic_rays(exposure)
    done = characterize(exposure)
    image, sources = done.image, done.sources
    zero_point = ZeroPoint(SIZE, SIZE, np.array([31.0, 0, 0, 0, 0, 0]))
    wcs = TanSip.from_header(exposure.header)
    solutions = [Solution(visit, 0, SIZE, SIZE, wcs, zero_point, psf_of(sources.meta)) for visit in (0, 1)]
    grid = TangentGrid(ra=150.0, dec=2.0, pixel_scale=SCALE, npix=2 * SIZE)
    middle, half = SIZE, SIZE // 2
    for reach in (half - 40, half + 40):  # inside the detector, and around it: their parts lie differently in memory
        box = Box(middle - reach, middle - reach, middle + reach, middle + reach)
        coadd = coadd_visits([VisitInput.of(image, one) for one in solutions], grid, box)
        measure_coadd(coadd, grid, patch=0, outer=box, inner=box)


def _exposure() -> MaskedImage:
    v, u = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    # So many stars that the PSF gets residual pixels, too.
    places = [(x, y) for x in (-60, 0, 60) for y in (-60, 0, 60)]
    stars = sum(PEAK * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * SIGMA**2)) for x, y in places)
    electrons = np.random.default_rng(1).poisson(SKY + stars).astype(np.float32)
    step, crpix = SCALE / ARCSEC, (SIZE + 1) / 2
    header: dict[str, str | int | float | bool] = {"EXPTIME": 30.0, "CRVAL1": 150.0, "CRVAL2": 2.0}
    header |= {"CRPIX1": crpix, "CRPIX2": crpix, "CD1_1": -step, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": step}
    return MaskedImage(electrons, electrons.copy(), np.zeros((SIZE, SIZE), dtype=np.int16), header)
