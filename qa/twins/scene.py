"""Drawing the objects of a sky, with GalSim, into the electrons one detector is expected to collect.

No noise and nothing of the detector's electronics is in here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.twins.manifest import TwinInjected
from qa.twins.optics import detector_origin, view

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.twins.recipe import Detector, Recipe, Visit

    Floats = NDArray[np.float64]
    Image = NDArray[np.float32]

# A profile is drawn out to where it sinks below this fraction of the sky's noise in a pixel.
_NEGLIGIBLE = 0.05
_LARGEST_STAMP = 600
# Tolerances of GalSim's Fourier transforms: a few parts in a thousand of a galaxy's flux, four times faster.
_TOLERANCES = {"folding_threshold": 1e-2, "maxk_threshold": 5e-3, "kvalue_accuracy": 1e-4}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What one visit does to light at given places of the field.

    `fwhm` in pixels, e1 and e2 of the PSF, `zero_point` the AB magnitude of one electron in the exposure.
    """

    fwhm: Floats
    e1: Floats
    e2: Floats
    zero_point: Floats


def conditions(recipe: Recipe, visit: Visit, x: Floats, y: Floats) -> Conditions:
    """PSF and zero point at places of the focal plane, given in pixels from its centre."""
    to_field = recipe.optics.pixel_scale / (60.0 * recipe.optics.radius)
    u, v = x * to_field, y * to_field
    band = recipe.bands[visit.band]
    zero_point = band.zero_point + 2.5 * math.log10(visit.exposure_time) + visit.transparency
    e1, e2 = visit.ellipticity
    return Conditions(
        visit.seeing / recipe.optics.pixel_scale * (1.0 + recipe.psf.growth * (u**2 + v**2) + 0.02 * v),
        e1 + recipe.psf.shear * (u**2 - v**2 + 0.5 * u),
        e2 + recipe.psf.shear * (2.0 * u * v - 0.5 * v),
        zero_point + recipe.zero_point_gradient * (0.8 * u + 0.6 * v + 0.5 * u * v),
    )


def sky_level(recipe: Recipe, visit: Visit, zero_point: float) -> float:
    """Electrons of sky per pixel."""
    return float(10.0 ** (0.4 * (zero_point - visit.sky)) * recipe.optics.pixel_scale**2)


def injected(recipe: Recipe, visit: Visit, detector: Detector) -> TwinInjected:
    """State what is injected at the centre of a detector."""
    at = conditions(recipe, visit, *(np.array([coordinate]) for coordinate in detector.centre))
    zero_point = float(at.zero_point[0])
    return TwinInjected(
        exposure=visit.exposure,
        detector=detector.id,
        zero_point=zero_point,
        sky=sky_level(recipe, visit, zero_point),
        fwhm=float(at.fwhm[0]) * recipe.optics.pixel_scale,
        e1=float(at.e1[0]),
        e2=float(at.e2[0]),
    )


def expected_electrons(recipe: Recipe, visit: Visit, detector: Detector, sky: Table) -> Image:
    """Draw what a perfect detector is expected to collect, sky included; shape (ny, nx)."""
    import galsim  # noqa: PLC0415 - costs 0.6 s

    ny, nx = recipe.detector_shape
    origin = detector_origin(recipe, detector)
    x, y = view(recipe, visit).focal_plane(np.asarray(sky["ra"]), np.asarray(sky["dec"]))
    at = conditions(recipe, visit, x, y)
    flux = 10.0 ** (-0.4 * (np.asarray(sky[f"mag_{visit.band}"]) - at.zero_point))
    level = sky_level(recipe, visit, float(np.median(at.zero_point)))
    radius = _stamp_radius(recipe, sky, at, flux, threshold=_NEGLIGIBLE * math.sqrt(level))
    image = galsim.ImageF(np.full((ny, nx), level, dtype=np.float32), xmin=0, ymin=0)
    x, y = x - origin[0], y - origin[1]
    near = (x > -radius) & (x < nx + radius) & (y > -radius) & (y < ny + radius)
    parameters = galsim.GSParams(**_TOLERANCES)
    for index in np.flatnonzero(near):
        psf = galsim.Moffat(beta=recipe.psf.beta, fwhm=at.fwhm[index]).shear(e1=at.e1[index], e2=at.e2[index])
        profile = _profile(galsim, recipe, sky[index], psf, parameters) * flux[index]
        _add(galsim, image, profile, float(x[index]), float(y[index]), int(2 * radius[index]) + 1)
    drawn: Image = image.array
    return drawn


def _stamp_radius(recipe: Recipe, sky: Table, at: Conditions, flux: Floats, *, threshold: float) -> Floats:
    """Radius in pixels at which objects vanish in the noise."""
    beta, n = recipe.psf.beta, np.where(sky["star"], 1.0, sky["sersic"])
    core = at.fwhm / (2.0 * math.sqrt(2.0 ** (1.0 / beta) - 1.0))
    peak = flux * (beta - 1.0) / (np.pi * core**2)
    wings = core * np.sqrt(np.maximum((peak / threshold) ** (1.0 / beta) - 1.0, 0.0))
    # Ciotti & Bertin 1999 (A&A 352, 447): b = 2n - 1/3 + ..., and the flux within the whole profile is about
    # 7.2 times that of its half-light surface brightness over the half-light radius squared for n = 1 to 22 for n = 4.
    half_light = np.asarray(sky["half_light_radius"]) / recipe.optics.pixel_scale
    effective = flux / (2.0 + 5.2 * n) / np.maximum(half_light, 1e-3) ** 2
    reach = half_light * np.maximum(1.0 + np.log(np.maximum(effective / threshold, 1e-9)) / (2.0 * n - 0.33), 0.0) ** n
    radius: Floats = np.clip(np.maximum(wings, reach + at.fwhm), 2.5 * at.fwhm, _LARGEST_STAMP / 2)
    return radius


def _profile(galsim: Any, recipe: Recipe, row: Any, psf: Any, parameters: Any) -> Any:  # noqa: ANN401 - GalSim is untyped
    """Make an object as the PSF shows it, of unit flux, in pixels. The PSF includes the pixel."""
    if row["star"]:
        return psf
    radius = float(row["half_light_radius"]) / recipe.optics.pixel_scale
    galaxy = galsim.Sersic(n=float(row["sersic"]), half_light_radius=radius, gsparams=parameters)
    galaxy = galaxy.shear(q=float(row["axis_ratio"]), beta=float(row["angle"]) * galsim.radians)
    return galsim.Convolve(galaxy, psf, gsparams=parameters)


def _add(galsim: Any, image: Any, profile: Any, x: float, y: float, size: int) -> None:  # noqa: ANN401 - GalSim is untyped
    """Add a profile to an image, its centre at pixel coordinates that count from zero."""
    place = galsim.PositionD(x, y)
    stamp = galsim.BoundsI(
        *(edge for centre in (x, y) for edge in (round(centre) - size // 2, round(centre) + size // 2))
    )
    overlap = stamp & image.bounds
    if overlap.isDefined():
        profile.drawImage(image[overlap], center=place, scale=1.0, method="no_pixel", add_to_image=True)
