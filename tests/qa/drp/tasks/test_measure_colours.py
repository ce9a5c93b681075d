"""Metrics across bands, from the tables of all bands of a tract."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("lsst.pipe.base")

from astropy.table import Table

from qa.drp.tasks.measure_colours import MeasureColoursConfig, MeasureColoursTask, by_band
from qa.metrics.bundle import from_bundle
from qa.model import Measurement, Scope, Unmeasured

pytestmark = pytest.mark.pipeline
SCOPE = Scope("toy", "twin", tract=0)


def matched(*, first_visit: int, shift_mas: float = 0.0) -> Table:
    """Return forty stars seen in two visits."""
    star = np.repeat(np.arange(40), 2)
    table = Table({"object": star + 5 * first_visit, "visit": np.tile([first_visit, first_visit + 1], 40)})
    table["detector"] = 0
    table["ra"], table["dec"] = 10 + (star % 7) / 60, (star // 7) / 60 + shift_mas / 3.6e6
    table["mag"], table["snr"] = np.full(80, 18.0), np.full(80, 100.0)
    table["extendedness"], table["flag"] = np.zeros(80), np.zeros(80, dtype=bool)
    return table


def run(bands: dict[str, list[Table]]) -> tuple[Measurement | Unmeasured, ...]:
    """Run the task on matched tables alone."""
    made = MeasureColoursTask(config=MeasureColoursConfig()).run(bands, {}, {}, scope=SCOPE)
    return from_bundle(made.cross_metrics, SCOPE)


def test_results_are_filed_under_the_band_compared_with_r() -> None:
    """Measured, or with a reason; r itself has none."""
    results = run({"i": [matched(first_visit=20, shift_mas=30.0)], "r": [matched(first_visit=10)]})
    assert {(result.metric, result.scope.band) for result in results} == {
        (name, "i") for name in ("AB1", "AB2", "ABF1", "PA5")
    }
    values = {result.metric: result.value for result in results if isinstance(result, Measurement)}
    assert values["AB2"] == pytest.approx(30, abs=0.01)
    (missing,) = (result for result in results if isinstance(result, Unmeasured))
    assert (missing.metric, missing.scope.band) == ("PA5", "i")
    assert "is needed, and the table has no columns" in missing.reason


def test_a_tract_of_one_band_compares_nothing() -> None:
    """Its bundle is empty."""
    assert run({"r": [matched(first_visit=10)]}) == ()


def test_datasets_are_sorted_by_band() -> None:
    """However they are found."""
    refs = [SimpleNamespace(dataId={"band": band}) for band in "rgr"]
    found = by_band(SimpleNamespace(get=lambda ref: ref), refs)
    assert list(found) == ["g", "r"]
    assert found["r"] == [refs[0], refs[2]]
