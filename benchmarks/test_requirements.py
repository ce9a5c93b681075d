"""The public metrics package of lsst.verify: CPU seconds to read and merge it, and to examine it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qa.requirements.doctor import examine_package
from qa.requirements.verify import load_package

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
PACKAGE = Path(os.environ.get("OBSQA_SHARED_DATA", BESIDE)) / "verify" / "verify_metrics"

pytestmark = pytest.mark.skipif(not PACKAGE.is_dir(), reason=f"the public package is not at {PACKAGE}")


def test_a_package_of_1831_documents_is_read(benchmark: BenchmarkFixture) -> None:
    """Parsed with the line of every key, and merged."""
    start = time.process_time()
    package = benchmark.pedantic(lambda: load_package(PACKAGE), rounds=3, warmup_rounds=1)
    benchmark.extra_info["cpu_seconds"] = round((time.process_time() - start) / 4, 3)
    assert package.counts.documents == 1831


def test_a_package_of_1705_specifications_is_examined(benchmark: BenchmarkFixture) -> None:
    """All rules."""
    package = load_package(PACKAGE)
    start = time.process_time()
    faults = benchmark.pedantic(lambda: examine_package(package), rounds=3, warmup_rounds=1)
    benchmark.extra_info["cpu_seconds"] = round((time.process_time() - start) / 4, 3)
    assert len(faults) > 1000
