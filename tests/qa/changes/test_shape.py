from __future__ import annotations

import numpy as np
import pytest

from qa.changes.shape import LOOK_BACK, Shape, describe


def of(late: list[float], reach: float = 100.0, age: int = 3) -> Shape:
    """Describe deviations that follow thirty of none."""
    return describe(np.array([0.0] * 30 + late), age=age, reach=reach)


def test_a_step_began_with_its_first_night() -> None:
    """However long ago."""
    for nights in (2, 7, 20):
        assert of([1.0] * nights) == Shape(nights)


def test_a_ramp_is_told_with_its_rise() -> None:
    """Of twelve nights at least."""
    for nights in (12, 20):
        shape = of([float(night) for night in range(1, nights + 1)])
        assert shape.nights == nights
        assert shape.rise == pytest.approx(nights)
    assert of([5.0, 6.0, 7.0]).rise is None


def test_deviations_count_up_to_the_reach() -> None:
    """A night far out does not hide when a step began."""
    assert of([3.0, 3.0, 3.0, 50.0], reach=8.0) == Shape(4)
    assert of([3.0, 3.0, 3.0, 50.0]) == Shape(2)
    assert of([3.0, 3.0, 3.0, 3.0, -50.0, 3.0, 3.0, 3.0, 3.0, 3.0], reach=4.0) == Shape(10)


def test_what_is_older_than_the_look_back_is_not_seen() -> None:
    """The beginning is sought among the last nights."""
    assert describe(np.ones(200), age=2, reach=9.0) == Shape(LOOK_BACK)


def test_where_nothing_rose_the_age_of_the_evidence_counts() -> None:
    """A series may come back faster than it should."""
    assert of([-5.0, -4.0, -3.0], age=2) == Shape(2)
    assert describe(np.full(20, -1.0), age=5, reach=9.0) == Shape(5)


def test_one_night_is_no_step() -> None:
    """It takes two."""
    assert of([50.0]) == Shape(2)
