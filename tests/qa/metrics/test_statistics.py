"""Standard errors: known cases, and what repeated draws show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.metrics.statistics import fraction_error, mean_error, pair_mean_error, quantile_error, weighted_quantile


def test_mean_error_is_the_textbook_error_for_independent_values() -> None:
    """Without clusters the error of a mean is the sample standard deviation over the root of n."""
    values = np.random.default_rng(1).normal(size=50)
    assert mean_error(values) == pytest.approx(values.std(ddof=1) / math.sqrt(50))


def test_repeating_values_within_clusters_does_not_reduce_the_error() -> None:
    """Ten copies of each value are no more than the values themselves."""
    values = np.random.default_rng(1).normal(size=40)
    copies = np.repeat(values, 10)
    assert mean_error(copies, np.repeat(np.arange(40), 10)) == pytest.approx(mean_error(values))
    assert mean_error(copies) < mean_error(values) / 2


def test_one_cluster_has_no_error() -> None:
    """A single cluster shows no scatter."""
    assert math.isnan(mean_error(np.arange(5.0), np.zeros(5, dtype=np.int64)))


def test_the_error_of_pairs_is_that_of_repeated_draws() -> None:
    """The mean of (x_i + x_j) / 2 over all pairs scatters as the mean of x, far more than independent pairs would."""
    first, second = np.triu_indices(40, 1)
    rng = np.random.default_rng(2)
    means, errors = [], []
    for _ in range(200):
        x = rng.normal(size=40)
        values = (x[first] + x[second]) / 2
        means.append(values.mean())
        errors.append(pair_mean_error(values, np.arange(len(first)), first, second))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.15)
    assert np.mean(errors) == pytest.approx(1 / math.sqrt(40), rel=0.15)


def test_the_error_of_a_median_is_that_of_repeated_draws() -> None:
    """For a normal sample it is sqrt(pi / 2 n)."""
    rng = np.random.default_rng(3)
    samples = rng.normal(size=(300, 101))
    errors = [quantile_error(sample, 0.5, mean_error) for sample in samples]
    assert np.mean(errors) == pytest.approx(np.std(np.median(samples, axis=1)), rel=0.15)


@pytest.mark.parametrize("chosen", [np.zeros(98, dtype=bool), np.ones(98, dtype=bool)])
def test_a_fraction_of_none_or_all_is_not_certain(chosen: np.ndarray) -> None:
    """No event among 98 leaves an error of about one event in a hundred."""
    assert fraction_error(chosen, mean_error) == pytest.approx(math.sqrt(0.01 * 0.99 / 100))


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.floats(0.0, 1.0))
def test_equal_weights_give_the_inverted_cdf(values: list[int], fraction: float) -> None:
    """With equal weights the weighted quantile is a value that enough of the others do not exceed."""
    array = np.array(values, dtype=np.float64)
    found = weighted_quantile(array, np.ones(len(array)), fraction)
    assert found in array
    assert np.mean(array <= found) >= fraction - 1e-9
    assert np.mean(array < found) <= fraction + 1e-9


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 4)), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_a_weight_is_a_number_of_copies(rows: list[tuple[int, int]], fraction: float) -> None:
    """An integer weight counts as that many values of weight 1."""
    values, weights = (np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
    copies = np.repeat(values, weights.astype(int))
    assert weighted_quantile(values, weights, fraction) == weighted_quantile(copies, np.ones(len(copies)), fraction)
