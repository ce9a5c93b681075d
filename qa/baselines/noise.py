"""What metrics do from run to run when nothing changes: the spread of repeated runs of one plan and one software. Pure.

A tolerance is what the difference of a run from its baseline, itself one run, spreads by: sqrt(2) times the standard
deviation of the runs. The standard deviation of n runs is divided by c4(n), without which it comes out too small for
small n (NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2); what is left is its own scatter, 1 / sqrt(2 (n - 1))
of it.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.errors import RequestError
from qa.judging.spread import RESOURCES, default_tolerance
from qa.model import Measurement, Scope
from qa.requirements.ladder import convert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qa.judging.compare import Key
    from qa.metrics.base import MetricDefinition
    from qa.record import RunRecord

FEWEST = 3
"""Fewest runs: two say little of a spread, and one nothing."""

_SOFTWARE = ("package ", "data ", "config ", "calibrations ", "refcat ", "container ")
_ALSO_SOFTWARE = frozenset({"revision", "python", "threads"})


class UnlikeRunsError(RequestError):
    """Runs cannot be compared with each other as repeats."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The run-to-run spread of one metric: its tolerance in its unit, from n runs; zero where all agree to the bit."""

    metric: str
    scope: Scope
    unit: str
    tolerance: float
    n: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What repeats taught: spreads, and the metrics that only some runs measured, with in how many they did."""

    spreads: tuple[Spread, ...]
    partial: tuple[tuple[Key, int], ...]


def check_alike(records: Sequence[RunRecord]) -> None:
    """Refuse runs that are not repeats of each other.

    Raises
    ------
    UnlikeRunsError
        If there are fewer than `FEWEST`, one is given twice, or they differ in plan or software.
    """
    names = [record.run_id for record in records]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"repeats must be different runs, got {twice} twice: a run always agrees with itself"
        raise UnlikeRunsError(msg)
    if len(records) < FEWEST:
        msg = f"a spread must be learned from {FEWEST} runs or more, got {len(records)}"
        raise UnlikeRunsError(msg)
    first = records[0]
    for record in records[1:]:
        if record.plan.lane is not first.plan.lane or set(record.plan.steps) != set(first.plan.steps):
            msg = f"repeats must have one plan: {record.run_id} and {first.run_id} did not run the same data sets"
            raise UnlikeRunsError(msg)
        if different := _differences(record, first):
            msg = f"repeats must have one software: {record.run_id} and {first.run_id} differ in {different}"
            raise UnlikeRunsError(msg)


def learn(records: Sequence[RunRecord], definitions: Mapping[str, MetricDefinition]) -> Learned:
    """Learn the spread of every metric that all runs measured.

    Repeats in a row share the machine and its neighbours, so that the spread of a resource counts only where it is
    larger than the assumed one.

    Raises
    ------
    UnlikeRunsError
        As `check_alike`.
    """
    check_alike(records)
    found: dict[Key, list[Measurement]] = {}
    for record in records:
        for one in record.results:
            if isinstance(one, Measurement) and one.metric in definitions:
                found.setdefault((one.metric, one.scope), []).append(one)
    in_order = sorted(found.items(), key=lambda item: (item[0][0], str(item[0][1])))
    whole = [(ones, definitions[key[0]]) for key, ones in in_order if len(ones) == len(records)]
    spreads = [_spread(ones, definition) for ones, definition in whole]
    return Learned(
        tuple(spread for spread in spreads if spread is not None),
        tuple((key, len(ones)) for key, ones in in_order if len(ones) != len(records)),
    )


def tolerance_of(values: Sequence[float]) -> float:
    """Return the spread of the difference of two runs; exactly zero where all values agree to the bit."""
    if len(set(values)) == 1:
        return 0.0
    return math.sqrt(2) * statistics.stdev(values) / c4(len(values))


def c4(n: int) -> float:
    """Return the ratio of the expected to the true standard deviation of n normal values, n being two at least."""
    return math.sqrt(2 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))


def uncertainty(n: int) -> float:
    """Return the relative standard error of a standard deviation learned from n normal values."""
    return 1 / math.sqrt(2 * (n - 1))


def _spread(ones: Sequence[Measurement], definition: MetricDefinition) -> Spread | None:
    first = ones[0]
    what = f"{first.metric} of {first.scope}"
    values = [convert(one.value, unit=one.unit, to=first.unit, what=what) for one in ones]
    tolerance = tolerance_of(values)
    if definition.family == RESOURCES and tolerance <= default_tolerance(first, definition):
        return None
    return Spread(first.metric, first.scope, first.unit, tolerance, len(ones))


def _differences(one: RunRecord, other: RunRecord) -> str:
    """Name the facts of software and data in which two runs differ, '' if they do in none."""
    facts = sorted({*one.provenance, *other.provenance})
    relevant = [name for name in facts if name.startswith(_SOFTWARE) or name in _ALSO_SOFTWARE]
    return ", ".join(name for name in relevant if one.provenance.get(name) != other.provenance.get(name))
