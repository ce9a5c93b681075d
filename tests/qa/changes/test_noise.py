from __future__ import annotations

import numpy as np
import pytest

from qa.changes.noise import CLIP, CLIPPED, FURTHEST, WINDOW, Noise, learn


def of(values: np.ndarray, *ends: int) -> Noise:
    """Learn from the values before each end, or from all."""
    return learn(values, np.array(ends or [len(values)]))


def gaussian(n: int = WINDOW, seed: int = 1) -> np.ndarray:
    """Return noise of one unit."""
    return np.random.default_rng(seed).standard_normal(n)


def remembering(phi: float, seed: int) -> np.ndarray:
    """Return an AR(1) series with shocks of one unit."""
    values = gaussian(WINDOW + 100, seed)
    for night in range(1, len(values)):
        values[night] += phi * values[night - 1]
    return values[100:]


def test_gaussian_noise_is_learnt() -> None:
    """Level, spread and shock of noise without memory, over many windows without bias."""
    rows = [of(3 + 2 * gaussian(seed=seed)) for seed in range(200)]
    level, spread, shock = (np.mean([getattr(one, name) for one in rows]) for name in ("level", "spread", "shock"))
    assert level == pytest.approx(3, abs=0.03)
    assert spread == pytest.approx(2, rel=0.02)
    assert shock == pytest.approx(2, rel=0.02)
    assert np.mean([one.memory for one in rows]) < 0.05
    assert np.mean([one.furthest for one in rows]) == pytest.approx(2.8, abs=0.15)


def test_few_values_give_no_less_spread() -> None:
    """The spread of eight values is without much bias: it is their standard deviation where none is far out."""
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    one = of(values)
    assert one.level[0] == pytest.approx(4.5)
    assert one.spread[0] == pytest.approx(values.std(ddof=1))
    assert one.count[0] == 8


@pytest.mark.parametrize("phi", [0.3, 0.6, 0.8])
def test_memory_is_learnt_without_bias(phi: float) -> None:
    """The correlation with the night before, and the shocks that it does not foretell."""
    rows = [of(remembering(phi, seed)) for seed in range(200)]
    assert np.mean([one.memory for one in rows]) == pytest.approx(phi, abs=0.02)
    assert np.mean([one.shock for one in rows]) == pytest.approx(1.0, rel=0.03)


def test_memory_is_neither_negative_nor_complete() -> None:
    """A series that jumps to and fro has none, a trend all that is believed."""
    assert of(np.tile([1.0, -1.0], 30)).memory[0] == 0.0
    assert of(np.arange(60.0)).memory[0] == 0.9


def test_few_values_do_not_show_that_there_is_no_memory() -> None:
    """Some is assumed, the less the more values there are."""
    values = np.tile([1.0, -1.0], 30)
    told = of(values, 11, 22, 43, 44, 45).memory
    assert told.tolist() == pytest.approx([0.375, 0.25, 0.5 / 44, 0.0, 0.0])
    assert of(np.arange(60.0), 11).memory[0] == 0.9


def test_a_tenth_of_outliers_moves_little() -> None:
    """Level and spread are those of the other values."""
    values = gaussian()
    values[::10] = 1000.0
    one = of(values)
    assert abs(one.level[0]) < 0.6
    assert one.spread[0] < 1.7


def test_outliers_lower_the_clip() -> None:
    """From four shocks in a series without any, to fewer in one with one in forty."""
    values = gaussian(120, seed=3)
    values = np.clip(values, -2, 2)
    clean = of(values).clip[0]
    assert clean == pytest.approx(CLIP - (CLIP - CLIPPED) * 0.25 / 3)
    values[::30] = 50.0
    assert of(values).clip[0] == pytest.approx(CLIPPED)
    values[30:] = np.clip(values[30:], -2, 2)
    assert CLIPPED < of(values).clip[0] < clean
    assert of(values).furthest[0] == pytest.approx(50, rel=0.2)


def test_only_the_window_counts() -> None:
    """What is older is forgotten."""
    values = gaussian(WINDOW + 50)
    late = of(values[50:])
    assert of(np.concatenate([values[:50] + 100, values[50:]])).row(0) == late.row(0)
    assert late.count[0] == WINDOW


def test_a_window_does_not_depend_on_the_others() -> None:
    """One at a time gives the same bits."""
    values = gaussian(300)
    together = of(values, 8, 9, 30, 150, 300)
    for row, end in enumerate((8, 9, 30, 150, 300)):
        assert of(values, end).row(0) == together.row(row)
        assert of(values[:end]).row(0) == together.row(row)


def test_equal_values_have_the_spread_of_rounding() -> None:
    """Nothing is divided by zero."""
    one = of(np.full(20, 7.0))
    assert one.level[0] == 7.0
    assert one.spread[0] == one.shock[0] == pytest.approx(7e-9)
    assert one.furthest[0] == 0.0
    assert of(np.zeros(20)).spread[0] == 1e-100


def test_mostly_equal_values_have_the_spread_of_the_others() -> None:
    """Where more than half of the values are equal their median deviation is zero."""
    values = np.zeros(40)
    values[::10] = 1.0
    one = of(values)
    assert 0.05 < one.spread[0] < 0.5
    assert one.furthest[0] > 3


def test_the_furthest_is_bounded() -> None:
    """A single other value among equal ones is as good as infinitely far out."""
    values = np.full(WINDOW + 1, 1.0)
    values[3] = 1e30
    assert of(values).furthest[0] <= FURTHEST


def test_rows_are_taken_and_joined() -> None:
    """A remembered row comes first; an empty one is none."""
    many = of(gaussian(60), 20, 40, 60)
    assert many.take(np.array([2, 0])).row(0) == many.row(2)
    assert many.after(()) is many
    joined = many.after(of(gaussian(9)).row(0))
    assert joined.row(0) == of(gaussian(9)).row(0)
    assert joined.row(3) == many.row(2)


def test_a_young_level_is_no_quieter_than_the_one_before() -> None:
    """Until it has values enough of its own, it borrows the noise, which is known from all of the series."""
    loud = Noise(*(np.array([one]) for one in (1.0, 50.0, 0.5, 40.0, 2.8, 99.0, 200.0, 200.0))).row(0)
    many = of(gaussian(60), 23, 24)
    assert many.borrowing((), 24) is many
    young, old = (many.borrowing(loud, 24).row(at) for at in (0, 1))
    assert young == (many.row(0)[0], 50.0, 0.5, 40.0, 2.8, 99.0, 23.0, 223.0)
    assert old == (*many.row(1)[:-1], 224.0)
    quiet = (1.0, 1e-9, 0.0, 1e-9, 4.5, 0.0, 200.0, 200.0)
    own = many.row(0)
    assert many.borrowing(quiet, 24).row(0) == (own[0], own[1], 0.0, *own[3:-1], 223.0)
