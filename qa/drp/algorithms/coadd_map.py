"""How deep, how sharp and how flat a coadd is: as a whole, and on a coarse map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from qa.drp.algorithms.background import grown
from qa.drp.algorithms.coadd import TILE, tiles
from qa.drp.algorithms.sources import aperture_flux, bits_within
from qa.drp.algorithms.visits import AB_NJY
from qa.drp.algorithms.warp import SAMPLING
from qa.drp.image import Box, Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.coadd import Coadd
    from qa.drp.algorithms.psf import Psf
    from qa.drp.algorithms.skygrid import TangentGrid
    from qa.drp.image import MaskedImage

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FEWEST_EMPTY, LEAST_EMPTY = 20, 0.6
"""Apertures without a detected pixel that tell the noise, and their part of all from which a field is not crowded."""

DEPTH_GRID, DEPTH_RADIUS = 25, 1.0
"""Apertures for the noise: their spacing in px and their radius in FWHM."""

NEAR, FAR = 3.0, 8.0
"""The surroundings of a bright object lie between so many FWHM from its isophote."""

SPARSE = 4
"""Every so many rows (and columns) are enough for the sky of a tile or of an object's surroundings."""

FEWEST_SKY = 100
"""Empty pixels needed to speak of the sky."""


def describe(
    coadd: Coadd, image: MaskedImage, grid: TangentGrid, *, patch: int, psf: Psf, outer: Box, bright: Flags
) -> tuple[Table, Table]:
    """Measure depth, noise and sky of a coadd that covers `outer`.

    Parameters
    ----------
    coadd
        As it was made.
    image
        The same, background-subtracted, with `DETECTED` set.
    grid
        Pixels of the tract.
    patch
        Number of the patch.
    psf
        PSF of the image, places in its pixels.
    outer
        What the coadd covers.
    bright
        Pixels of bright objects.

    Returns
    -------
    depth
        One row: patch, area_arcmin2, depth5 (AB, 5 sigma for a point source measured with the PSF as weight),
        n_visits_median, psf_fwhm (arcsec), sky_noise_ratio (scatter of empty apertures over what the variance plane
        promises; NaN in a crowded field, where it tells the light of faint sources, too), sky_residual (median of the
        empty pixels of the coadd as it was made, nJy/arcsec^2), sky_residual_bright (the same around bright objects:
        negative where the sky was over-subtracted; that of the whole where there are none).
    map
        One row per rectangle of up to `coadd.TILE` px a side with data: patch, x, y (tract px), ra, dec (deg) of its
        middle, width and height (px), n_visits (median), depth5, psf_fwhm (arcsec), psf_e1, psf_e2, sky_residual.
    """
    covered = coadd.n_visits > 0
    ratio, crowded = noise_ratio(image, psf.fwhm)
    per_area = 1 / grid.pixel_scale**2
    empty = covered & ((image.mask & np.int16(Mask.DETECTED | Mask.SATURATED)) == 0)
    residual = _median(coadd.image.image[::SAMPLING][empty[::SAMPLING]], 0.0)
    variance = _variance(coadd.image.variance[::SAMPLING], covered[::SAMPLING], coadd.image.header)
    depth = Table(
        {
            "patch": [patch],
            "area_arcmin2": [float(covered.sum()) * (grid.pixel_scale / 60) ** 2],
            "depth5": [float(_depth5(variance * ratio**2, psf.fwhm))],
            "n_visits_median": [_middle(coadd.n_visits)],
            "psf_fwhm": [psf.fwhm * grid.pixel_scale],
            "sky_noise_ratio": [np.nan if crowded else ratio],
            "sky_residual": [residual * per_area],
            "sky_residual_bright": [_around(coadd.image, empty, bright, psf.fwhm, residual) * per_area],
        }
    )
    return depth, _map(coadd, empty, grid, patch=patch, psf=psf, outer=outer, ratio=ratio, residual=residual)


