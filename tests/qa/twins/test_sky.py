from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.twins.sky import reference_catalogue, stellar_locus, true_sky

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.twins.recipe import Recipe

DENSE = {"density": 4000.0, "brightest": 17.0, "faintest": 21.0, "slope": 0.25}


def test_the_same_recipe_gives_the_same_sky(toy_recipe: Callable[..., Recipe]) -> None:
    """Skies follow from the recipe; another seed gives another one."""
    first, again, other = (true_sky(toy_recipe("hsc", seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(first[name], again[name]) for name in first.colnames)
    assert not np.array_equal(first["ra"][:5], other["ra"][:5])


def test_objects_keep_within_their_limits(toy_recipe: Callable[..., Recipe]) -> None:
    """Magnitudes lie between brightest and faintest; only galaxies have a size; ids are unique."""
    recipe = toy_recipe("hsc", stars=DENSE)
    sky = true_sky(recipe)
    stars = sky["star"]
    assert (sky["mag_r"][stars] >= 17.0).all()
    assert (sky["mag_r"][stars] <= 21.0).all()
    assert (sky["half_light_radius"][stars] == 0.0).all()
    assert (sky["half_light_radius"][~stars] > 0.0).all()
    assert len(np.unique(sky["id"])) == len(sky)


def test_numbers_rise_with_the_slope(toy_recipe: Callable[..., Recipe]) -> None:
    """Per magnitude there are 10^slope times as many stars."""
    sky = true_sky(toy_recipe("hsc", stars=DENSE))
    magnitudes = sky["mag_r"][sky["star"]]
    ratio = np.sum(magnitudes < 21.0) / np.sum(magnitudes < 20.0)
    assert abs(np.log10(ratio) - 0.25) < 0.05


def test_the_reference_catalogue_errs_as_much_as_it_says(toy_recipe: Callable[..., Recipe]) -> None:
    """Positions and magnitudes of the bright stars scatter about the truth by the catalogue's own errors."""
    reference = {"brightest": 17.5, "faintest": 20.5, "position_error": 12.0, "magnitude_error": 8.0}
    recipe = toy_recipe("hsc", stars=DENSE, reference=reference)
    sky = true_sky(recipe)
    catalogue = reference_catalogue(recipe, sky)
    truth = sky[np.searchsorted(sky["id"], catalogue["id"])]
    assert truth["star"].all()
    assert (truth["mag_r"].min() > 17.5, truth["mag_r"].max() < 20.5) == (True, True)
    for shift, error in (
        ((catalogue["ra"] - truth["ra"]) * np.cos(np.radians(2.2)) * 3.6e6, 12.0),
        ((catalogue["dec"] - truth["dec"]) * 3.6e6, 12.0),
        ((catalogue["mag_r"] - truth["mag_r"]) * 1e3, 8.0),
    ):
        assert abs(np.mean(shift)) < 4.0 * error / np.sqrt(len(truth))
        assert abs(np.std(shift) / error - 1.0) < 4.0 / np.sqrt(2 * len(truth))


BANDS = {
    "r": {"physical_filter": "HSC-R", "zero_point": 28.0},
    "i": {"physical_filter": "HSC-I", "zero_point": 28.0, "colour": -0.3},
    "g": {"physical_filter": "HSC-G", "zero_point": 28.0, "colour": 0.6},
}


def test_colours_separate_the_bands_of_galaxies(toy_recipe: Callable[..., Recipe]) -> None:
    """Galaxies are on average brighter in the second band by its colour."""
    sky = true_sky(toy_recipe("hsc", galaxies=DENSE, bands=BANDS))
    galaxies = sky[~sky["star"]]
    colour = galaxies["mag_i"] - galaxies["mag_r"]
    assert abs(np.mean(colour) + 0.3) < 4 * np.std(colour) / np.sqrt(len(colour))


def test_stars_lie_on_a_locus_of_ten_mmag(toy_recipe: Callable[..., Recipe]) -> None:
    """Of r-i, g-r says all but the intrinsic width; the curve is monotonic from hot to cool."""
    sky = true_sky(toy_recipe("hsc", stars=DENSE, bands=BANDS))
    stars = sky[sky["star"]]
    g_r, r_i = stars["mag_g"] - stars["mag_r"], stars["mag_r"] - stars["mag_i"]
    grid = np.linspace(0.0, 1.0, 2001)
    blue = g_r < 1.0  # where the locus is not steep
    predicted = np.interp(g_r[blue], stellar_locus("g", grid), -stellar_locus("i", grid))
    assert 0.008 < np.std(r_i[blue] - predicted) < 0.025
    assert np.ptp(r_i) > 1.0
    assert (np.diff(stellar_locus("g", grid)) > 0).all()
    assert (np.diff(stellar_locus("i", grid)) < 0).all()


def test_reference_magnitudes_share_the_locus(toy_recipe: Callable[..., Recipe]) -> None:
    """The reference catalogue has all bands of the recipe, each with its own error about the truth."""
    recipe = toy_recipe("hsc", stars=DENSE, bands=BANDS)
    sky = true_sky(recipe)
    catalogue = reference_catalogue(recipe, sky)
    truth = sky[np.searchsorted(sky["id"], catalogue["id"])]
    for band in BANDS:
        assert abs(np.std(catalogue[f"mag_{band}"] - truth[f"mag_{band}"]) - 0.01) < 0.001
