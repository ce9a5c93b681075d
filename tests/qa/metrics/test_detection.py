"""Counts, duplicates, blends and classes of objects whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table, vstack

pytest.importorskip("scipy")

from qa.metrics import Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.detection import (
    classification,
    counts_slope,
    deblending_failures,
    duplicate_fraction,
    faint_limit,
    number_counts_excess,
    number_counts_slope_error,
)

pytestmark = pytest.mark.pipeline
ARCSEC = 1 / 3600


@pytest.fixture
def depth() -> Table:
    """Return a coadd whose depth is 27: counts go from 22 to 25."""
    return Table({"depth5": [26.5, 27.25, np.nan], "area_arcmin2": [1.0, 2.0, 5.0]})


def test_counts_end_two_magnitudes_above_the_depth(depth: Table) -> None:
    """The mean over patches by area, of those that have a depth."""
    assert faint_limit(Tables(depth=depth)) == pytest.approx(25)


def test_all_found_is_no_excess(objects: Table, truth: Table, depth: Table) -> None:
    """And the slope is the truth's."""
    tables = Tables(objects=objects, truth_coverage=truth, depth=depth)
    assert number_counts_excess(tables).value == 0
    assert number_counts_slope_error(tables).value == pytest.approx(0, abs=1e-12)


def test_what_is_lost_and_what_is_invented_count_against_each_other(objects: Table, truth: Table, depth: Table) -> None:
    """A tenth lost is -10 %; as many false ones beside cancel it, and only the error tells."""
    lost = objects[np.arange(len(objects)) % 10 != 0]
    fewer = number_counts_excess(Tables(objects=lost, truth_coverage=truth, depth=depth))
    assert fewer.value == pytest.approx(-10, abs=1.5)
    false = objects[np.arange(len(objects)) % 10 == 0].copy()
    false["dec"] = false["dec"] - 4 * ARCSEC
    both = number_counts_excess(Tables(objects=vstack([lost, false]), truth_coverage=truth, depth=depth))
    assert both.value == pytest.approx(0, abs=1e-9)
    assert fewer.stderr is not None
    assert both.stderr is not None
    assert both.stderr > fewer.stderr


def test_losing_the_faint_flattens_the_counts(objects: Table, truth: Table, depth: Table) -> None:
    """The slope's error is negative and significant."""
    rng = np.random.default_rng(8)
    kept = rng.uniform(size=len(objects)) < np.clip((26 - np.asarray(objects["mag"])) / 4, 0, 1)
    estimate = number_counts_slope_error(Tables(objects=objects[kept], truth_coverage=truth, depth=depth))
    assert estimate.stderr is not None
    assert estimate.value < -3 * estimate.stderr


@pytest.mark.parametrize("slope", [-0.5, 0.0, 0.3, 0.6])
def test_a_slope_is_found_again(slope: float) -> None:
    """Of numbers drawn from an exponential cut at both ends, within its standard error."""
    share = np.random.default_rng(4).uniform(size=20000)
    rate = 3 * slope * np.log(10)
    place = share if rate == 0 else np.log1p(share * np.expm1(rate)) / rate
    found, error = counts_slope(20 + 3 * place, 20.0, 23.0)
    assert found == pytest.approx(slope, abs=4 * error)
    assert 0 < error < 0.02


def test_a_duplicate_counts_both_ways(objects: Table) -> None:
    """Both of the pair are duplicates; a secondary object is none."""
    twin = objects[:10].copy()
    twin["dec"] = twin["dec"] + 0.3 * ARCSEC
    estimate = duplicate_fraction(Tables(objects=vstack([objects, twin])))
    assert estimate.value == pytest.approx(100 * 20 / 2010)
    twin["primary"] = False
    assert duplicate_fraction(Tables(objects=vstack([objects, twin]))).value == 0


def test_merged_pairs_are_deblending_failures(objects: Table, truth: Table, depth: Table) -> None:
    """Of twenty pairs 2 arcsec apart, five have one object midway, and one has lost its fainter member."""
    truth["mag"] = 23.0
    beside = truth[:20].copy()
    beside["dec"] = beside["dec"] + 2 * ARCSEC
    found = vstack([objects, objects[:20]])
    found["dec"][len(objects) :] += 2 * ARCSEC
    keep = np.ones(len(found), dtype=bool)
    keep[len(objects) : len(objects) + 6] = False
    found["dec"][:5] += 1 * ARCSEC
    tables = Tables(objects=found[keep], truth_coverage=vstack([truth, beside]), depth=depth)
    estimate = deblending_failures(tables)
    assert (estimate.value, estimate.n) == (30.0, 20)
    beside["mag"] = 26.0
    with pytest.raises(CannotMeasureError, match=r"at least 10 pairs .* and there are 0"):
        deblending_failures(Tables(objects=found[keep], truth_coverage=vstack([truth, beside]), depth=depth))


def test_completeness_and_purity_of_classes(objects: Table, truth: Table) -> None:
    """Of 1000 stars 100 are called galaxies, of 1000 galaxies 50 are called stars."""
    truth["star"] = np.arange(len(truth)) < 1000
    objects["extendedness"] = np.where(np.arange(len(objects)) < 950, 0.0, 1.0)
    objects["extendedness"][:50] = 1.0
    objects["extendedness"][1000:1050] = 0.0
    tables = Tables(objects=objects, truth_coverage=truth)
    assert classification(tables, star=True, purity=False).value == pytest.approx(90)
    assert classification(tables, star=False, purity=False).value == pytest.approx(95)
    assert classification(tables, star=True, purity=True).value == pytest.approx(100 * 900 / 950)
    assert classification(tables, star=False, purity=True).value == pytest.approx(100 * 950 / 1050)


def test_faint_and_blended_objects_are_not_classified(objects: Table, truth: Table) -> None:
    """Nor what has no counterpart; the reason says what was looked for."""
    objects["snr"][:500] = 10.0
    truth["isolated"][500:1000] = False
    objects["dec"][1000:] += 3 * ARCSEC
    with pytest.raises(CannotMeasureError, match="objects that are stars, of S/N of 20 or more, are needed"):
        classification(Tables(objects=objects, truth_coverage=truth), star=True, purity=False)