def _map(
    coadd: Coadd, empty: Flags, grid: TangentGrid, *, patch: int, psf: Psf, outer: Box, ratio: float, residual: float
) -> Table:
    ny, nx = coadd.n_visits.shape
    rows = []
    for tile in tiles(Box(0, 0, nx, ny), TILE):
        part = tile.slices
        n_visits = coadd.n_visits[part]
        if not (n_visits > 0).any():
            continue
        some = slice(tile.y0, tile.y1, SPARSE), part[1]
        variance = _variance(coadd.image.variance[some], n_visits[::SPARSE] > 0, coadd.image.header)
        sky = _median(coadd.image.image[some][empty[some]], residual) / grid.pixel_scale**2
        middle = (tile.x0 + tile.x1 - 1) / 2, (tile.y0 + tile.y1 - 1) / 2
        size = tile.x1 - tile.x0, tile.y1 - tile.y0
        rows.append((*middle, *size, _middle(n_visits), variance * ratio**2, sky))
    x, y, width, height, visits, noise, sky = np.array(rows, dtype=np.float64).T
    fwhm, e1, e2 = psf.at(x, y)
    ra, dec = grid.pixel_to_sky(x + outer.x0, y + outer.y0)
    return Table(
        {
            "patch": np.full(len(x), patch), "x": x + outer.x0, "y": y + outer.y0, "ra": ra, "dec": dec,
            "width": width, "height": height, "n_visits": visits, "depth5": _depth5(noise, fwhm),
            "psf_fwhm": fwhm * grid.pixel_scale, "psf_e1": e1, "psf_e2": e2, "sky_residual": sky,
        }
    )  # fmt: skip


def _depth5(variance: Floats | float, fwhm: Floats | float) -> Floats:
    # The effective area of a Gaussian PSF is 4 pi sigma^2 = pi fwhm^2 / (2 ln 2); LSE-40, section on m5.
    noise = np.sqrt(np.asarray(variance) * np.pi * np.asarray(fwhm) ** 2 / (2 * np.log(2)))
    return np.asarray(AB_NJY - 2.5 * np.log10(5 * noise))


def _variance(variance: NDArray[np.float32], covered: Flags, header: dict[str, str | int | float | bool]) -> float:
    """Median of the variance where there are data; that of the header where these rows have none."""
    known = variance[covered]
    return float(np.median(known)) if len(known) else float(header["SKYVAR"])


def noise_ratio(image: MaskedImage, fwhm: float) -> tuple[float, bool]:
    """Scatter of apertures on empty sky over what the variance plane promises, and whether the field is crowded.

    In a crowded field the light of sources too faint to be found scatters as well: that limits the depth, but is no
    noise that the variance lacks. The ratio is 1 if there is too little empty sky to tell; the field then is crowded.
    """
    ny, nx = image.shape
    x, y = (
        plane.ravel().astype(np.float64)
        for plane in np.meshgrid(*(np.arange(DEPTH_GRID, n, DEPTH_GRID) for n in (nx, ny)))
    )
    radius = np.full(len(x), DEPTH_RADIUS * fwhm)
    bits = bits_within(image.mask, x=x, y=y, radius=radius)
    empty, open_sky = bits == 0, (bits & ~np.int16(Mask.DETECTED)) == 0
    if empty.sum() < FEWEST_EMPTY:
        return 1.0, True
    flux, error = aperture_flux(image, x=x[empty], y=y[empty], radius=radius[empty])
    pull = flux / error
    crowded = bool(empty.sum() < LEAST_EMPTY * open_sky.sum())
    return float(1.4826 * np.median(np.abs(pull - np.median(pull)))), crowded


def _around(image: MaskedImage, empty: Flags, bright: Flags, fwhm: float, otherwise: float) -> float:
    if not bright.any():
        return otherwise
    # Every SPARSE-th pixel of every SPARSE-th row: the sky is smooth, and marking surroundings is dear.
    some = np.ascontiguousarray(bright[::SPARSE, ::SPARSE])
    far = grown(some, round(FAR * fwhm / SPARSE)) & ~grown(some, round(NEAR * fwhm / SPARSE))
    return _median(image.image[::SPARSE, ::SPARSE][empty[::SPARSE, ::SPARSE] & far], otherwise)


def _middle(n_visits: NDArray[np.int16]) -> float:
    """Median of the counts that are not 0, from every SPARSE-th row where these have some."""
    some = n_visits[::SPARSE] if n_visits[::SPARSE].any() else n_visits
    number = np.cumsum(np.bincount(some.ravel())[1:])
    return float(np.searchsorted(number, (number[-1] + 1) // 2) + 1)


def _median(values: NDArray[np.float32], otherwise: float) -> float:
    return float(np.median(values)) if len(values) >= FEWEST_SKY else otherwise
