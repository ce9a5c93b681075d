"""Depth of the coadd over patches."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from qa.metrics import Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.depth import coadd_depth


def test_large_patches_count_more() -> None:
    """The mean is weighted by area; patches without coverage do not count."""
    depth = Table({"patch": [0, 1, 2], "area_arcmin2": [3.0, 1.0, 0.0], "depth5": [25.0, 26.0, np.nan]})
    estimate = coadd_depth(Tables(depth=depth))
    assert estimate.value == pytest.approx(25.25)
    assert estimate.n == 2


def test_equal_patches_have_the_textbook_error() -> None:
    """For equal areas the error is the standard deviation over the root of n."""
    values = np.array([25.0, 25.1, 25.3, 24.9])
    estimate = coadd_depth(Tables(depth=Table({"area_arcmin2": np.ones(4), "depth5": values})))
    assert estimate.stderr == pytest.approx(values.std(ddof=1) / 2)


def test_a_single_patch_has_no_error_and_none_no_depth() -> None:
    """One patch shows no scatter; none is a reason."""
    depth = Table({"area_arcmin2": [1.0], "depth5": [25.0]})
    assert coadd_depth(Tables(depth=depth)).stderr is None
    with pytest.raises(
        CannotMeasureError, match="at least 1 patches with a measured depth are needed, and there are 0"
    ):
        coadd_depth(Tables(depth=depth[:0]))
