from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from qa.twins.recipe import Recipe, RecipeError, load_recipe
from qa.twins.schedule import epoch_of

if TYPE_CHECKING:
    from collections.abc import Callable

SKIES = Path(__file__).resolve().parents[3] / "regression_data" / "skies"
FULL = ("hsc", "decam", "megaprime", "lsstcam", "latiss")
QUICK = tuple(f"{name}-quick" for name in FULL)


def written(folder: Path, recipe: Recipe, **changes: object) -> Path:
    """Write a recipe with parts of it replaced."""
    import yaml

    path = folder / "toy.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json") | changes))
    return path


def test_a_recipe_survives_writing_and_reading(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """What a recipe says does not depend on how it is written."""
    recipe = toy_recipe("hsc")
    assert load_recipe(written(tmp_path, recipe)) == recipe


def test_all_faults_are_told_at_once(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """An unknown key and a wrong type are both in the one line, with their places."""
    with pytest.raises(RecipeError) as caught:
        load_recipe(written(tmp_path, toy_recipe("hsc"), colour="blue", seed="many"))
    message = str(caught.value)
    assert "\n" not in message
    assert "colour: Extra inputs are not permitted, found 'blue'" in message
    assert "seed: Input should be a valid integer" in message


def test_a_visit_in_a_band_without_filter_is_refused(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Every visit is in one of the recipe's bands."""
    recipe = toy_recipe("hsc")
    visits = [visit.model_dump(mode="json") | {"band": "z"} for visit in recipe.visits]
    with pytest.raises(RecipeError, match="band of visit 137000 must be one of r, got z"):
        load_recipe(written(tmp_path, recipe, visits=visits))


def test_two_visits_of_one_id_are_refused(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Exposure ids are unique."""
    recipe = toy_recipe("hsc")
    visits = [visit.model_dump(mode="json") | {"exposure": 5} for visit in recipe.visits]
    with pytest.raises(RecipeError, match="visits must have different ids, got 5, 5"):
        load_recipe(written(tmp_path, recipe, visits=visits))


def test_magnitude_limits_are_in_order(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The faintest object is fainter than the brightest."""
    stars = {"density": 1.0, "brightest": 20.0, "faintest": 18.0, "slope": 0.2}
    with pytest.raises(RecipeError, match=r"stars: .*fainter than brightest \(20.0\), got 18.0"):
        load_recipe(written(tmp_path, toy_recipe("hsc"), stars=stars))


def test_profiles_without_a_fast_transform_are_refused(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Drawing would take a hundred times longer."""
    with pytest.raises(RecipeError, match=r"psf\.beta: .*one of 2\.5, 3\.5, found 3\.1"):
        load_recipe(written(tmp_path, toy_recipe("hsc"), psf={"beta": 3.1}))


def test_absence_and_nonsense_are_told_apart(tmp_path: Path) -> None:
    """No file, no YAML and no mapping are three different faults."""
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(RecipeError, match="must be YAML"):
        load_recipe(tmp_path / "bad.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(RecipeError, match="dictionary"):
        load_recipe(tmp_path / "list.yaml")


@pytest.mark.parametrize("name", [*FULL, *QUICK])
def test_visits_of_two_nights_need_different_biases(name: str) -> None:
    """In every band of every shipped recipe, choosing one bias for all visits is wrong."""
    recipe = load_recipe(SKIES / f"{name}.yaml")
    for band in recipe.bands:
        assert {epoch_of(recipe, visit.begin) for visit in recipe.visits if visit.band == band} == {0, 1}


@pytest.mark.parametrize("name", FULL)
def test_full_recipes_are_large_enough_for_the_metrics(name: str) -> None:
    """Four visits a band, four detectors (LATISS its one) of 1024 pixels a side."""
    recipe = load_recipe(SKIES / f"{name}.yaml")
    assert len(recipe.detectors) >= (1 if name == "latiss" else 4)
    assert min(recipe.detector_shape) >= 1024
    assert all(sum(visit.band == band for visit in recipe.visits) >= 4 for band in recipe.bands)


@pytest.mark.parametrize("name", [name for name in FULL if name != "latiss"])
def test_full_recipes_hold_pairs_for_am1_and_am2(name: str) -> None:
    """Of places on the detectors, many are 5 and many 20 arcmin apart."""
    recipe = load_recipe(SKIES / f"{name}.yaml")
    steps = np.linspace(-0.5, 0.5, 6)
    places = np.array(
        [
            (each.centre[0] + nx * recipe.detector_shape[1], each.centre[1] + ny * recipe.detector_shape[0])
            for each in recipe.detectors
            for nx in steps
            for ny in steps
        ]
    )
    apart = np.hypot(*(places[:, None] - places[None, :]).T) * recipe.optics.pixel_scale / 60.0
    for distance in (5.0, 20.0):
        assert np.mean(np.abs(apart - distance) < 1.0) > 0.05


@pytest.mark.parametrize("name", [*FULL, *QUICK])
def test_the_tract_covers_all_pixels_of_all_visits(name: str) -> None:
    """Dithered and rotated, every detector lies inside the square of the tract."""
    from qa.twins.optics import deproject, project, view

    recipe = load_recipe(SKIES / f"{name}.yaml")
    half = recipe.tract.npix * recipe.tract.pixel_scale / 2.0
    edge = np.linspace(-half, half, 50)
    # The tract's border, in every visit, must run outside of all detectors.
    east = np.concatenate([edge, edge, np.full(50, half), np.full(50, -half)])
    north = np.concatenate([np.full(50, half), np.full(50, -half), edge, edge])
    ra, dec = deproject(east, north, centre=recipe.centre)
    assert project(ra, dec, centre=recipe.centre)[0] == pytest.approx(east, abs=1e-6)
    for visit in recipe.visits:
        x, y = view(recipe, visit).focal_plane(ra, dec)
        for detector in recipe.detectors:
            inside_x = np.abs(x - detector.centre[0]) < recipe.detector_shape[1] / 2
            inside_y = np.abs(y - detector.centre[1]) < recipe.detector_shape[0] / 2
            assert not (inside_x & inside_y).any()
