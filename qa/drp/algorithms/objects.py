"""Objects of a patch: detection and measurement on the coadd, its depth, and which of the true sources it covers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table
from scipy.ndimage import label
from scipy.spatial import cKDTree

from qa.drp.algorithms import psf_quality
from qa.drp.algorithms.background import subtract_background
from qa.drp.algorithms.characterize import halo_of, measure
from qa.drp.algorithms.coadd_map import describe
from qa.drp.algorithms.coadd_psf import CoaddPsf
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.kron import kron_flux
from qa.drp.algorithms.psf import FWHM_PER_SIGMA
from qa.drp.algorithms.sources import detect, footprint_mask, kernel, windowed_centroids
from qa.drp.algorithms.visits import AB_NJY
from qa.drp.algorithms.warp import empty_patch
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.coadd import Coadd
    from qa.drp.algorithms.skygrid import TangentGrid
    from qa.drp.algorithms.sources import Detections

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SIGNIFICANCE, AREA = 4.0, 8
"""Detection threshold on coadds, in sigma of the smoothed image, and on how many connected px it must be exceeded."""

SMOOTHING, LEVELS = 0.87, 32
"""Width of the detection kernel in that of the PSF, and levels of deblending: found on skies with known truth, see
`docs/explanation/processing.md`."""

PATCH_IDS = 1_000_000
"""Ids of a patch start at its number times this."""

ISOLATION = 3.0
"""A true source without another of comparable or greater brightness within so many arcsec is isolated."""

COMPARABLE = 2.0
"""Magnitudes."""

MEETING = 0.5
"""Windows that come to rest within so many FWHM of each other have found the same source."""

CELL = 32
"""Side in px of the cells whose median tells the noise of the sky."""

BRIGHT_SNR = 300.0
"""Objects whose surroundings tell whether too much sky was subtracted."""


@dataclass(frozen=True, slots=True)
class PatchMeasurement:
    """Objects and depth of a patch, a map of the latter, and the coadd with `DETECTED` set."""

    objects: Table
    depth: Table
    map: Table
    image: MaskedImage


def measure_coadd(coadd: Coadd, grid: TangentGrid, *, patch: int, outer: Box, inner: Box) -> PatchMeasurement:
    """Find and measure the objects of a coadd that covers `outer`; those in `inner` are primary.

    Returns
    -------
    measurement
        Objects: id, ra, dec (deg), x, y (tract px), mag, mag_err (AB; a star's from the PSF, a galaxy's from its
        Kron ellipse), flux, flux_err (nJy, the same), psf_flux, kron_flux and aperture_flux with their errors (nJy),
        psf_chi2 (per degree of freedom of the PSF's fit), snr, extendedness, flag, fwhm (px), parent, deblended,
        patch, primary. Objects of one `parent` share an isophote; they are `deblended` where there are several: as
        many objects as true sources in a parent is what deblending should give. Objects without positive flux are
        dropped. Depth and map: `coadd_map.describe`; the depth has what `psf_quality.FACTS` names, too, NaN where too
        few stars can judge the PSF.

    Raises
    ------
    UnusableImageError
        If the coadd has no pixel with data.
    """
    coadd, covered = _trimmed(coadd, outer)
    rough, _ = subtract_background(coadd.image)
    smoothing = max(SMOOTHING * float(rough.header.get("PSFFWHM", 0.0)), 1.5)
    threshold = SIGNIFICANCE * float(np.sqrt(np.sum(kernel(smoothing) ** 2)))
    noise = sky_noise(rough, coadd.n_visits)
    found = detect(rough, noise=noise, threshold=threshold, fwhm=smoothing, area=AREA, levels=LEVELS)
    found = at_peaks(rough, found)
    image, _ = subtract_background(coadd.image, segments=found.segments, halo=halo_of(found))
    known = CoaddPsf.of(coadd.contributions, grid)
    sources, psf, _ = measure(image, found, psf=known.within(covered) if known.contributions else None)
    image.mask = image.mask.copy()
    image.mask[found.segments > 0] |= np.int16(Mask.DETECTED)
    sources["kron_flux"], sources["kron_flux_err"] = kron_flux(image, found, psf=psf)
    sources["parent"], sources["deblended"] = parents(found)
    objects = _objects(sources, grid, patch=patch, outer=covered, inner=inner)
    bright = footprint_mask(found.segments, np.asarray(sources["snr"]) > BRIGHT_SNR)
    depth, tiles = describe(coadd, image, grid, patch=patch, psf=psf, outer=covered, bright=bright)
    for name, key in psf_quality.FACTS.items():
        depth[name] = [float(sources.meta.get(key, np.nan))]
    return PatchMeasurement(objects, depth, tiles, _restored(image, grid, covered, outer))


def parents(found: Detections) -> tuple[NDArray[np.int64], Flags]:
    """Return a number of the isophote that each detection was cut from, and whether it shares it with another."""
    if not len(found):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    islands, count = label(found.segments > 0, structure=np.ones((3, 3), dtype=np.int8))
    numbered = found.segments > 0
    island = np.zeros(len(found) + 1, dtype=np.int64)
    island[found.segments[numbered]] = islands[numbered]
    parent = island[1:]
    return parent, np.asarray((np.bincount(parent, minlength=count + 1)[parent] > 1) & (parent > 0))


def _trimmed(coadd: Coadd, outer: Box) -> tuple[Coadd, Box]:
    """Cut away the rows and columns without data: many patches lie at the edge of the field."""
    rows, columns = (np.flatnonzero((coadd.n_visits > 0).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise UnusableImageError(what="coadd", required="pixels with data", found="none")
    cut = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1).slices
    whole = coadd.image
    image, variance = np.ascontiguousarray(whole.image[cut]), np.ascontiguousarray(whole.variance[cut])
    part = MaskedImage(image, variance, np.ascontiguousarray(whole.mask[cut]), whole.header)
    x0, y0 = outer.x0 + cut[1].start, outer.y0 + cut[0].start
    covered = Box(x0, y0, x0 + cut[1].stop - cut[1].start, y0 + cut[0].stop - cut[0].start)
    return replace(coadd, image=part, n_visits=coadd.n_visits[cut]), covered


def _restored(image: MaskedImage, grid: TangentGrid, covered: Box, outer: Box) -> MaskedImage:
    """Undo `_trimmed`."""
    whole = empty_patch(grid, outer)
    place = Box(covered.x0 - outer.x0, covered.y0 - outer.y0, covered.x1 - outer.x0, covered.y1 - outer.y0).slices
    whole.image[place], whole.variance[place], whole.mask[place] = image.image, image.variance, image.mask
    whole.header = dict(image.header)
    return whole


def sky_noise(image: MaskedImage, n_visits: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return the noise without that of the sources' own light, which must not hide a faint neighbour.

    It is infinite without data, where nothing is found.
    """
    visits = np.maximum(n_visits, np.int16(1)).astype(np.float32)
    known = np.isfinite(image.variance)
    of_one_visit = np.where(known, image.variance * visits, np.float32(np.nan))
    sky: NDArray[np.float32] = np.where(known, _typical(of_one_visit) / visits, np.float32(np.inf))
    return np.sqrt(np.minimum(image.variance, sky))


def _typical(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return at every pixel the median of what is known of its cell, infinite without; one pixel in four tells it."""
    ny, nx = plane.shape
    padded = np.pad(plane, ((0, -ny % CELL), (0, -nx % CELL)), constant_values=np.nan)[::2, ::2]
    half = CELL // 2
    rows, columns = padded.shape[0] // half, padded.shape[1] // half
    cells = padded.reshape(rows, half, columns, half).swapaxes(1, 2).reshape(rows, columns, half * half)
    values = np.sort(cells, axis=2)  # what is not known comes last
    known = np.count_nonzero(np.isfinite(values), axis=2)
    middle = np.take_along_axis(values, np.maximum(known - 1, 0)[:, :, None] // 2, axis=2)[:, :, 0]
    middle[known == 0] = np.inf
    whole: NDArray[np.float32] = np.repeat(np.repeat(middle, CELL, axis=0), CELL, axis=1)[:ny, :nx]
    return whole


def at_peaks(image: MaskedImage, found: Detections) -> Detections:
    """Move the detections to the centroids within a window of the PSF's size: a blend's is that of its brightest part.

    The barycentre of two sources that share an isophote may lie on neither. Where two detections would come to rest
    on one source, the one that has the longer way stays.
    """
    fwhm = max(float(image.header.get("PSFFWHM", 0.0)), 2.0)
    x, y = windowed_centroids(image, x=found.x, y=found.y, sigma=fwhm / FWHM_PER_SIGMA)
    stays = _meeting(x, y, np.hypot(x - found.x, y - found.y), reach=MEETING * fwhm)
    return replace(found, x=np.where(stays, found.x, x), y=np.where(stays, found.y, y))


def _meeting(x: Floats, y: Floats, way: Floats, *, reach: float) -> Flags:
    """Of those that come within `reach` of each other, tell all but the one with the shortest way."""
    stays = np.zeros(len(x), dtype=bool)
    if len(x) > 1:
        one, other = cKDTree(np.column_stack([x, y])).query_pairs(reach, output_type="ndarray").T
        stays[np.where(way[one] > way[other], one, other)] = True
    return stays


def _objects(sources: Table, grid: TangentGrid, *, patch: int, outer: Box, inner: Box) -> Table:
    extended = np.asarray(sources["extendedness"]) > 0
    flux = np.where(extended, sources["kron_flux"], sources["flux"])
    error = np.where(extended, sources["kron_flux_err"], sources["flux_err"])
    x, y = np.asarray(sources["x"]) + outer.x0, np.asarray(sources["y"]) + outer.y0
    ra, dec = grid.pixel_to_sky(x, y)
    positive = (flux > 0) & (error > 0)
    safe = np.where(positive, flux, 1.0)
    primary = (x >= inner.x0 - 0.5) & (x < inner.x1 - 0.5) & (y >= inner.y0 - 0.5) & (y < inner.y1 - 0.5)
    table = Table(
        {
            "id": patch * PATCH_IDS + np.arange(len(x)), "ra": ra, "dec": dec, "x": x, "y": y,
            "mag": AB_NJY - 2.5 * np.log10(safe), "mag_err": 2.5 / np.log(10) * error / safe,
            "flux": flux, "flux_err": error, "psf_flux": sources["flux"], "psf_flux_err": sources["flux_err"],
            "kron_flux": sources["kron_flux"], "kron_flux_err": sources["kron_flux_err"],
            "aperture_flux": sources["aperture_flux"], "aperture_flux_err": sources["aperture_flux_err"],
            "psf_chi2": sources["psf_chi2"], "snr": sources["snr"],
            "extendedness": sources["extendedness"], "flag": sources["flag"], "fwhm": sources["fwhm"],
            "parent": patch * PATCH_IDS + np.asarray(sources["parent"]), "deblended": sources["deblended"],
            "patch": np.full(len(x), patch), "primary": primary,
        }
    )  # fmt: skip
    return table[positive]


def truth_coverage(truth: Table, coadd: Coadd, grid: TangentGrid, *, band: str, outer: Box, inner: Box) -> Table:
    """List the true sources in the inner region of a patch: id, ra, dec, mag, star, n_visits, isolated."""
    x, y = grid.sky_to_pixel(np.asarray(truth["ra"]), np.asarray(truth["dec"]))
    mag = np.asarray(truth[f"mag_{band}"], dtype=np.float64)
    inside = (x >= inner.x0 - 0.5) & (x < inner.x1 - 0.5) & (y >= inner.y0 - 0.5) & (y < inner.y1 - 0.5)
    inside &= np.isfinite(mag)
    near = _isolated(x, y, mag, ISOLATION / grid.pixel_scale)
    rows = np.round(y[inside]).astype(np.int64) - outer.y0
    columns = np.round(x[inside]).astype(np.int64) - outer.x0
    return Table(
        {
            "id": truth["id"][inside], "ra": truth["ra"][inside], "dec": truth["dec"][inside], "mag": mag[inside],
            "star": truth["star"][inside], "n_visits": coadd.n_visits[rows, columns], "isolated": near[inside],
        }
    )  # fmt: skip


def _isolated(x: Floats, y: Floats, mag: Floats, reach: float) -> Flags:
    alone = np.isfinite(x + y + mag)
    good = np.flatnonzero(alone)
    pairs = good[cKDTree(np.column_stack([x[good], y[good]])).query_pairs(reach, output_type="ndarray")]
    alone[pairs[mag[pairs[:, 1]] < mag[pairs[:, 0]] + COMPARABLE, 0]] = False
    alone[pairs[mag[pairs[:, 0]] < mag[pairs[:, 1]] + COMPARABLE, 1]] = False
    return alone
