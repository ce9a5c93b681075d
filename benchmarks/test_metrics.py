"""How long metrics of matched catalogues take: 100 000 detections as a night gives them, and two million.

`benchmarks/catalogs.py` goes to ten million, beside pandas and astropy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("numba")

from qa.metrics import METRICS, Tables
from qa.metrics.groups import Catalog, Selection, select
from qa.model import Measurement, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

    from qa.model import Result

SCOPE = Scope("hsc", "benchmark", "r")


def catalogue(*, stars: int, visits: int, side_deg: float) -> dict[str, np.ndarray]:
    """Return stars that scatter by 10 mmag and 10 mas per axis; one in ten is bright enough for AM1."""
    rng = np.random.default_rng(1)
    star = np.repeat(np.arange(stars), visits)
    dec = rng.uniform(0, side_deg, stars)[star] + rng.normal(0, 10 / 3.6e6, len(star))
    ra = rng.uniform(0, side_deg, stars)[star] + rng.normal(0, 10 / 3.6e6, len(star))
    magnitude = np.where(np.arange(stars) % 10 == 0, 20.0, 22.0)[star] + rng.normal(0, 0.01, len(star))
    columns = {"object": star, "visit": np.tile(np.arange(visits), stars), "ra": ra, "dec": dec, "mag": magnitude}
    columns |= {"snr": np.full(len(star), 300.0), "extendedness": np.zeros(len(star))}
    return columns | {"flag": np.zeros(len(star), dtype=bool)}


@pytest.fixture(scope="module")
def night() -> dict[str, np.ndarray]:
    """Return 20 000 stars in half a square degree, five visits."""
    return catalogue(stars=20_000, visits=5, side_deg=0.7)


@pytest.fixture(scope="module")
def survey() -> dict[str, np.ndarray]:
    """Return 40 000 stars in four square degrees, fifty visits; rows in no order."""
    columns = catalogue(stars=40_000, visits=50, side_deg=2.0)
    order = np.random.default_rng(2).permutation(len(columns["object"]))
    return {name: values[order] for name, values in columns.items()}


@pytest.mark.parametrize(
    ("name", "expected"), [("PA1", 8.4), ("PA2", 16.4), ("PF1", 9.3), ("AM1", 13.1), ("AD1", 16.0)]
)
def test_metric(benchmark: BenchmarkFixture, night: dict[str, np.ndarray], name: str, expected: float) -> None:
    """The value is what the scatter says, so that what is timed is the real thing."""
    _measure(benchmark, lambda: METRICS[name](Tables(matched=Catalog(night)), SCOPE), expected)


@pytest.mark.parametrize(
    ("name", "expected"), [("PA1", 9.8), ("PA2", 16.4), ("PF1", 12.9), ("AM1", 14.0), ("AM2", 14.0), ("AD2", 13.7)]
)
def test_metric_of_a_survey(
    benchmark: BenchmarkFixture, survey: dict[str, np.ndarray], name: str, expected: float
) -> None:
    """The same of two million detections, whose order and stars are known after the first of several rounds."""
    catalog = Catalog(survey)
    _measure(benchmark, lambda: METRICS[name](Tables(matched=catalog), SCOPE), expected)


def test_order_and_selection_of_a_survey(benchmark: BenchmarkFixture, survey: dict[str, np.ndarray]) -> None:
    """Rows are put in order by object and visit, and stars chosen."""
    groups = benchmark(lambda: select(Catalog(survey), Selection(snr=50.0, magnitudes=(17.0, 21.5))))
    assert len(groups) == 4000


def _measure(benchmark: BenchmarkFixture, measure: Callable[[], Result], expected: float) -> None:
    result = benchmark(measure)
    assert isinstance(result, Measurement)
    assert result.value == pytest.approx(expected, rel=0.15)
    print(f"\n{result.metric}: {result.value:.3f} +- {result.stderr:.3f} {result.unit} from {result.n}")
