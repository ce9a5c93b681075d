from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.algorithms.lsq import group_means, solve_grouped


def observations(seed: int, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forty objects seen once in each visit, whose offsets are to be found; the first ten are known."""
    rng = np.random.default_rng(seed)
    visits, objects = len(offsets), 40
    truth = rng.normal(0, 5, objects)
    groups = np.tile(np.arange(objects), visits)
    which = np.repeat(np.arange(visits), objects)
    values = truth[groups] - offsets[which] + rng.normal(0, 0.01, len(groups))
    design = np.eye(visits)[which]
    known = np.arange(10)
    return (
        np.vstack([design, np.zeros((10, visits))]),
        np.concatenate([values, truth[known]])[:, None],
        np.concatenate([groups, known]),
    )


@given(st.integers(0, 1000), st.lists(st.floats(-3, 3), min_size=1, max_size=5))
def test_offsets_are_recovered(seed: int, offsets: list[float]) -> None:
    """The offset of every visit is found, also of a single one, as known objects fix the absolute level."""
    design, values, groups = observations(seed, np.array(offsets))
    errors = np.full(len(values), 0.01)
    terms, _ = solve_grouped(design, values, errors=errors, groups=groups, prior=np.full(len(offsets), 50.0))
    assert np.allclose(terms[:, 0], offsets, atol=0.02)


def test_outliers_are_dropped() -> None:
    """One observation far off changes nothing and is reported."""
    offsets = np.array([0.5, -0.2, 0.1])
    design, values, groups = observations(1, offsets)
    values[25] += 3.0
    errors = np.full(len(values), 0.01)
    terms, kept = solve_grouped(design, values, errors=errors, groups=groups, prior=np.full(3, 50.0))
    assert not kept[25]
    assert kept.sum() >= len(kept) - 3
    assert np.allclose(terms[:, 0], offsets, atol=0.02)


def test_without_observations_terms_are_zero() -> None:
    """A term that nothing constrains stays at its expectation."""
    terms, _ = solve_grouped(
        np.zeros((2, 1)), np.ones((2, 1)), errors=np.ones(2), groups=np.array([0, 0]), prior=np.ones(1)
    )
    assert terms[0, 0] == 0


def test_group_means_of_nothing_are_zero() -> None:
    """A group without weight has mean 0, not NaN."""
    means = group_means(np.array([[1.0], [3.0], [9.0]]), np.array([1.0, 1.0, 0.0]), np.array([0, 0, 1]))
    assert means[:, 0].tolist() == [2.0, 0.0]
