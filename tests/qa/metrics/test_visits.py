"""Depth and ellipticity of visits, of summaries with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from qa.metrics import METRICS, Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.visits import depth_losses, df1, df2, ef1, median_depth, se2, visit_depths, z1, z2
from qa.model import Measurement, Scope, Unmeasured


def summary(depths: list[list[float]], **columns: list[float]) -> Table:
    """Return a visit summary with a row per visit and detector of the given depths."""
    rows = [(visit, detector, depth) for visit, own in enumerate(depths) for detector, depth in enumerate(own)]
    table = Table(rows=rows, names=("visit", "detector", "depth5"), dtype=("i8", "i8", "f8"))
    table["n_pixels"] = np.full(len(table), 1000)
    for name, values in columns.items():
        table[name] = values
    return table


def line_of_detectors(visits: int, detectors: int) -> Table:
    """Return detections of detectors 0.1 degrees apart along declination."""
    table = Table()
    table["visit"] = np.repeat(np.arange(visits), detectors)
    table["detector"] = np.tile(np.arange(detectors), visits)
    table["ra"] = np.full(len(table), 10.0)
    table["dec"] = 0.1 * np.asarray(table["detector"])
    return table


def test_a_visit_is_as_deep_as_its_median_detector() -> None:
    """Detectors without a depth do not count; the visits' median is D1."""
    tables = Tables(visit_summary=summary([[24.0, 24.2, np.nan], [24.6, 24.6, 24.0], [24.4, 24.4, 24.4]]))
    assert visit_depths(tables).tolist() == [24.1, 24.6, 24.4]
    assert median_depth(tables).value == 24.4


def test_shallow_visits_are_counted_against_z1() -> None:
    """One of four is less deep than 24.4; a tenth of the visits does not reach Z1."""
    tables = Tables(visit_summary=summary([[24.0], [24.5], [24.6], [24.7]]))
    assert df1(tables).value == 25
    assert z1(tables).value == pytest.approx(24.15)
    assert z1(tables).n == 4


def test_depth_is_lost_from_the_middle_of_the_field() -> None:
    """Of five detectors in a row the third is the middle; losses are positive, whatever the visit's depth."""
    tables = Tables(visit_summary=summary([[24.0, 24.4, 24.5, 24.4, 24.0]] * 2), matched=line_of_detectors(2, 5))
    losses, pixels, visit = depth_losses(tables)
    assert losses == pytest.approx([0.5, 0.1, 0, 0.1, 0.5] * 2)
    assert pixels.tolist() == [1000.0] * 10
    assert visit.tolist() == [0] * 5 + [1] * 5
    assert df2(tables).value == pytest.approx(40)
    assert z2(tables).value == pytest.approx(0.5)


def test_large_detectors_weigh_more() -> None:
    """DF2 is a share of area."""
    tables = Tables(visit_summary=summary([[24.0, 24.5, 24.5]]), matched=line_of_detectors(1, 3))
    assert tables.visit_summary is not None
    tables.visit_summary["n_pixels"] = [3000, 1000, 1000]
    assert df2(tables).value == pytest.approx(60)


def test_a_single_detector_has_no_field() -> None:
    """The reason counts detectors and stars."""
    tables = Tables(visit_summary=summary([[24.0], [24.1]]), matched=line_of_detectors(2, 1))
    with pytest.raises(CannotMeasureError, match="of 2 with 2 stars none is"):
        df2(tables)


def test_ellipticity_of_images() -> None:
    """SE2 is exceeded by a twentieth of the images, EF1 counts those above 0.07."""
    e = np.linspace(0.0, 0.10, 101)
    tables = Tables(visit_summary=Table({"visit": np.arange(101) // 5, "e": e}))
    assert se2(tables).value == pytest.approx(0.095)
    assert ef1(tables).value == pytest.approx(100 * 30 / 101)


def test_a_summary_without_depths_says_so() -> None:
    """A missing column, and one of NaN, are reasons."""
    scope = Scope("hsc", "twin", "r")
    table = summary([[np.nan], [np.nan]])
    result = METRICS["DB1"](Tables(visit_summary=table), scope)
    assert isinstance(result, Unmeasured)
    assert result.reason == "at least 1 detectors with a measured depth5 are needed, and there are 0"
    table.remove_column("depth5")
    result = METRICS["DB1"](Tables(visit_summary=table), scope)
    assert isinstance(result, Unmeasured)
    assert "the column depth5 is needed" in result.reason


def test_se1_is_the_median_of_images() -> None:
    """And is asked for in r and i only."""
    table = Table({"visit": [1, 1, 2], "e": [0.02, 0.03, 0.08]})
    result = METRICS["SE1"](Tables(visit_summary=table), Scope("hsc", "twin", "i"))
    assert isinstance(result, Measurement)
    assert result.value == 0.03
    assert not METRICS["SE1"].definition.applies_to("g")
