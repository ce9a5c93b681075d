"""The whole chain on a few pixels of noise, so that processes forked afterwards find its inner loops compiled."""

from __future__ import annotations

import numpy as np

from qa.drp.algorithms.characterize import characterize
from qa.drp.algorithms.coadd import coadd_warps
from qa.drp.algorithms.objects import measure_coadd
from qa.drp.algorithms.skygrid import ARCSEC, TangentGrid
from qa.drp.algorithms.solution import Solution, TanSip, ZeroPoint
from qa.drp.algorithms.warp import warp_visit
from qa.drp.image import Box, MaskedImage

SIZE, SCALE = 320, 0.2
SKY, PEAK, SIGMA = 100.0, 2000.0, 2.0


def rehearse() -> None:
    """Characterize, warp, coadd and measure one made-up star in all the memory layouts that the pipeline has."""
    exposure = _exposure()
    image = characterize(exposure).image
    zero_point = ZeroPoint(SIZE, SIZE, np.array([31.0, 0, 0, 0, 0, 0]))
    solution = Solution(0, 0, SIZE, SIZE, TanSip.from_header(exposure.header), zero_point)
    grid = TangentGrid(ra=150.0, dec=2.0, pixel_scale=SCALE, npix=2 * SIZE)
    middle, half = SIZE, SIZE // 2
    for reach in (half - 40, half + 40):  # inside the detector, and around it: their parts lie differently in memory
        box = Box(middle - reach, middle - reach, middle + reach, middle + reach)
        warp = warp_visit([(image, solution)], grid, box)
        if warp is not None:
            measure_coadd(coadd_warps([warp, warp]), grid, patch=0, outer=box, inner=box)


def _exposure() -> MaskedImage:
    v, u = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    star = PEAK * np.exp(-(u**2 + v**2) / (2 * SIGMA**2))
    electrons = np.random.default_rng(1).poisson(SKY + star).astype(np.float32)
    step, crpix = SCALE / ARCSEC, (SIZE + 1) / 2
    header: dict[str, str | int | float | bool] = {"EXPTIME": 30.0, "CRVAL1": 150.0, "CRVAL2": 2.0}
    header |= {"CRPIX1": crpix, "CRPIX2": crpix, "CD1_1": -step, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": step}
    return MaskedImage(electrons, electrons.copy(), np.zeros((SIZE, SIZE), dtype=np.int16), header)
