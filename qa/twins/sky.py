"""The true sky of a twin and its reference catalogue, as tables of arrays.

Pure: everything follows from the recipe and its seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table

from qa.twins.optics import deproject, detector_origin, view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.twins.recipe import Population, Recipe

    Floats = NDArray[np.float64]

# Objects just outside a detector shine into it.
_MARGIN = 15.0
_COLOUR_SCATTER = 0.25
# Stars scatter about their locus by this much in each band, in magnitudes.
_LOCUS_WIDTH = 0.01
# How softly the locus bends (mag).
_SOFT = 0.06
# How many stars are how cool: shape parameters of a beta distribution.
_COOLNESS = 1.1, 1.5
# The profiles of galaxies; few values, because GalSim tabulates each.
_SERSIC = (1.0, 1.5, 2.5, 4.0)
_SERSIC_SHARE = (0.6, 0.2, 0.12, 0.08)


def true_sky(recipe: Recipe) -> Table:
    """Draw the true objects near any detector of any visit.

    Columns id, ra, dec (degrees), mag_<band>, star, half_light_radius (arcsec), sersic, axis_ratio and
    angle (radians).
    """
    half = _half_side(recipe)
    parts = [_population(recipe, kind, half) for kind in ("stars", "galaxies")]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    keep = _is_seen(recipe, joined["ra"], joined["dec"])
    table = Table({name: column[keep] for name, column in joined.items()})
    table.add_column(np.arange(1, len(table) + 1, dtype=np.int64), index=0, name="id")
    return table


def reference_catalogue(recipe: Recipe, sky: Table) -> Table:
    """Measure the stars of the sky as a catalogue with errors of its own would have them.

    Columns id, ra, dec (degrees), ra_err, dec_err (mas on the sky), mag_<band>, mag_err_<band>.
    """
    limits, first = recipe.reference, f"mag_{next(iter(recipe.bands))}"
    bright = sky["star"] & (sky[first] > limits.brightest) & (sky[first] < limits.faintest)
    stars = sky[bright]
    rng = np.random.default_rng([recipe.seed, 3])
    shift = rng.normal(0.0, limits.position_error / 3.6e6, (2, len(stars)))
    position = np.full(len(stars), limits.position_error)
    columns = {
        "id": stars["id"],
        "ra": stars["ra"] + shift[0] / np.cos(np.radians(stars["dec"])),
        "dec": stars["dec"] + shift[1],
        "ra_err": position,
        "dec_err": position,
    }
    for band in recipe.bands:
        columns[f"mag_{band}"] = stars[f"mag_{band}"] + rng.normal(0.0, limits.magnitude_error / 1e3, len(stars))
        columns[f"mag_err_{band}"] = np.full(len(stars), limits.magnitude_error / 1e3)
    return Table(columns)


def _half_side(recipe: Recipe) -> float:
    """Half the side, in arcsec, of the square around the field centre that holds all that is seen."""
    ny, nx = recipe.detector_shape
    farthest = max(np.hypot(*detector.centre) for detector in recipe.detectors) + np.hypot(ny, nx) / 2
    dither = max(float(np.hypot(*visit.dither)) for visit in recipe.visits)
    return float(farthest * recipe.optics.pixel_scale + dither + _MARGIN + abs(recipe.optics.distortion))


def _population(recipe: Recipe, kind: str, half: float) -> dict[str, NDArray[np.generic]]:
    stars = kind == "stars"
    population = recipe.stars if stars else recipe.galaxies
    rng = np.random.default_rng([recipe.seed, 2, int(stars)])
    number = rng.poisson(population.density * (half / 30.0) ** 2)
    ra, dec = deproject(rng.uniform(-half, half, number), rng.uniform(-half, half, number), centre=recipe.centre)
    magnitude = _magnitudes(rng, population, number)
    columns: dict[str, NDArray[np.generic]] = {"ra": ra, "dec": dec}
    colours = _star_colours(rng, list(recipe.bands), number) if stars else _galaxy_colours(rng, recipe, number)
    for band in recipe.bands:
        columns[f"mag_{band}"] = magnitude + colours[band]
    columns["star"] = np.full(number, stars)
    return columns | (_points(number) if stars else _shapes(rng, magnitude))


def stellar_locus(band: str, coolness: Floats) -> Floats:
    """Magnitude in a band minus that in r, of stars from the bluest (coolness 0) to the reddest (1).

    A smooth curve of the twins' own, with the shape of the real locus: r-i is 0.4 times g-r less 0.05 until g-r levels
    off at 1.3, and goes on alone to 1.6; i-z is half of r-i, z-y a quarter of it. u-g is twice g-r. In other bands all
    stars have the colour 0.
    """
    beyond = _SOFT * np.logaddexp(0.0, (0.3 + 1.6 * coolness - 1.3) / _SOFT)
    g_r = 0.3 + 1.6 * coolness - beyond
    r_i = 0.4 * g_r - 0.05 + 1.9 * beyond
    colours = {"u": 3.0 * g_r, "g": g_r, "i": -r_i, "z": -1.5 * r_i, "y": -1.75 * r_i}
    return np.asarray(colours.get(band, np.zeros_like(coolness)))


def _star_colours(rng: np.random.Generator, bands: list[str], number: int) -> dict[str, Floats]:
    """Colours of stars relative to the first band, on the locus but for its width."""
    coolness = rng.beta(*_COOLNESS, number)
    first = stellar_locus(bands[0], coolness)
    colours = {bands[0]: np.zeros(number)}
    for band in bands[1:]:
        colours[band] = stellar_locus(band, coolness) - first + rng.normal(0.0, _LOCUS_WIDTH, number)
    return colours


def _galaxy_colours(rng: np.random.Generator, recipe: Recipe, number: int) -> dict[str, Floats]:
    """Colours of galaxies relative to the first band: the recipe's mean, and a scatter that all bands share."""
    scatter = rng.normal(0.0, _COLOUR_SCATTER, number)
    return {
        band: facts.colour + scatter if index else np.zeros(number)
        for index, (band, facts) in enumerate(recipe.bands.items())
    }


