"""How many series move by themselves."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.blame.chance import coincidence, expected, tail


def test_the_normal_law_with_a_wider_spread_and_a_few_outliers() -> None:
    """Of a thousand series: all move by nothing, and 0.3 by anything."""
    assert expected(0.0, 1000) == pytest.approx(1000.3)
    assert expected(100.0, 1000) == pytest.approx(0.3)
    assert expected(2.5, 1000) == pytest.approx(0.3 + 45.5, abs=0.01)  # 2 sigma


def test_the_poisson_tail_is_known_in_closed_form() -> None:
    """None or more are certain; where none are expected, one is impossible."""
    assert tail(0, 0.0) == tail(0, 3.0) == 1.0
    assert tail(1, 0.0) == tail(2, -1.0) == 0.0
    assert tail(1, 0.5) == pytest.approx(1 - math.exp(-0.5))
    assert tail(3, 2.0) == pytest.approx(1 - 5 * math.exp(-2))
    assert tail(1, 200.0) == pytest.approx(1.0)
    assert tail(1, 200.0) <= 1.0


@given(st.integers(1, 30), st.floats(0.01, 50))
def test_more_are_less_likely(count: int, mean: float) -> None:
    """The chance of one more is never higher."""
    assert tail(count + 1, mean) <= tail(count, mean) + 1e-12


def test_resources_move_as_one_and_sizes_are_summed_up_by_their_median(make: Any) -> None:
    """A busy machine makes all tasks slower; what is missing tells no size."""
    sizes = [make.moved(sigma=sigma) for sigma in (3.0, 4.0, 50.0)]
    assert coincidence(sizes, 100) == (3, expected(4.0, 100), tail(3, expected(4.0, 100)))
    slow = [make.moved(sigma=sigma, resource=True) for sigma in (3.0, 4.0, 50.0)]
    assert coincidence(slow, 100) == (1, expected(4.0, 100), tail(1, expected(4.0, 100)))
    assert coincidence([*slow, make.moved(sigma=4.0)], 100) == (2, expected(4.0, 100), tail(2, expected(4.0, 100)))
    assert coincidence([make.moved(sigma=None), make.moved(sigma=None, resource=True)], 100) is None
