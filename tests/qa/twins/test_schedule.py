from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from qa.twins.schedule import calibration_shots, epoch_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.twins.recipe import Recipe

EPOCHS = [
    {"begin": "2018-01-10T00:00:00", "exposure": 100, "bias": 2, "dark": 1, "flat": 1, "dark_time": 240.0},
    {"begin": "2018-01-15T00:00:00", "exposure": 200, "bias": 2, "dark": 0, "flat": 0},
    {"begin": "2018-01-20T00:00:00", "exposure": 300, "bias": 0, "dark": 1, "flat": 0},
]


def test_ids_and_times_follow_each_other(toy_recipe: Callable[..., Recipe]) -> None:
    """No two exposures of an epoch overlap or share an id; biases come first."""
    shots = [one.shot for one in calibration_shots(toy_recipe("hsc", epochs=EPOCHS), step=2)][:4]
    assert [shot.exposure for shot in shots] == [100, 102, 104, 106]
    assert [shot.kind for shot in shots] == ["bias", "bias", "dark", "flat"]
    for one, following in pairwise(shots):
        assert (following.begin - one.begin).total_seconds() > one.exposure_time
    assert shots[2].exposure_time == 240.0


def test_each_kind_is_valid_until_the_next_epoch_that_has_it(toy_recipe: Callable[..., Recipe]) -> None:
    """Dates are in TAI; the first and the last validity are open."""
    shots = calibration_shots(toy_recipe("hsc", epochs=EPOCHS), step=2)
    found = {(one.shot.kind.value, one.group): (one.begin, one.end) for one in shots}
    first, second = "2018-01-15T00:00:37.000", "2018-01-20T00:00:37.000"
    assert found == {
        ("bias", "calibration-0"): (None, first),
        ("bias", "calibration-1"): (first, None),
        ("dark", "calibration-0"): (None, second),
        ("dark", "calibration-2"): (second, None),
        ("flat", "calibration-0"): (None, None),
    }


def test_dates_before_the_first_epoch_belong_to_it(toy_recipe: Callable[..., Recipe]) -> None:
    """Every date has an epoch."""
    recipe = toy_recipe("hsc", epochs=EPOCHS)
    dates = [datetime(2018, 1, day) for day in (1, 10, 14, 15, 30)]  # noqa: DTZ001 - recipes are in UTC
    assert [epoch_of(recipe, date) for date in dates] == [0, 0, 0, 1, 2]
