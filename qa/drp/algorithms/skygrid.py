"""Gnomonic (TAN) projection in plain numpy, and the pixel grid of a tract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from qa.drp.image import Box

    Floats = NDArray[np.float64]

ARCSEC = 3600.0
"""Arcsec per degree."""


def sky_to_plane(ra: ArrayLike, dec: ArrayLike, *, ra0: float, dec0: float) -> tuple[Floats, Floats]:
    """Project (ra, dec) in degrees on the plane touching the sky at (ra0, dec0).

    Returns
    -------
    xi, eta
        Standard coordinates in degrees, xi growing to the east; NaN for points 90 degrees or more away.
        Calabretta & Greisen (2002), A&A 395, 1077, section 5.1.3.
    """
    delta = np.radians(np.asarray(ra, dtype=np.float64) - ra0)
    sin_dec, cos_dec = _sincos(dec)
    sin0, cos0 = _sincos(dec0)
    depth = sin_dec * sin0 + cos_dec * cos0 * np.cos(delta)
    depth = np.where(depth > 0, depth, np.nan)
    xi = cos_dec * np.sin(delta) / depth
    eta = (sin_dec * cos0 - cos_dec * sin0 * np.cos(delta)) / depth
    return np.degrees(xi), np.degrees(eta)


def plane_to_sky(xi: ArrayLike, eta: ArrayLike, *, ra0: float, dec0: float) -> tuple[Floats, Floats]:
    """Undo `sky_to_plane`; ra in [0, 360)."""
    x, y = np.radians(np.asarray(xi, dtype=np.float64)), np.radians(np.asarray(eta, dtype=np.float64))
    sin0, cos0 = _sincos(dec0)
    depth = cos0 - y * sin0
    ra = np.degrees(np.arctan2(x, depth)) + ra0
    dec = np.degrees(np.arctan2(sin0 + y * cos0, np.hypot(x, depth)))
    return np.mod(ra, 360.0), dec


def mean_direction(ra: ArrayLike, dec: ArrayLike) -> tuple[float, float]:
    """Mean of directions, right across ra = 0. Degrees."""
    sin_ra, cos_ra = _sincos(ra)
    sin_dec, cos_dec = _sincos(dec)
    x, y, z = (cos_dec * cos_ra).mean(), (cos_dec * sin_ra).mean(), np.mean(sin_dec)
    return float(np.degrees(np.arctan2(y, x)) % 360.0), float(np.degrees(np.arctan2(z, np.hypot(x, y))))


def _sincos(degrees: ArrayLike) -> tuple[Floats, Floats]:
    angle = np.radians(np.asarray(degrees, dtype=np.float64))
    return np.sin(angle), np.cos(angle)


@dataclass(frozen=True, slots=True)
class TangentGrid:
    """The square pixel grid of a tract: TAN about (ra, dec) in degrees, north up, east left.

    `pixel_scale` in arcsec; `npix` is the side. The centre lies on pixel ((npix - 1) / 2, (npix - 1) / 2), 0-based.
    """

    ra: float
    dec: float
    pixel_scale: float
    npix: int

    @property
    def centre(self) -> float:
        """Both pixel coordinates of the tangent point."""
        return (self.npix - 1) / 2

    def pixel_to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Sky coordinates in degrees of tract pixels."""
        step = self.pixel_scale / ARCSEC
        xi = (self.centre - np.asarray(x, dtype=np.float64)) * step
        eta = (np.asarray(y, dtype=np.float64) - self.centre) * step
        return plane_to_sky(xi, eta, ra0=self.ra, dec0=self.dec)

    def sky_to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Floats, Floats]:
        """Tract pixels of sky coordinates in degrees."""
        step = self.pixel_scale / ARCSEC
        xi, eta = sky_to_plane(ra, dec, ra0=self.ra, dec0=self.dec)
        return self.centre - xi / step, self.centre + eta / step

    def wcs_cards(self, box: Box) -> dict[str, str | int | float | bool]:
        """FITS cards of the part of the grid inside `box`."""
        step = self.pixel_scale / ARCSEC
        return {
            "CTYPE1": "RA---TAN",
            "CTYPE2": "DEC--TAN",
            "CUNIT1": "deg",
            "CUNIT2": "deg",
            "CRVAL1": self.ra,
            "CRVAL2": self.dec,
            "CRPIX1": self.centre - box.x0 + 1,
            "CRPIX2": self.centre - box.y0 + 1,
            "CD1_1": -step,
            "CD1_2": 0.0,
            "CD2_1": 0.0,
            "CD2_2": step,
        }
