"""How every metric moved between two runs, by run-to-run spreads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.judging.compare import worse_by
from qa.judging.spread import default_tolerance, run_to_run
from qa.model import Baseline, Measurement, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.blame.model import Key
    from qa.metrics.base import MetricDefinition
    from qa.model import Comparison, Result


@dataclass(frozen=True, slots=True)
class Move:
    """A metric in two runs, `before` and `after` in `unit`, None where it was not measured.

    `sigma` is the change in run-to-run spreads, positive when worse, None where one value is missing.
    """

    metric: str
    scope: Scope
    unit: str
    before: float | None
    after: float | None
    sigma: float | None

    @property
    def same(self) -> bool:
        """Tell whether both runs agree to the last digit."""
        return self.before == self.after


def moves(
    one: Iterable[Result],
    other: Iterable[Result],
    *,
    definitions: Mapping[str, MetricDefinition],
    comparisons: Iterable[Comparison] = (),
) -> tuple[Move, ...]:
    """Return how each metric moved from one run to the other: missing ones first, then the largest moves.

    The spread is that of the baseline in `comparisons`, else what is assumed of a metric of no baseline. What has no
    definition, or another unit in the other run, is left out.
    """
    before, after = _by_key(one), _by_key(other)
    spreads = {(each.metric, each.scope): each.baseline for each in comparisons}
    found = [
        _move(key, before.get(key), after.get(key), definitions[key[0]], spreads.get(key))
        for key in sorted({*before, *after}, key=lambda key: (key[0], str(key[1])))
        if key[0] in definitions
    ]
    return tuple(sorted(filter(None, found), key=lambda move: -_size(move)))


def _by_key(results: Iterable[Result]) -> dict[Key, Measurement]:
    return {(one.metric, one.scope): one for one in results if isinstance(one, Measurement)}


def _value(one: Measurement | None) -> float | None:
    return None if one is None else one.value


def _size(move: Move) -> float:
    return float("inf") if move.sigma is None else abs(move.sigma)


def _move(
    key: Key, one: Measurement | None, other: Measurement | None, definition: MetricDefinition, known: Baseline | None
) -> Move | None:
    if one is None or other is None:
        there = one or other
        unit = there.unit if there else ""
        return Move(*key, unit, _value(one), _value(other), None)
    if one.unit != other.unit:
        return None
    same_unit = known is not None and known.unit == one.unit
    tolerance = known.tolerance if known is not None and same_unit else default_tolerance(one, definition)
    first = Baseline(*key, one.value, one.unit, one.stderr, tolerance, "")
    spread = run_to_run(other, first, same_processor=False)
    return Move(*key, one.unit, one.value, other.value, worse_by(other.value, one.value, definition.direction) / spread)
