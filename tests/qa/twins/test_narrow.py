"""Fewer exposures of a twin."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from qa.twins.cache import digest
from qa.twins.narrow import exposures_of
from qa.twins.recipe import Recipe
from qa.twins.schedule import calibration_shots

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def recipe(toy_recipe: Callable[..., Recipe]) -> Recipe:
    """Return a recipe of two bands: two visits in r, before and after the second epoch, and one in i before it."""
    plain = toy_recipe("hsc")
    body = plain.model_dump(mode="json")
    body["bands"]["i"] = {"physical_filter": "HSC-I", "zero_point": 28.0}
    body["visits"].append(body["visits"][0] | {"exposure": 137001, "band": "i", "begin": "2018-01-16T12:10:00"})
    return Recipe.model_validate(body)


def kinds(recipe: Recipe, exposures: tuple[int, ...]) -> set[tuple[str, str, str]]:
    """Return kind, band of flats and group of the calibration exposures among some."""
    shots = [one for one in calibration_shots(recipe, step=1) if one.shot.exposure in exposures]
    return {(one.shot.kind.value, one.shot.band if one.shot.kind == "flat" else "", one.group) for one in shots}


def test_a_band_needs_its_visits_and_what_they_are_reduced_with(recipe: Recipe) -> None:
    """Biases of the epochs of its visits, darks, and flats of that band only."""
    of_r = exposures_of(recipe, {"r"}, step=1)
    assert {137000, 138000} < set(of_r)
    assert 137001 not in of_r
    common = {("bias", "", "calibration-0"), ("dark", "", "calibration-0")}
    assert kinds(recipe, of_r) == common | {("flat", "r", "calibration-0"), ("bias", "", "calibration-1")}
    of_i = exposures_of(recipe, {"i"}, step=1)
    assert kinds(recipe, of_i) == common | {("flat", "i", "calibration-0")}
    assert len(of_i) < len(of_r) < len(exposures_of(recipe, {"r", "i"}, step=1))
    assert exposures_of(recipe, {"z"}, step=1) == ()


def test_all_bands_need_everything(recipe: Recipe) -> None:
    """There is nothing in a recipe that nothing needs."""
    shots = [one.shot.exposure for one in calibration_shots(recipe, step=2)]
    everything = sorted([*shots, *(visit.exposure for visit in recipe.visits)])
    assert list(exposures_of(recipe, set(recipe.bands), step=2)) == everything


def test_as_of_a_day_all_epochs_are_needed(recipe: Recipe) -> None:
    """For which dates the masters of one hold on then follows from the others; flats are those of the band."""
    then = kinds(recipe, exposures_of(recipe, {"i"}, step=1, day=date(2018, 1, 18)))
    today = kinds(recipe, exposures_of(recipe, {"i"}, step=1))
    assert then - today == {("bias", "", "calibration-1")}
    assert today < then


def test_only_visits_of_the_recipe_can_be_chosen(recipe: Recipe) -> None:
    """A choice without a visit is a fault."""
    with pytest.raises(ValueError, match="only must name a visit"):
        Recipe.model_validate(recipe.model_dump() | {"only": (136900,)})


@pytest.mark.pipeline
def test_what_is_drawn_alone_is_the_same_to_the_last_byte(recipe: Recipe, tmp_path: Path) -> None:
    """As among all: the sky and the dates are those of the whole. Only its digest is another."""
    pytest.importorskip("galsim")
    from qa.twins.produce import produce

    chosen = Recipe.model_validate(recipe.model_dump() | {"only": exposures_of(recipe, {"i"}, step=2)})
    told: list[tuple[int, int]] = []
    for name, one in (("whole", recipe), ("some", chosen)):
        (tmp_path / name).mkdir()
        produce(one, dataset="toy", folder=tmp_path / name, progress=lambda done, total: told.append((done, total)))
    whole, some = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*") if path.is_file()}
        for name in ("whole", "some")
    )
    differ = [name for name in some if some[name] != whole[name]]
    assert differ == ["manifest.json"]
    assert 0 < len(some) < len(whole)
    assert told[-1][0] == told[-1][1] < max(total for _, total in told)
    assert digest(chosen, "toy") != digest(recipe, "toy")
    body = recipe.model_dump(mode="json")
    assert body.pop("only") == []
