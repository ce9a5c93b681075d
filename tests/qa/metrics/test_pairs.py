"""Pairs found block by block, and means over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from qa.metrics.pairs import PairMean, blocks_between
from qa.metrics.sphere import ARCMIN, pairs_between
from qa.metrics.statistics import pair_mean_error

pytestmark = pytest.mark.pipeline


@given(count=st.integers(0, 120), seed=st.integers(0, 50), most=st.integers(1, 400))
@settings(max_examples=25)
def test_blocks_hold_every_pair_once(count: int, seed: int, most: int) -> None:
    """Whatever their size, they are the pairs found in one go."""
    ra, dec = np.random.default_rng(seed).uniform(0, 10 * ARCMIN, (2, count))
    found = [np.stack(block) for block in blocks_between(ra, dec, ARCMIN, 4 * ARCMIN, most=most)]
    joined = np.concatenate(found, axis=1)
    expected = np.stack(pairs_between(ra, dec, ARCMIN, 4 * ARCMIN)) if count else joined
    assert np.array_equal(joined[:, np.lexsort(joined[::-1])], expected)


def test_a_block_is_about_as_large_as_asked() -> None:
    """The pairs of one position more, at most."""
    ra, dec = np.random.default_rng(1).uniform(0, 10 * ARCMIN, (2, 500))
    sizes = [len(first) for first, _ in blocks_between(ra, dec, 0.0, 3 * ARCMIN, most=2000)]
    assert len(sizes) > 5
    assert max(sizes) <= 2 * 2000 + 500


@given(seed=st.integers(0, 50), parts=st.integers(1, 5))
def test_a_mean_made_in_parts_is_the_mean(seed: int, parts: int) -> None:
    """With the error of pairs that share things."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 20, 100)
    second = (first + rng.integers(1, 20, 100)) % 20
    values = rng.normal(1.0, 2.0, 100)
    mean = PairMean(20)
    for part in np.array_split(np.arange(100), parts):
        mean.add(values[part], first[part], second[part])
    estimate = mean.estimate()
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.n == 100
    assert estimate.stderr == pytest.approx(pair_mean_error(values, np.arange(100), first, second))
