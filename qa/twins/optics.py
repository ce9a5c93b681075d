"""From the sky to pixels: pointing, atmosphere, distortion, rotation and the place of a detector.

Pure array functions. The mapping is exact in the direction sky -> pixel, which is the one drawing needs.
Field coordinates are gnomonic, in arcsec to the east and north of the pointing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.twins.recipe import Detector, Recipe, Visit

    Floats = NDArray[np.float64]

_ARCSEC = math.degrees(1.0) * 3600.0


def project(ra: Floats, dec: Floats, *, centre: tuple[float, float]) -> tuple[Floats, Floats]:
    """Project the sky (degrees) onto the plane tangent at `centre`; arcsec to the east and north.

    Calabretta & Greisen 2002 (A&A 395, 1077), section 5.1.3.
    """
    ra0, dec0 = np.radians(centre)
    delta, dec = np.radians(ra) - ra0, np.radians(dec)
    cosine = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(delta)
    east = np.cos(dec) * np.sin(delta) / cosine
    north = (np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(delta)) / cosine
    return east * _ARCSEC, north * _ARCSEC


def deproject(east: Floats, north: Floats, *, centre: tuple[float, float]) -> tuple[Floats, Floats]:
    """Invert `project`; right ascension in [0, 360)."""
    ra0, dec0 = np.radians(centre)
    x, y = np.asarray(east) / _ARCSEC, np.asarray(north) / _ARCSEC
    across = np.cos(dec0) - y * np.sin(dec0)
    ra = np.degrees(ra0 + np.arctan2(x, across)) % 360.0
    dec = np.arctan2(np.sin(dec0) + y * np.cos(dec0), np.hypot(x, across))
    # The remainder of a tiny negative number is 360 itself.
    return np.where(ra < 360.0, ra, 0.0), np.degrees(dec)  # noqa: PLR2004 - a full turn


def offset(centre: tuple[float, float], by: tuple[float, float]) -> tuple[float, float]:
    """Move a direction (degrees) by arcsec to the east and north."""
    ra, dec = deproject(np.array([by[0]]), np.array([by[1]]), centre=centre)
    return float(ra[0]), float(dec[0])


@dataclass(frozen=True, slots=True)
class View:
    """How one visit sees the sky through one camera.

    `linear` are the atmosphere's terms on top of the unit matrix, `cubic` the distortion in arcsec^-2,
    `scale` in arcsec per pixel, `rotation` in radians; `parity` is -1 where the picture is mirrored.
    """

    pointing: tuple[float, float]
    linear: tuple[float, float, float, float]
    cubic: float
    rotation: float
    scale: float
    parity: int

    def focal_plane(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """Map the sky (degrees) onto the focal plane, in pixels from its centre."""
        east, north = project(ra, dec, centre=self.pointing)
        a, b, c, d = self.linear
        east, north = east + a * east + b * north, north + c * east + d * north
        stretch = 1.0 + self.cubic * (east**2 + north**2)
        x, y = _rotate(east * stretch, north * stretch, self.rotation, self.scale)
        return x, self.parity * y

    def pixels(self, ra: Floats, dec: Floats, *, origin: tuple[float, float]) -> tuple[Floats, Floats]:
        """Map the sky onto a detector whose pixel (0, 0) lies at `origin` in the focal plane."""
        x, y = self.focal_plane(ra, dec)
        return x - origin[0], y - origin[1]


def _rotate(east: Floats, north: Floats, rotation: float, scale: float) -> tuple[Floats, Floats]:
    """Turn the sky, east to the left, into focal-plane pixels."""
    cosine, sine = math.cos(rotation), math.sin(rotation)
    return (-east * cosine - north * sine) / scale, (-east * sine + north * cosine) / scale


def view(recipe: Recipe, visit: Visit) -> View:
    """Make the view of one visit; its atmosphere follows from the recipe's seed and the exposure's id."""
    rng = np.random.default_rng([recipe.seed, 1, visit.exposure])
    # Differential refraction and aberration over a degree are some parts in ten thousand.
    linear = rng.normal(0.0, 1e-4, 4)
    optics = recipe.optics
    return View(
        offset(recipe.centre, visit.dither),
        (float(linear[0]), float(linear[1]), float(linear[2]), float(linear[3])),
        optics.distortion / (60.0 * optics.radius) ** 3,
        math.radians(optics.rotation),
        optics.pixel_scale,
        _parity(recipe),
    )


def _parity(recipe: Recipe) -> int:
    return -1 if recipe.optics.mirrored else 1


def detector_origin(recipe: Recipe, detector: Detector) -> tuple[float, float]:
    """Place of a detector's pixel (0, 0) in the focal plane."""
    ny, nx = recipe.detector_shape
    return detector.centre[0] - (nx - 1) / 2.0, detector.centre[1] - (ny - 1) / 2.0


@dataclass(frozen=True, slots=True)
class CrudeWcs:
    """The linear TAN WCS that a raw header carries: no distortion, and off by the pointing error.

    `crpix` counts from one, `cd` in degrees per pixel, row by row.
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: tuple[float, float, float, float]


def crude_wcs(recipe: Recipe, pointing: tuple[float, float], detector: Detector) -> CrudeWcs:
    """Make the WCS of a detector as the telescope believes it, for the assembled detector; `pointing` in degrees."""
    x0, y0 = detector_origin(recipe, detector)
    rotation, scale = math.radians(recipe.optics.rotation), recipe.optics.pixel_scale / 3600.0
    cosine, sine, parity = math.cos(rotation), math.sin(rotation), _parity(recipe)
    return CrudeWcs(
        pointing,
        (1.0 - x0, 1.0 - y0),
        (-scale * cosine, -scale * sine * parity, -scale * sine, scale * cosine * parity),
    )
