"""Zero points across the sky of fields whose errors are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy")

from qa.metrics import Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.zeropoints import cells, pa3, pa4, pa6, pf2

if TYPE_CHECKING:
    from astropy.table import Table

pytestmark = pytest.mark.pipeline


def shifted(objects: Table, truth: Table, *, gradient: float = 0.0, offset: float = 0.0, noise: float = 0.0) -> Tables:
    """Make objects fainter by an offset and a gradient along declination (mag from edge to edge), and noisy."""
    found = objects.copy()
    dec = np.asarray(found["dec"])
    along = (dec - dec.mean()) / np.ptp(dec)
    found["mag"] = found["mag"] + offset + gradient * along + np.random.default_rng(5).normal(0, noise, len(found))
    return Tables(objects=found, truth_coverage=truth)


@given(count=st.integers(40, 300), seed=st.integers(0, 50))
def test_cells_share_the_stars_evenly(count: int, seed: int) -> None:
    """Each holds 20 to 40 of them, and none is lost."""
    x, y = np.random.default_rng(seed).uniform(size=(2, count))
    sizes = np.bincount(cells(x, y))
    assert sizes.sum() == count
    assert (sizes >= 20).all()
    assert (sizes < 40).all()


def test_a_cell_is_compact() -> None:
    """Four cells of a square are its quarters."""
    x, y = np.random.default_rng(2).uniform(size=(2, 80 * 4))
    number = cells(x, y, least=80)
    assert [np.ptp(x[number == cell]) < 0.6 for cell in range(4)] == [True] * 4
    assert [np.ptp(y[number == cell]) < 0.6 for cell in range(4)] == [True] * 4


def test_a_gradient_shows_as_its_rms(objects: Table, truth: Table) -> None:
    """A linear gradient of g from edge to edge has the rms g / sqrt(12) over fine cells."""
    estimate = pa3(shifted(objects, truth, gradient=0.05))
    assert estimate.value == pytest.approx(50 / np.sqrt(12), rel=0.05)
    assert estimate.stderr is not None
    assert 0 < estimate.stderr < estimate.value / 2


def test_a_common_offset_is_no_internal_error(objects: Table, truth: Table) -> None:
    """It is the error of the AB scale, and has no sign there."""
    for offset in (0.03, -0.03):
        tables = shifted(objects, truth, offset=offset)
        assert pa3(tables).value == pytest.approx(0, abs=1e-9)
        assert pa6(tables).value == pytest.approx(30)
        assert pf2(tables).value == 0


def test_noise_of_stars_shows_as_that_of_medians(objects: Table, truth: Table) -> None:
    """Of about 30 stars each: 1.25 sigma over the square root of 30."""
    estimate = pa3(shifted(objects, truth, noise=0.01))
    assert estimate.value == pytest.approx(12.5 / np.sqrt(31), rel=0.35)


def test_limit_and_fraction_of_outliers_go_together(objects: Table, truth: Table) -> None:
    """Of errors uniform between -e and e a share of (e - 15) / e is beyond 15 mmag, and a tenth beyond 0.9 e."""
    tables = shifted(objects, truth, gradient=0.06)
    assert pa4(tables).value == pytest.approx(27, rel=0.06)
    assert pf2(tables).value == pytest.approx(50, abs=6)


def test_few_stars_give_no_cells(objects: Table, truth: Table) -> None:
    """The reason counts them."""
    with pytest.raises(CannotMeasureError, match=r"at least 80 isolated bright stars .* and there are 50"):
        pa3(Tables(objects=objects[:50], truth_coverage=truth))
