"""What a run's results would change if they were accepted as baselines: pure, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from qa.baselines.ledger import Absent, Move, Place, Value, state_of
from qa.errors import UnknownNameError
from qa.judging import in_unit
from qa.judging.compare import NOT_REPORTED, DuplicateResultError, compare
from qa.judging.policy import Policy
from qa.judging.spread import default_tolerance
from qa.metrics.base import Direction
from qa.model import Baseline, Change, Comparison, Level, Measurement, Unmeasured
from qa.requirements.ladder import margin
from qa.requirements.waivers import waiver_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from qa.judging.compare import Accepted, Key
    from qa.metrics.base import MetricDefinition
    from qa.model import Ladder, Result
    from qa.requirements.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Selection:
    """Which results are to become baselines.

    `metrics` are names or patterns (`PA*`). A pattern picks among what moved. A name in full is a request: what is
    steady moves all the same, and an absence is accepted. `members` are the metrics and scopes of an incident; those
    that were measured move. Nothing named is everything that moved.
    """

    metrics: tuple[str, ...] = ()
    members: Collection[Key] | None = None

    def covers(self, key: Key) -> bool:
        """Tell whether a metric and scope are picked at all."""
        by_name = not self.metrics or any(matches(key[0], metric) for metric in self.metrics)
        return by_name and (self.members is None or key in self.members)

    def asks_for(self, metric: str) -> bool:
        """Tell whether a metric was named in full."""
        return metric in self.metrics


EVERYTHING = Selection()


class Asking(Protocol):
    """What says which targets a metric has to reach: a requirements document, or what imported files quote."""

    def ladder(self, metric: str, band: str | None) -> Ladder | None:
        """Return the targets of a metric in a band, None where nothing is asked."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What an acceptance answers to.

    `requirements` and `waivers` are by camera; a waiver of the registry lets a value be below the minimum while it
    holds. `processor` is the kind this run was made on ('' where it is not known), `same_processor` are the runs made
    on one like it (as `Policy` has it). Without `keep_spreads`, a learned run-to-run spread gives way to an assumed
    one.
    """

    definitions: Mapping[str, MetricDefinition]
    requirements: Mapping[str, Asking]
    waivers: Mapping[str, tuple[Waiver, ...]] = field(default_factory=dict)
    same_processor: Collection[str] = ()
    keep_spreads: bool = True
    processor: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A result that would become a baseline, how it compares with the old one, and the waiver it needs and has."""

    comparison: Comparison
    move: Move
    waiver: Waiver | None = None

    @property
    def below(self) -> bool:
        """Tell whether it passes below the minimum, unless the old baseline was there and it is not made worse."""
        one = self.comparison
        return one.level is Level.BELOW_MINIMUM and (one.baseline is None or (one.sigma or 0.0) > 0)

    @property
    def refused(self) -> bool:
        """Tell whether it needs a waiver and has none."""
        return self.below and self.waiver is None


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name is one, or fits a pattern with `*`, `?` and `[...]`; upper case matters."""
    return name == pattern or fnmatchcase(name, pattern)


def check_names(selection: Selection, known: Collection[str]) -> None:
    """Refuse a metric or pattern that nothing fits.

    Raises
    ------
    UnknownNameError
        With the names there are.
    """
    for metric in selection.metrics:
        if not any(matches(name, metric) for name in known):
            kind = "metric of this run"
            raise UnknownNameError(kind, metric, sorted(known))


def propose(
    results: Sequence[Result],
    old: Mapping[Key, Accepted],
    selection: Selection,
    *,
    rules: Rules,
    run: str,
    today: date,
) -> list[Proposal]:
    """Judge what may become a baseline of one data set, in the order of metric and scope.

    What is steady and what has a baseline and was not measured now is left out, unless it was asked for by name; then
    also baselines of which the run says nothing become absences.

    Raises
    ------
    DuplicateResultError, UnknownNameError, UnitMismatchError
        If the results cannot be judged.
    """
    found = _by_key(results)
    silent = [Unmeasured(*key, NOT_REPORTED) for key in old if key not in found and selection.asks_for(key[0])]
    proposals = []
    for result in sorted([*found.values(), *silent], key=lambda one: (one.metric, str(one.scope))):
        key = result.metric, result.scope
        if result.metric not in rules.definitions:
            kind = "metric"
            raise UnknownNameError(kind, result.metric, rules.definitions)
        if selection.covers(key):
            judged = _judged(result, old.get(key), rules)
            if _wanted(judged, selection):
                proposals.append(_proposal(judged, old, rules, run, today))
    return proposals


def _by_key(results: Iterable[Result]) -> dict[Key, Result]:
    found: dict[Key, Result] = {}
    for result in results:
        if (result.metric, result.scope) in found:
            raise DuplicateResultError(result.metric, result.scope)
        found[result.metric, result.scope] = result
    return found


def _judged(result: Result, accepted: Accepted | None, rules: Rules) -> Comparison:
    requirements = rules.requirements[result.scope.camera]
    ladder = requirements.ladder(result.metric, result.scope.band)
    policy = Policy(same_processor=rules.same_processor)
    return compare(result, accepted, ladder, definition=rules.definitions[result.metric], policy=policy)


def _wanted(one: Comparison, selection: Selection) -> bool:
    measured = isinstance(one.result, Measurement)
    if selection.asks_for(one.metric) or (selection.members is not None and measured):
        return True
    lost = one.change is Change.MISSING and one.baseline is not None
    return one.change is not Change.STEADY and not lost


def _proposal(one: Comparison, old: Mapping[Key, Accepted], rules: Rules, run: str, today: date) -> Proposal:
    waiver = waiver_of(rules.waivers.get(one.scope.camera, ()), one.metric, one.scope.band)
    holding = waiver if waiver is not None and waiver.holds(today) else None
    bare = Proposal(one, _move(one, old, rules, run), holding)
    if not bare.below or holding is None:
        return Proposal(one, bare.move)
    waived = f"in the registry until {holding.expires}: {holding.reason}"
    return Proposal(one, bare.move.model_copy(update={"waived": waived}), holding)


def _move(one: Comparison, old: Mapping[Key, Accepted], rules: Rules, run: str) -> Move:
    """Make the ledger's line of a baseline that becomes what was measured."""
    scope, definition = one.scope, rules.definitions[one.metric]
    left, before = _margin(one, one.result, definition), _margin(one, one.baseline, definition)
    return Move(
        place=Place(metric=one.metric, band=scope.band, tract=scope.tract, task=scope.task),
        old=state_of(old.get((one.metric, scope))),
        new=_state(one, run, definition, rules),
        sigma=_short(one.sigma),
        level=None if one.level is Level.NOT_APPLICABLE else one.level.value,
        margin_left=_short(left),
        margin_spent=None if left is None or before is None else _short(before - left),
    )


def _state(one: Comparison, run: str, definition: MetricDefinition, rules: Rules) -> Value | Absent:
    result = one.result
    if isinstance(result, Unmeasured):
        return Absent(absent=" ".join(result.reason.split()))
    result = in_unit.measured(definition.unit, result)
    learned = one.baseline is not None and one.baseline.learned and rules.keep_spreads
    tolerance = one.baseline.tolerance if one.baseline and learned else default_tolerance(result, definition)
    return Value(
        value=result.value,
        unit=result.unit,
        stderr=result.stderr,
        tolerance=tolerance,
        run=run,
        learned=learned,
        processor=rules.processor,
    )


def _margin(one: Comparison, of: Result | Baseline | None, definition: MetricDefinition) -> float | None:
    """Return the distance of a value from the minimum of its requirement, None where there is neither."""
    if one.ladder is None or not isinstance(of, Measurement | Baseline):
        return None
    value = abs(of.value) if definition.direction is Direction.ZERO else of.value
    return margin(value, one.ladder, Level.MINIMUM)


def _short(value: float | None) -> float | None:
    """Round to six digits: derived numbers should not make a line of the ledger unreadable."""
    return None if value is None else float(f"{value:.6g}")
