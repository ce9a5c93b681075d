"""Fixtures shared by all tests; the optional parts of obsqa and the shared data skip with a reason."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator

# No test is timed: machines are noisy, and the first example may compile.
settings.register_profile("obsqa", deadline=None)
settings.load_profile("obsqa")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def required(what: str) -> bool:
    """Tell whether `OBSQA_REQUIRE` says that a skip for want of `what` is a failure."""
    return what in os.environ.get("OBSQA_REQUIRE", "").split(",")


def skip_or_fail(what: str, reason: str) -> None:
    """Skip the test, or fail it where `what` is required."""
    if required(what):
        pytest.fail(f"{what} is required here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, or skip."""
    folder = Path(os.environ.get("OBSQA_SHARED_DATA", SHARED_DATA))
    if not folder.is_dir():
        skip_or_fail("shared_data", f"the real data sets are not at {folder}")
    return folder


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of the embedded pipeline where it is not installed."""
    if item.get_closest_marker("pipeline") and importlib.util.find_spec("lsst.daf.butler") is None:
        skip_or_fail("pipeline", "the extra 'pipeline' is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail the collection of a module that skips itself for want of the pipeline where that is required."""
    report = yield
    if report.outcome == "skipped" and required("pipeline"):
        report.outcome = "failed"
        report.longrepr = f"the pipeline is required here, and {collector.nodeid} skips itself without it"
    return report
