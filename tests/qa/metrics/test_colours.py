"""Colours of stars with known truth, and widths of drawn stellar loci."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table

pytest.importorskip("scipy")

from qa.metrics import METRICS, Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.colours import LOCI, locus_width, pa5
from qa.model import Scope, Unmeasured

pytestmark = pytest.mark.pipeline
W, X, _ = LOCI


@pytest.fixture
def bands(truth: Table, objects: Table) -> dict[str, Tables]:
    """Return r and g of the same stars; g has the first half of them, and its truth comes in another order."""
    fainter, found = truth.copy(), objects[:1000].copy()
    fainter["mag"] = truth["mag"] + 0.6
    found["mag"] = found["mag"] + 0.6
    return {
        "g": Tables(objects=found, truth_coverage=fainter[::-1]),
        "r": Tables(objects=objects, truth_coverage=truth),
    }


def moved(bands: dict[str, Tables], band: str, offset: float) -> Tables:
    """Make a band too faint, and return what a metric of g reads."""
    objects = bands[band].objects
    assert objects is not None
    objects["mag"] = objects["mag"] + offset
    return replace(bands["g"], bands=bands)


@pytest.mark.parametrize("offset", [0.02, -0.02])
def test_a_colour_is_wrong_by_the_difference_of_zero_points(bands: dict[str, Tables], offset: float) -> None:
    """Stars are joined by their number in the truth; the sign does not matter."""
    estimate = pa5(moved(bands, "g", offset))
    assert estimate.value == pytest.approx(20)
    assert estimate.n == 1000


def test_a_common_error_is_none_of_a_colour(bands: dict[str, Tables]) -> None:
    """It is PA6's."""
    moved(bands, "r", 0.02)
    assert pa5(moved(bands, "g", 0.02)).value == pytest.approx(0, abs=1e-9)


def locus_tables(*, width: float, count: int = 500, outliers: int = 0, steep: bool = False) -> dict[str, Tables]:
    """Return point-like objects on a straight locus of a width (mag) perpendicular to it, and outliers off it."""
    rng = np.random.default_rng(11)
    slope, start, ends = (4.0, -3.8, (1.1, 1.35)) if steep else (0.52, -0.08, (0.1, 1.2))
    x = rng.uniform(*ends, count)
    apart = rng.normal(0, width, count)
    norm = np.hypot(1, slope)
    gr, ri = x - slope * apart / norm, start + slope * x + apart / norm
    ri[:outliers] += 0.1
    r = rng.uniform(17, 19, count)
    row = np.arange(count) / 360.0
    table = Table({"ra": np.full(count, 30.0), "dec": row})
    made = {}
    for band, mag in {"g": r + gr, "r": r, "i": r - ri}.items():
        objects = table.copy()
        objects["mag"], objects["snr"] = mag, np.full(count, 400.0)
        objects["extendedness"], objects["flag"] = np.zeros(count), np.zeros(count, dtype=bool)
        objects["primary"] = np.ones(count, dtype=bool)
        made[band] = Tables(objects=objects)
    return made


def test_the_width_of_a_locus_is_found() -> None:
    """Within its standard error, whatever is outside the box."""
    estimate = locus_width(Tables(bands=locus_tables(width=0.010)), locus=W)
    assert estimate.stderr is not None
    assert estimate.value == pytest.approx(10, abs=3 * estimate.stderr)
    assert 200 < estimate.n < 500


def test_a_steep_locus_is_cut_in_y() -> None:
    """The part of M stars, where r - i says more than g - r."""
    estimate = locus_width(Tables(bands=locus_tables(width=0.010, steep=True)), locus=X)
    assert estimate.stderr is not None
    assert estimate.value == pytest.approx(10, abs=3 * estimate.stderr)


def test_outliers_do_not_widen_a_locus() -> None:
    """A tenth of the stars 0.1 mag off is clipped."""
    clean = locus_width(Tables(bands=locus_tables(width=0.010)), locus=W)
    estimate = locus_width(Tables(bands=locus_tables(width=0.010, outliers=50)), locus=W)
    assert estimate.value == pytest.approx(clean.value, rel=0.1)
    assert estimate.n < clean.n


def test_zero_points_move_a_locus_but_do_not_widen_it() -> None:
    """The line is fitted to the data."""
    bands = locus_tables(width=0.010)
    before = locus_width(Tables(bands=bands), locus=W).value
    assert bands["g"].objects is not None
    bands["g"].objects["mag"] = bands["g"].objects["mag"] + 0.01
    assert locus_width(Tables(bands=bands), locus=W).value == pytest.approx(before, rel=0.1)


def test_galaxies_and_faint_objects_are_no_locus() -> None:
    """The reason says what is lacking."""
    bands = locus_tables(width=0.010)
    assert bands["i"].objects is not None
    bands["i"].objects["extendedness"] = 1.0
    with pytest.raises(CannotMeasureError, match=r"bright stars with colours in the box of the locus w are needed"):
        locus_width(Tables(bands=bands), locus=W)


def test_a_locus_needs_three_bands() -> None:
    """The absent one is named."""
    bands = locus_tables(width=0.010)
    del bands["i"]
    result = METRICS["stellar_locus_width_w"](Tables(bands=bands), Scope("hsc", "twin", "g", 0))
    assert isinstance(result, Unmeasured)
    assert result.reason == "the band i is needed, and there are tables of g, r"


def test_a_band_without_coadd_is_a_reason() -> None:
    """Its objects were never made."""
    result = METRICS["PA5"](Tables(bands={"g": Tables(), "r": Tables(objects=Table())}), Scope("hsc", "twin", "g", 0))
    assert isinstance(result, Unmeasured)
    assert result.reason == "the column primary is needed, and the table has no columns"
