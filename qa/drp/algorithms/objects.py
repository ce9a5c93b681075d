"""Objects of a patch: detection and measurement on the coadd, its depth, and which of the true sources it covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

from qa.drp.algorithms.background import subtract_background
from qa.drp.algorithms.characterize import halo_of, measure
from qa.drp.algorithms.coadd import Coadd
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.sources import aperture_flux, bits_within, detect, kernel, kron_flux
from qa.drp.algorithms.visits import AB_NJY
from qa.drp.algorithms.warp import SAMPLING, empty_patch
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.algorithms.psf import PsfModel
    from qa.drp.algorithms.skygrid import TangentGrid

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SIGNIFICANCE = 5.0
"""Detection threshold on coadds, in sigma of the image smoothed with the PSF."""

PATCH_IDS = 1_000_000
"""Ids of a patch start at its number times this."""

ISOLATION = 3.0
"""A true source without another of comparable or greater brightness within so many arcsec is isolated."""

COMPARABLE = 2.0
"""Magnitudes."""

FEWEST_EMPTY = 20
DEPTH_GRID, DEPTH_RADIUS = 25, 1.0
"""Apertures for the noise: their spacing in px and their radius in FWHM."""


@dataclass(frozen=True, slots=True)
class PatchMeasurement:
    """Objects and depth of a patch, and its coadd with `DETECTED` set."""

    objects: Table
    depth: Table
    image: MaskedImage


def measure_coadd(coadd: Coadd, grid: TangentGrid, *, patch: int, outer: Box, inner: Box) -> PatchMeasurement:
    """Find and measure the objects of a coadd that covers `outer`; those in `inner` are primary.

    Returns
    -------
    measurement
        Objects: id, ra, dec (deg), x, y (tract px), mag, mag_err (AB; a star's from its aperture, a galaxy's from its
        Kron ellipse), flux, flux_err (nJy), snr, extendedness, flag, fwhm (px), patch, primary. Objects without
        positive flux are dropped.

    Raises
    ------
    UnusableImageError
        If the coadd has no pixel with data.
    """
    coadd, covered = _trimmed(coadd, outer)
    rough, _ = subtract_background(coadd.image)
    smoothing = max(float(rough.header.get("PSFFWHM", 0.0)), 1.5)
    threshold = SIGNIFICANCE * float(np.sqrt(np.sum(kernel(smoothing) ** 2)))
    found = detect(rough, noise=_noise(rough), threshold=threshold, fwhm=smoothing)
    image, _ = subtract_background(coadd.image, segments=found.segments, halo=halo_of(found))
    sources, psf, _ = measure(image, found)
    image.mask = image.mask.copy()
    image.mask[found.segments > 0] |= np.int16(Mask.DETECTED)
    sources["kron_flux"], sources["kron_flux_err"] = kron_flux(image, found)
    objects = _objects(sources, grid, patch=patch, outer=covered, inner=inner)
    depth = _depth(coadd, image, grid, patch=patch, psf=psf)
    return PatchMeasurement(objects, depth, _restored(image, grid, covered, outer))


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
    return Coadd(part, coadd.n_visits[cut]), covered


def _restored(image: MaskedImage, grid: TangentGrid, covered: Box, outer: Box) -> MaskedImage:
    """Undo `_trimmed`."""
    whole = empty_patch(grid, outer)
    place = Box(covered.x0 - outer.x0, covered.y0 - outer.y0, covered.x1 - outer.x0, covered.y1 - outer.y0).slices
    whole.image[place], whole.variance[place], whole.mask[place] = image.image, image.variance, image.mask
    whole.header = dict(image.header)
    return whole


def _noise(image: MaskedImage) -> NDArray[np.float32]:
    return np.sqrt(np.where(np.isfinite(image.variance), image.variance, np.float32(0)))


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
            "flux": flux, "flux_err": error, "snr": sources["snr"],
            "extendedness": sources["extendedness"], "flag": sources["flag"], "fwhm": sources["fwhm"],
            "patch": np.full(len(x), patch), "primary": primary,
        }
    )  # fmt: skip
    return table[positive]


def _depth(coadd: Coadd, image: MaskedImage, grid: TangentGrid, *, patch: int, psf: PsfModel) -> Table:
    """5 sigma depth for a point source measured with the PSF as weight, from the scatter of empty apertures."""
    covered = coadd.n_visits > 0
    ratio = _empty_scatter(image, psf.fwhm)
    known = coadd.image.variance[::SAMPLING][covered[::SAMPLING]]
    variance = float(np.median(known if len(known) else coadd.image.variance[covered])) * ratio**2
    # The effective area of a Gaussian PSF is 4 pi sigma^2 = pi fwhm^2 / (2 ln 2); LSE-40, section on m5.
    noise = np.sqrt(variance * np.pi * psf.fwhm**2 / (2 * np.log(2)))
    return Table(
        {
            "patch": [patch],
            "area_arcmin2": [float(covered.sum()) * (grid.pixel_scale / 60) ** 2],
            "depth5": [float(AB_NJY - 2.5 * np.log10(5 * noise))],
            "n_visits_median": [float(np.median(coadd.n_visits[covered]))],
            "psf_fwhm": [psf.fwhm * grid.pixel_scale],
        }
    )


def _empty_scatter(image: MaskedImage, fwhm: float) -> float:
    """Scatter of apertures on empty sky over what the variance plane promises; 1 if there is too little empty sky."""
    ny, nx = image.shape
    x, y = (
        plane.ravel().astype(np.float64)
        for plane in np.meshgrid(*(np.arange(DEPTH_GRID, n, DEPTH_GRID) for n in (nx, ny)))
    )
    radius = np.full(len(x), DEPTH_RADIUS * fwhm)
    empty = bits_within(image.mask, x=x, y=y, radius=radius) == 0
    if empty.sum() < FEWEST_EMPTY:
        return 1.0
    flux, error = aperture_flux(image, x=x[empty], y=y[empty], radius=radius[empty])
    pull = flux / error
    return float(1.4826 * np.median(np.abs(pull - np.median(pull))))


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
