from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.changes.hindsight import MOST, SHORTEST, WEIGHT, levels

PARTS = st.lists(st.tuples(st.integers(3, 12), st.integers(-50, 50)), min_size=1, max_size=4)


def cuts(values: object) -> list[int]:
    """Return where levels begin, but for the first."""
    return [one.start for one in levels(values)][1:]


def remembering(rng: np.random.Generator, n: int, memory: float) -> np.ndarray:
    """Draw a stationary AR(1) series of variance 1."""
    noise = rng.normal(size=n + 60)
    for at in range(1, len(noise)):
        noise[at] = memory * noise[at - 1] + noise[at] * np.sqrt(1 - memory**2)
    return noise[60:]


def test_each_level_has_its_values() -> None:
    """Levels cover the series; mean and scatter are those of their values."""
    series = [1.0, 2.0, 1.5, 1.2, 9.0, 9.5, 8.5, 9.1, 9.2]
    first, second = levels(series)
    assert (first.start, first.stop, second.start, second.stop) == (0, 4, 4, 9)
    assert first.mean == pytest.approx(np.mean(series[:4]))
    assert second.scatter == pytest.approx(np.std(series[4:]))


def test_what_is_too_short_or_constant_is_one_level() -> None:
    """And of nothing there is none."""
    assert levels([]) == ()
    for series in ([5.0], [1.0, 9.0, 1.0, 9.0, 9.0], [3.0] * 40):
        assert len(levels(series)) == 1


@pytest.mark.parametrize("wrong", [[1.0, np.nan], [np.inf], [[1.0], [2.0]], 5.0])
def test_a_series_must_be_finite(wrong: object) -> None:
    """Missing values are left out by whoever has the dates."""
    with pytest.raises(ValueError, match="must have one axis and finite values"):
        levels(wrong)


@given(PARTS)
def test_levels_without_noise_are_found_exactly(parts: list[tuple[int, int]]) -> None:
    """As those of metrics that are the same to the last bit in every run."""
    series = [float(value) for length, value in parts for _ in range(length)]
    changes = np.flatnonzero(np.diff(series)) + 1
    assert cuts(series) == changes.tolist()


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([-1e3, 0.002, 7.0]), st.floats(-1e4, 1e4))
def test_units_change_nothing(seed: int, scale: float, offset: float) -> None:
    """Nor does the sign of the metric."""
    rng = np.random.default_rng(seed)
    series = rng.normal(size=40) + np.repeat([0.0, 4.0], 20)
    assert cuts(series * scale + offset) == cuts(series)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(6, 13))
def test_the_cuts_are_the_best_there_are(seed: int, n: int) -> None:
    """No other cuts cost less."""
    rng = np.random.default_rng(seed)
    series = rng.normal(size=n) + np.where(np.arange(n) < n // 2, 0.0, rng.uniform(0, 9))
    spread = np.ptp(series)

    def cost(edges: tuple[int, ...]) -> float:
        parts = np.split(series / spread, edges)
        if min(map(len, parts)) < SHORTEST:
            return np.inf
        rss = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
        return n * np.log(rss / n + 1e-10) + 2 * WEIGHT * np.log(n) * len(edges)

    all_of_them = [edges for k in range(n // SHORTEST) for edges in combinations(range(1, n), k)]
    assert cost(tuple(cuts(series))) == pytest.approx(min(map(cost, all_of_them)))


def test_no_more_levels_than_can_be_looked_at() -> None:
    """A series that changes for ever is cut into so many."""
    assert len(levels(np.repeat(np.arange(MOST + 1.0), 40))) == MOST


@pytest.mark.parametrize("n", [30, 120])
@pytest.mark.parametrize(("kind", "most"), [("gaussian", 0.05), ("t3", 0.10), ("spikes", 0.10), ("memory", 0.30)])
def test_series_without_a_change_are_left_whole(n: int, kind: str, most: float) -> None:
    """As often as is asked of the online detector: false changes for each series; spikes are no level."""
    rng = np.random.default_rng(20261123)

    def draw() -> np.ndarray:
        if kind == "memory":
            return remembering(rng, n, 0.6)
        noise = rng.standard_t(3, size=n) if kind == "t3" else rng.normal(size=n)
        return noise + np.where(rng.random(n) < 0.03, 8.0, 0.0) if kind == "spikes" else noise

    assert np.mean([len(cuts(draw())) for _ in range(120)]) <= most


def test_a_step_is_dated_to_the_night() -> None:
    """Of three standard deviations nine in ten within a night."""
    rng = np.random.default_rng(7)
    steps = [rng.normal(size=60) + np.repeat([0.0, 3.0], 30) for _ in range(50)]
    near = [any(abs(cut - 30) <= 1 for cut in cuts(one)) for one in steps]
    assert np.mean(near) >= 0.9
