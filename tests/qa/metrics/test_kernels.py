"""Compiled sorting: the order is that of numpy's sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from qa.metrics.kernels import counting_order, encode

pytestmark = pytest.mark.pipeline


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(-5, 5), st.integers(-(2**62), 2**62)), max_size=60))
def test_values_are_numbered_as_unique_does(values: list[int]) -> None:
    """By rising value, whatever their size, with how many there are of each."""
    array = np.array(values, dtype=np.int64)
    codes = np.empty(len(array), np.int32)
    counts = encode(array, codes)
    _, expected, numbers = np.unique(array, return_inverse=True, return_counts=True)
    assert np.array_equal(codes, expected)
    assert np.array_equal(counts, numbers)


def test_many_values_outgrow_the_first_table() -> None:
    """The table grows as values come, also in the middle of a run of equal ones."""
    values = np.repeat(np.random.default_rng(1).permutation(5000) * 2**40, 3)
    codes = np.empty(len(values), np.int32)
    assert list(encode(values, codes)) == [3] * 5000
    assert np.array_equal(codes, values // 2**40)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=40))
def test_two_counting_sorts_are_a_lexical_sort(rows: list[tuple[int, int]]) -> None:
    """By the first number, then the second; equal rows stay in their order."""
    first, second = (np.array([row[part] for row in rows], dtype=np.int32) for part in range(2))
    order = counting_order(first, counting_order(second, np.arange(len(rows)), 4), 6)
    assert np.array_equal(order, np.lexsort((second, first)))
