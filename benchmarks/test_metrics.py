"""How long PA1 and AM1 take on 100 000 detections: 20 000 stars in half a square degree, five visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.table import Table

pytest.importorskip("scipy")

from qa.metrics import METRICS, Tables
from qa.model import Measurement, Scope

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

STARS, VISITS, SIDE_DEG = 20_000, 5, 0.7
SCOPE = Scope("hsc", "benchmark", "r")


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Return stars that scatter by 10 mmag and 10 mas per axis; one in ten is bright enough for AM1."""
    rng = np.random.default_rng(1)
    star = np.repeat(np.arange(STARS), VISITS)
    dec = rng.uniform(0, SIDE_DEG, STARS)[star] + rng.normal(0, 10 / 3.6e6, len(star))
    ra = rng.uniform(0, SIDE_DEG, STARS)[star] + rng.normal(0, 10 / 3.6e6, len(star))
    magnitude = np.where(np.arange(STARS) % 10 == 0, 20.0, 22.0)[star] + rng.normal(0, 0.01, len(star))
    matched = Table(
        {"object": star, "visit": np.tile(np.arange(VISITS), STARS), "ra": ra, "dec": dec, "mag": magnitude}
    )
    matched["snr"], matched["extendedness"], matched["flag"] = 300.0, 0.0, False
    return Tables(matched=matched)


@pytest.mark.parametrize(
    ("name", "expected"), [("PA1", 8.4), ("PA2", 16.4), ("PF1", 9.3), ("AM1", 13.1), ("AD1", 16.0)]
)
def test_metric(benchmark: BenchmarkFixture, tables: Tables, name: str, expected: float) -> None:
    """The value is what the scatter says, so that what is timed is the real thing."""
    result = benchmark(METRICS[name], tables, SCOPE)
    assert isinstance(result, Measurement)
    assert result.value == pytest.approx(expected, rel=0.15)
    print(f"\n{name}: {result.value:.3f} +- {result.stderr:.3f} {result.unit} from {result.n}")
