"""Timings of pytest-benchmark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from math import pi, sqrt
from typing import TYPE_CHECKING, Any

import pytest

from qa.errors import DocumentError
from qa.foreign.benchmarks import read
from qa.foreign.testing import a_benchmark
from qa.model import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]


def with_stats(**stats: Any) -> dict[str, Any]:
    """Return a benchmark with other figures."""
    body = a_benchmark()
    body["benchmarks"][0]["stats"] |= stats
    return body


def test_the_median_counts_with_its_error_and_machine(write: Write) -> None:
    """Seconds; the number of rounds; the commit as package, marked when it had changes."""
    foreign = read(write(a_benchmark()))
    (result,) = foreign.results
    assert isinstance(result, Measurement)
    assert (result.metric, result.value, result.unit, result.n) == ("benchmark.test_w::test_warp[64]", 1.0, "s", 100)
    assert result.stderr == pytest.approx(sqrt(pi / 2) * 0.1 / 10)
    assert foreign.origin.when == datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
    assert (foreign.origin.instrument, foreign.origin.dataset) == ("benchmarks", "warp")
    assert foreign.facts == {
        "host": "box",
        "machine": "x86_64",
        "cpu": "A Processor",
        "cores": "8",
        "os": "Linux 6.1",
        "python": "3.11.2",
        "package warp": "c" * 40 + "-dirty",
    }
    (definition,) = foreign.definitions
    assert (definition.family, definition.direction) == ("resources", "lower")


def test_one_round_has_no_error(write: Write) -> None:
    """Its interquartile range is zero and says nothing."""
    (result,) = read(write(with_stats(rounds=1, iqr=0.0))).results
    assert isinstance(result, Measurement)
    assert result.stderr is None


def test_little_is_needed(write: Write) -> None:
    """A file without machine, commit and date is read; the name stands in for the full one."""
    body = {"benchmarks": [{"name": "t", "stats": {"median": 2, "iqr": 0, "rounds": 3}}], "machine_info": {"cpu": 3}}
    foreign = read(write(body))
    assert foreign.results[0].metric == "benchmark.t"
    assert (foreign.facts, foreign.origin.when, foreign.origin.dataset) == ({}, None, None)
    clean = a_benchmark(commit_info={"id": "c", "project": "warp", "dirty": False})
    assert read(write(clean)).facts["package warp"] == "c"


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ([], "found no list of benchmarks"),
        (a_benchmark(benchmarks=[]), "found at benchmarks: tuple should have at least 1 item"),
        (with_stats(median=float("nan")), "found at benchmarks.0.stats.median: "),
        (with_stats(iqr=-1), "found at benchmarks.0.stats.iqr: "),
        (with_stats(rounds=0), "found at benchmarks.0.stats.rounds: "),
        (
            a_benchmark(benchmarks=a_benchmark()["benchmarks"] * 2),
            "must be one benchmark of each name, found two of benchmark.test_w::test_warp[64]",
        ),
    ],
)
def test_what_is_no_benchmark_is_one_line(write: Write, document: Any, found: str) -> None:
    """It names the file and what is wrong."""
    with pytest.raises(DocumentError) as caught:
        read(write(document))
    assert found in str(caught.value)


def test_a_real_file_is_read(tmp_path: Path) -> None:
    """As the installed pytest-benchmark writes it."""
    pytest.importorskip("pytest_benchmark")
    (tmp_path / "test_it.py").write_text("def test_sum(benchmark):\n    benchmark.pedantic(sum, [[1]], rounds=5)\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--benchmark-json=out.json",
        "test_it.py",
    ]
    # The plugin that spreads tests over processes would switch benchmarks off.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    foreign = read(tmp_path / "out.json")
    assert [one.metric for one in foreign.results] == ["benchmark.test_it::test_sum"]
    assert foreign.results[0].n == 5  # type: ignore[union-attr]
    assert foreign.facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "stats" in json.loads((tmp_path / "out.json").read_text())["benchmarks"][0]
