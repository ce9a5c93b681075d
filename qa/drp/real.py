"""Reduced frames of real cameras, with any WCS that astropy knows, as masked images of the embedded pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.skygrid import ARCSEC, sky_to_plane
from qa.drp.algorithms.solution import TanSip, fit_tan_sip
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NODES = 17
"""Grid over the frame through which its WCS is fitted."""

WCS_ERROR = 1e-3
"""Arcsec: a WCS that TAN-SIP does not follow this well is refused."""

CARRIED = ("AIRMASS", "FILTER", "DATE-OBS", "MJD-OBS", "OBJECT")
"""Cards kept in the header of the image."""


def read_reduced(
    path: Path, *, gain: float | None = None, exposure_time: float | None = None, saturation: float | None = None
) -> MaskedImage:
    """Read a frame whose signature has been removed, and perhaps its sky.

    The variance is that of the frame's own empty pixels, which has in it what was subtracted and resampled before,
    plus the photon noise of what is above them.

    Parameters
    ----------
    path
        FITS file; its first image is read.
    gain
        Electrons per unit of the image; from the card GAIN without it.
    exposure_time
        Seconds; from the card EXPTIME without it.
    saturation
        Level, in the unit of the image, from which pixels are saturated; from the card SATURATE without it, or none.

    Returns
    -------
    image
        In electrons, with pixels that are not finite masked, and the cards of a TAN-SIP WCS in its header.

    Raises
    ------
    UnusableImageError
        If there is no image, no WCS, or a fact that is neither given nor in the header.
    """
    with fits.open(path) as hdus:
        found = [hdu for hdu in hdus if hdu.is_image and hdu.data is not None and hdu.data.ndim == 2]  # noqa: PLR2004 - an image
        if not found:
            raise UnusableImageError(what=path.name, required="an image of two axes", found="none")
        cards, pixels = found[0].header, np.array(found[0].data, dtype=np.float64)
    seconds = _fact(path, cards, "EXPTIME", exposure_time)
    electrons = pixels * _fact(path, cards, "GAIN", gain)
    limit = saturation if saturation is not None else cards.get("SATURATE", np.inf)
    mask = np.where(np.isfinite(pixels), 0, Mask.NO_DATA).astype(np.int16)
    mask[pixels >= limit] |= np.int16(Mask.SATURATED)
    good = electrons[mask == 0]
    if not len(good):
        raise UnusableImageError(what=path.name, required="finite pixels", found="none")
    middle = float(np.median(good))
    noise = 1.4826 * float(np.median(np.abs(good - middle)))
    electrons = np.where(np.isfinite(electrons), electrons, middle)
    variance = noise**2 + np.maximum(electrons - middle, 0)
    wcs = tan_sip(_wcs(path, cards), shape=pixels.shape)
    header = {"EXPTIME": seconds} | {name: cards[name] for name in CARRIED if name in cards} | wcs.to_header()
    return MaskedImage(electrons.astype(np.float32), variance.astype(np.float32), mask, header)


def tan_sip(wcs: WCS, *, shape: tuple[int, ...]) -> TanSip:
    """Fit a TAN-SIP WCS through another one, over an image of `shape` (ny, nx).

    Raises
    ------
    UnusableImageError
        If the fit is off by more than `WCS_ERROR`.
    """
    ny, nx = shape
    x, y = (plane.ravel() for plane in np.meshgrid(np.linspace(-1, nx, NODES), np.linspace(-1, ny, NODES)))
    ra, dec = (np.asarray(values, dtype=np.float64) for values in wcs.all_pix2world(x, y, 0))
    fitted = fit_tan_sip(x, y, ra, dec, shape=(ny, nx))
    xi, eta = sky_to_plane(*fitted.pixel_to_sky(x, y), ra0=fitted.crval[0], dec0=fitted.crval[1])
    u, v = sky_to_plane(ra, dec, ra0=fitted.crval[0], dec0=fitted.crval[1])
    error = ARCSEC * float(np.hypot(xi - u, eta - v).max())
    if not error <= WCS_ERROR:
        raise UnusableImageError(
            what="WCS", required=f"a TAN-SIP fit to {WCS_ERROR} arcsec", found=f"an error of {error:.3g} arcsec"
        )
    return fitted


def _wcs(path: Path, cards: fits.Header) -> WCS:
    wcs = WCS(cards)
    if not wcs.has_celestial:
        raise UnusableImageError(what=path.name, required="a celestial WCS", found="none in the header")
    return wcs


def _fact(path: Path, cards: Mapping[str, Any], name: str, given: float | None) -> float:
    value = given if given is not None else cards.get(name)
    if not isinstance(value, int | float) or not value > 0:
        raise UnusableImageError(what=path.name, required=f"a positive {name}", found=str(value))
    return float(value)