def _magnitudes(rng: np.random.Generator, population: Population, number: int) -> Floats:
    """Draw magnitudes whose cumulative number rises as 10^(slope * magnitude)."""
    bright, faint = (10.0 ** (population.slope * edge) for edge in (population.brightest, population.faintest))
    return np.log10(rng.uniform(bright, faint, number)) / population.slope


def _points(number: int) -> dict[str, NDArray[np.generic]]:
    zero = np.zeros(number)
    return {"half_light_radius": zero, "sersic": zero, "axis_ratio": np.ones(number), "angle": zero}


def _shapes(rng: np.random.Generator, magnitude: Floats) -> dict[str, NDArray[np.generic]]:
    """Draw galaxies' shapes: the fainter the smaller, 0.4 arcsec at 24 mag."""
    number = len(magnitude)
    radius = 0.4 * 10.0 ** (-0.1 * (magnitude - 24.0) + rng.normal(0.0, 0.15, number))
    return {
        "half_light_radius": np.clip(radius, 0.1, 2.0),
        "sersic": rng.choice(_SERSIC, number, p=_SERSIC_SHARE),
        "axis_ratio": rng.uniform(0.3, 1.0, number),
        "angle": rng.uniform(0.0, np.pi, number),
    }


def _is_seen(recipe: Recipe, ra: Floats, dec: Floats) -> NDArray[np.bool_]:
    """Tell which positions fall on or near a detector in some visit."""
    ny, nx = recipe.detector_shape
    margin = _MARGIN / recipe.optics.pixel_scale
    seen = np.zeros(len(ra), dtype=bool)
    for visit in recipe.visits:
        x, y = view(recipe, visit).focal_plane(ra, dec)
        for detector in recipe.detectors:
            x0, y0 = detector_origin(recipe, detector)
            inside_x = (x > x0 - margin) & (x < x0 + nx + margin)
            seen |= inside_x & (y > y0 - margin) & (y < y0 + ny + margin)
    return seen
