from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy")

from qa.drp.algorithms.lsq import BLOCK, Design, group_means, group_medians, solve_grouped


def observations(seed: int, offsets: np.ndarray) -> tuple[Design, np.ndarray, np.ndarray]:
    """Forty objects seen once in each visit, whose offsets are to be found; the first ten are known."""
    rng = np.random.default_rng(seed)
    visits, objects = len(offsets), 40
    truth = rng.normal(0, 5, objects)
    groups = np.tile(np.arange(objects), visits)
    which = np.repeat(np.arange(visits), objects)
    values = truth[groups] - offsets[which] + rng.normal(0, 0.01, len(groups))
    known = np.arange(10)
    return (
        Design(np.ones((len(which), 1)), np.arange(visits)[:, None], which, visits),
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


@given(st.integers(0, 1000))
def test_a_minority_of_wrong_values_does_not_move_the_terms(seed: int) -> None:
    """With a fifth of the values scrambled, also of the known ones, the offsets come out within their errors."""
    offsets = np.array([0.5, -0.2, 0.1, 2.0])
    design, values, groups = observations(seed, offsets)
    rng = np.random.default_rng(seed)
    wrong = np.concatenate([rng.choice(160, 32, replace=False), 160 + rng.choice(10, 2, replace=False)])
    values[wrong, 0] += rng.uniform(-2, 2, len(wrong))
    errors = np.full(len(values), 0.01)
    terms, kept = solve_grouped(design, values, errors=errors, groups=groups, prior=np.full(4, 50.0))
    assert np.allclose(terms[:, 0], offsets, atol=0.03)
    assert kept[wrong].mean() < 0.3


@given(st.integers(0, 1000), st.integers(1, 3))
def test_solution_is_that_of_the_dense_equations(seed: int, shared: int) -> None:
    """Objects of more than one block, terms shared between owners: the same numbers as by brute force."""
    rng = np.random.default_rng(seed)
    owners, objects = 5, BLOCK + 30
    owner = np.sort(rng.integers(0, owners, 3 * objects))
    groups = rng.integers(0, objects, 3 * objects)
    columns = np.column_stack([np.arange(owners), owners + np.arange(owners) % shared])
    basis, values = rng.normal(size=(len(owner), 2)), rng.normal(0, 0.01, (len(owner), 2))
    design = Design(basis, columns, owner, owners + shared)
    terms, kept = solve_grouped(
        design, values, errors=np.ones(len(owner)), groups=groups, prior=np.full(owners + shared, 3.0)
    )
    dense = np.zeros((len(owner), owners + shared))
    dense[np.arange(len(owner))[:, None], columns[owner]] = basis
    centred = dense - group_means(dense, np.ones(len(owner)), groups)[groups]
    target = values - group_means(values, np.ones(len(owner)), groups)[groups]
    expected = np.linalg.solve(centred.T @ centred + np.eye(owners + shared) / 9, -centred.T @ target)
    assert kept.all()
    assert np.allclose(terms, expected, rtol=1e-9, atol=1e-12)
    assert np.allclose(design @ terms, dense @ terms, atol=1e-12)


def test_without_observations_terms_are_zero() -> None:
    """A term that nothing constrains stays at its expectation."""
    design = Design(np.zeros((2, 1)), np.zeros((1, 1), dtype=np.int64), np.array([0, 0]), 1)
    terms, _ = solve_grouped(design, np.ones((2, 1)), errors=np.ones(2), groups=np.array([0, 0]), prior=np.ones(1))
    assert terms[0, 0] == 0


@given(st.integers(0, 200))
def test_group_medians_are_the_medians_of_the_groups(seed: int) -> None:
    """Column by column, for odd and even groups; 0 for an empty one."""
    rng = np.random.default_rng(seed)
    groups, values = rng.integers(0, 5, 12), rng.normal(size=(12, 2))
    medians = group_medians(values, groups)
    for group, found in enumerate(medians):
        mine = values[groups == group]
        assert np.allclose(found, np.median(mine, axis=0) if len(mine) else 0)


def test_group_means_of_nothing_are_zero() -> None:
    """A group without weight has mean 0, not NaN."""
    means = group_means(np.array([[1.0], [3.0], [9.0]]), np.array([1.0, 1.0, 0.0]), np.array([0, 0, 1]))
    assert means[:, 0].tolist() == [2.0, 0.0]
