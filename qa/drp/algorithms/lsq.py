"""Least squares over repeated observations: calibration terms are found, each object's own value is eliminated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CLIP = 4.0
"""Observations further than this many robust sigma from their object are dropped."""

ROUNDS = 4


def group_means(values: Floats, weights: Floats, groups: Ints) -> Floats:
    """Weighted mean of the rows of each group, shape (groups, columns); 0 for a group without weight."""
    count = int(groups.max()) + 1 if len(groups) else 0
    total = np.bincount(groups, weights, minlength=count)
    sums = np.column_stack([np.bincount(groups, weights * column, minlength=count) for column in values.T])
    return np.divide(sums, total[:, None], out=np.zeros_like(sums), where=total[:, None] > 0)


def solve_grouped(
    design: Floats, values: Floats, *, errors: Floats, groups: Ints, prior: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Find p such that values + design @ p agrees within each group.

    Parameters
    ----------
    design
        Shape (n, k). An observation that needs no calibration (a reference star) has a row of zeros.
    values
        Shape (n, m), m quantities that share the design.
    errors
        Standard error of each row, shape (n,).
    groups
        Which object each row observes, 0, 1, ...
    prior
        Standard deviation expected of each of the k terms about zero: with few observations the terms shrink.

    Returns
    -------
    terms
        Shape (k, m).
    kept
        Rows that were not dropped as outliers.
    """
    weights = 1 / errors**2
    kept = np.ones(len(values), dtype=bool)
    terms = np.zeros((design.shape[1], values.shape[1]))
    for _ in range(ROUNDS):
        active = weights * kept
        centred = design - group_means(design, active, groups)[groups]
        target = values - group_means(values, active, groups)[groups]
        normal = centred.T @ (active[:, None] * centred) + np.diag(1 / prior**2)
        terms = np.asarray(np.linalg.solve(normal, -centred.T @ (active[:, None] * target)), dtype=np.float64)
        calibrated = values + design @ terms
        residual = calibrated - group_means(calibrated, active, groups)[groups]
        pull = np.hypot.reduce(residual, axis=1) / errors if values.shape[1] > 1 else np.abs(residual[:, 0]) / errors
        repeated = np.bincount(groups, kept)[groups] > 1
        scatter = max(1.0, float(np.median(pull[repeated & kept])) / 0.7) if (repeated & kept).any() else 1.0
        kept = pull <= CLIP * scatter
    return terms, kept
