"""Least squares over repeated observations: calibration terms are found, each object's own value is eliminated.

Every observation depends on the few terms of its owner (a detector in a visit). The normal equations are gathered
owner by owner, and the objects are eliminated (Schur complement) in blocks, so that memory does not grow with the
number of observations and no matrix of observations by terms is ever built.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

CLIP = 4.0
"""Observations further than this many robust sigma from their object are dropped."""

SOFT, CAUCHY = 4, 1.0
"""First come so many solutions in which observations further than so many robust sigma lose weight with distance: wrong
matches do not decide what is dropped."""

ROUNDS = 6
"""Most solutions after those, each without the outliers of the one before; it ends when these no longer change."""

TYPICAL = {1: 0.6745, 2: 1.1774}
"""Median length of a vector of so many normal deviates."""

BLOCK = 1024
"""Objects eliminated at a time."""


@dataclass(frozen=True, slots=True)
class Design:
    """How observations depend on the terms p: i is moved by the sum over j of basis[i, j] p[columns[owner[i], j]].

    Attributes
    ----------
    basis
        Shape (n, t).
    columns
        Shape (owners, t): which of the `size` terms each owner has.
    owner
        Shape (n,), ascending.
    size
        Number of terms in all.
    """

    basis: Floats
    columns: Ints
    owner: Ints
    size: int

    def __matmul__(self, terms: Floats) -> Floats:
        """Effect of terms, shape (size, m), on each observation; shape (n, m)."""
        out = np.empty((len(self.basis), terms.shape[1]))
        for rows, columns in self.owners():
            out[rows] = self.basis[rows] @ terms[columns]
        return out

    def owners(self) -> Iterator[tuple[slice, Ints]]:
        """Give the rows and the terms of each owner."""
        ends = np.searchsorted(self.owner, np.arange(len(self.columns) + 1))
        for columns, first, last in zip(self.columns, ends[:-1], ends[1:], strict=True):
            yield slice(int(first), int(last)), columns


def group_means(values: Floats, weights: Floats, groups: Ints) -> Floats:
    """Weighted mean of the rows of each group, shape (groups, columns); 0 for a group without weight."""
    count = int(groups.max()) + 1 if len(groups) else 0
    total = np.bincount(groups, weights, minlength=count)
    sums = np.column_stack([np.bincount(groups, weights * column, minlength=count) for column in values.T])
    return np.divide(sums, total[:, None], out=np.zeros_like(sums), where=total[:, None] > 0)


def group_medians(values: Floats, groups: Ints) -> Floats:
    """Median of the rows of each group, column by column, shape (groups, columns); 0 for a group without rows."""
    counts = np.bincount(groups)
    first = np.cumsum(counts) - counts
    filled = counts > 0
    low, high = first + (counts - 1) // 2, first + counts // 2
    out = np.zeros((len(counts), values.shape[1]))
    for column in range(values.shape[1]):
        ordered = values[np.lexsort((values[:, column], groups)), column]
        out[filled, column] = (ordered[low[filled]] + ordered[high[filled]]) / 2
    return out


def solve_grouped(
    design: Design, values: Floats, *, errors: Floats, groups: Ints, prior: Floats, start: Floats | None = None
) -> tuple[Floats, Flags]:
    """Find p such that values + design @ p agrees within each group.

    Parameters
    ----------
    design
        Of the first n rows. The rows beyond need no calibration (reference stars).
    values
        Shape (n + r, m), m quantities that share the design.
    errors
        Standard error of each row, shape (n + r,).
    groups
        Which object each row observes, 0, 1, ...
    prior
        Standard deviation expected of each of the k terms about zero: with few observations the terms shrink.
    start
        Terms that are nearly right, if known: they tell the outliers to begin with.

    Returns
    -------
    terms
        Shape (k, m).
    kept
        Rows that were not dropped as outliers. One is an outlier by its distance from the median of its object,
        which a minority of wrong matches does not move.
    """
    problem = _Problem(design, values, errors, groups, prior)
    pull = np.zeros(len(values)) if start is None else problem.pulls(start)
    kept = pull <= CLIP * problem.scatter(pull, problem.repeated)
    trust, terms = kept.astype(np.float64), np.zeros((design.size, values.shape[1]))
    for step in range(0 if start is None else SOFT, SOFT + ROUNDS):
        terms = problem.solve(trust)
        pull = problem.pulls(terms)
        scatter = problem.scatter(pull, problem.repeated & (kept | (step < SOFT)))
        before, kept = kept, pull <= CLIP * scatter
        trust = 1 / (1 + (pull / (CAUCHY * scatter)) ** 2) if step < SOFT - 1 else kept.astype(np.float64)
        if step >= SOFT and np.array_equal(before, kept):
            break
    return terms, kept


class _Problem:
    """The equations of `solve_grouped`, laid out once for all its rounds."""

    def __init__(self, design: Design, values: Floats, errors: Floats, groups: Ints, prior: Floats) -> None:
        self.design, self.values, self.errors, self.groups, self.prior = design, values, errors, groups, prior
        self.repeated = np.asarray(np.bincount(groups)[groups] > 1)
        self._blocks = list(_blocks(design, groups, self.repeated))

    def pulls(self, terms: Floats) -> Floats:
        """Distances from the medians of the objects in standard errors."""
        calibrated = self.values.copy()
        calibrated[: len(self.design.basis)] += self.design @ terms
        residual = calibrated - group_medians(calibrated, self.groups)[self.groups]
        return np.asarray(np.sqrt((residual**2).sum(axis=1)) / self.errors)

    def scatter(self, pull: Floats, typical: Flags) -> Floats:
        """Robust scale of the pulls, at least 1: one for the observations, one for the known objects.

        Were it the same, an error of the level, which all observations share, would have all known objects dropped.
        """
        out, count = np.ones(len(pull)), len(self.design.basis)
        for rows in (slice(0, count), slice(count, None)):
            if typical[rows].any():
                out[rows] = max(1.0, float(np.median(pull[rows][typical[rows]])) / TYPICAL[self.values.shape[1]])
        return out

    def solve(self, trust: Floats) -> Floats:
        """Solve the normal equations of the terms, the objects eliminated; `trust` scales the weights."""
        design, groups = self.design, self.groups
        weights = np.where(self.repeated, trust / self.errors**2, 0.0)  # an object seen once tells nothing
        target = self.values - group_means(self.values, weights, groups)[groups]
        normal, right = np.diag(1 / self.prior**2), np.zeros((design.size, self.values.shape[1]))
        for rows, columns in design.owners():
            weighted = design.basis[rows] * weights[rows, None]
            normal[np.ix_(columns, columns)] += weighted.T @ design.basis[rows]
            right[columns] -= weighted.T @ target[rows]
        total = np.bincount(groups, weights)[groups]
        root = np.divide(weights, np.sqrt(total), out=np.zeros_like(weights), where=total > 0)
        for block in self._blocks:
            sums = block.sums(design.basis, root)
            normal[np.ix_(block.columns, block.columns)] -= sums.T @ sums
        return np.asarray(cho_solve(cho_factor(normal, lower=True, overwrite_a=True), right), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Block:
    """Some objects: the rows that observe them, the terms these have, and where each goes in objects by terms."""

    rows: Ints
    columns: Ints
    place: Ints

    def sums(self, basis: Floats, weights: Floats) -> Floats:
        """Weighted sums over the observations of each object."""
        weighted = basis[self.rows] * weights[self.rows, None]
        total = np.bincount(self.place.ravel(), weighted.ravel(), minlength=BLOCK * len(self.columns))
        return np.asarray(total.reshape(BLOCK, len(self.columns)), dtype=np.float64)


def _blocks(design: Design, groups: Ints, chosen: Flags) -> Iterator[_Block]:
    rows = np.flatnonzero(chosen[: len(design.basis)])
    rows = rows[np.argsort(groups[rows], kind="stable")]
    number = np.cumsum(np.diff(groups[rows], prepend=-1) > 0) - 1
    ends = np.searchsorted(number, np.arange(0, len(rows) + BLOCK, BLOCK))
    for first, last in pairwise(np.unique(ends)):
        mine = rows[first:last]
        owners = np.unique(design.owner[mine])
        columns = np.unique(design.columns[owners])
        place = np.searchsorted(columns, design.columns[owners])[np.searchsorted(owners, design.owner[mine])]
        yield _Block(mine, columns, (number[first:last] % BLOCK)[:, None] * len(columns) + place)
