"""Standard errors of means and quantiles whose values are not independent of each other.

All are analytic: two runs over the same numbers agree to the last bit, and no seed is needed. What every value shares
(a visit's common zero-point error) no such estimate can see.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def mean_error(values: NDArray[Any], cluster: Ints | None = None) -> float:
    """Return the standard error of the mean of `values` (n,), which are independent between clusters only.

    `cluster` (n,) numbers the clusters from 0; without it every value stands alone. This is the sandwich estimate
    sqrt(sum_c (sum_{i in c} d_i)^2) / n with d the deviations from the mean, times sqrt(g / (g - 1)) for g clusters
    (Cameron & Miller 2015, J. Human Resources 50, 317, sect. II). NaN for fewer than two clusters.
    """
    deviations = np.asarray(values, dtype=np.float64) - np.mean(values)
    sums = deviations if cluster is None else np.bincount(cluster, deviations)
    count = len(sums) if cluster is None else int(np.count_nonzero(np.bincount(cluster)))
    if count < 2:  # noqa: PLR2004 - one cluster shows no scatter
        return math.nan
    return float(np.sqrt(np.sum(sums**2) * count / (count - 1)) / len(values))


def pair_mean_error(values: NDArray[Any], pair: Ints, first: Ints, second: Ints) -> float:
    """Return the standard error of the mean of `values` (n,) that belong to pairs of things, e.g. of stars.

    `pair` (n,) says to which pair a value belongs, `first` and `second` (pairs,) which two things make it. Pairs that
    have a thing in common are not independent: the dyadic sandwich estimate of Aronow, Samii & Assenova 2015
    (Political Analysis 23, 564, eq. 4) sums over things and takes the pairs, counted twice, off once. Where that
    comes out below the estimate of independent pairs, as it may by chance, the latter is returned.
    """
    deviations = np.asarray(values, dtype=np.float64) - np.mean(values)
    sums = np.bincount(pair, deviations, minlength=len(first))
    size = int(max(first.max(), second.max())) + 1
    things = np.bincount(first, sums, minlength=size) + np.bincount(second, sums, minlength=size)
    alone = float(np.sum(sums**2))
    return math.sqrt(max(float(np.sum(things**2)) - alone, alone)) / len(values)


def fraction_error(chosen: NDArray[np.bool_], error: Callable[[NDArray[Any]], float]) -> float:
    """Return the standard error of the fraction `chosen` (n,), as `error` of a mean gives it.

    Where all or none are chosen there is no scatter to see; then the binomial error of (k + 1) / (n + 2) stands in.
    """
    count, number = len(chosen), int(np.sum(chosen))
    if 0 < number < count:
        return error(chosen)
    fraction = (number + 1) / (count + 2)
    return math.sqrt(fraction * (1 - fraction) / (count + 2))


def quantile_error(values: Floats, fraction: float, error: Callable[[NDArray[Any]], float]) -> float:
    """Return the standard error of a quantile of `values`: Woodruff's interval (1952, J. Am. Stat. Assoc. 47, 635).

    `error` gives the standard error s of a mean of numbers that go with the values; applied to "is this value below
    the quantile?" it is that of the fraction, and half the distance between the quantiles at fraction -+ s that of
    the quantile. NaN where s is.
    """
    spread = error(values <= np.quantile(values, fraction))
    if not math.isfinite(spread):
        return math.nan
    low, high = np.quantile(values, np.clip([fraction - spread, fraction + spread], 0.0, 1.0))
    return float(high - low) / 2


class Weighted:
    """Values (n,) with weights, sorted once."""

    def __init__(self, values: Floats, weights: Floats) -> None:
        order = np.argsort(values, kind="stable")
        self._values = values[order]
        self._cumulative = np.cumsum(weights[order])

    def quantile(self, fraction: float) -> float:
        """Return the smallest of the values up to which at least `fraction` of all weight lies."""
        # Weights such as 1/3 do not add up exactly; a fraction that is reached is not to be missed by a rounding error.
        place = np.searchsorted(self._cumulative, fraction * self._cumulative[-1] * (1 - 1e-12))
        return float(self._values[place])


def weighted_quantile(values: Floats, weights: Floats, fraction: float) -> float:
    """Return the smallest of `values` up to which at least `fraction` of all weight lies."""
    return Weighted(values, weights).quantile(fraction)
