"""What moved in a night: the comparisons that failed or warn because a value moved or went, and what history found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qa.blame.facts import Differences
from qa.judging.judged import Shift, ShiftKind
from qa.judging.spread import RESOURCES
from qa.model import Baseline, Change, Measurement, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.blame.model import Key, Window
    from qa.metrics.base import MetricDefinition
    from qa.model import Comparison

TRUTH = "truth_coverage"
SMALL = 0.25
"""A move below this fraction of its sampling error is what another processor or order of summing may do."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A series that moved; `sigma` is by how many run-to-run spreads, None where it is missing or that is not known.

    `errors` is the size of the move in standard errors, `truth` tells that it is measured against what was drawn,
    `fewer` that it rests on another number of visits than before.
    """

    key: Key
    window: Window | None
    differences: Differences = field(default_factory=Differences)
    sigma: float | None = None
    errors: float | None = None
    resource: bool = False
    truth: bool = False
    missing: bool = False
    fewer: bool = False
    shift: Shift | None = None

    @property
    def camera(self) -> str:
        """Its camera."""
        return self.key[1].camera

    @property
    def place(self) -> tuple[str, str]:
        """Its camera and data set."""
        return self.key[1].camera, self.key[1].dataset

    @property
    def of_unknown_machine(self) -> bool:
        """Tell whether it is a cost of processing that no known run had at its baseline: another machine may have."""
        return self.resource and (self.window is None or self.window.good is None)

    @property
    def small(self) -> bool:
        """Tell whether it moved by no more than what rounding may do."""
        return self.errors is not None and self.errors <= SMALL


def is_moved(one: Comparison) -> bool:
    """Tell whether a comparison is about something that moved: off its baseline, gone, or across the gate."""
    if one.status is Status.PASS:
        return False
    if one.change in {Change.STEP, Change.DRIFT}:
        return True
    if one.change is Change.MISSING:
        return one.baseline is not None or one.status is Status.FAIL
    return one.status is Status.FAIL and one.baseline is not None


def moved_series(
    comparisons: Iterable[Comparison],
    shifts: Iterable[Shift],
    *,
    windows: Mapping[Key, Window],
    definitions: Mapping[str, MetricDefinition],
) -> tuple[Moved, ...]:
    """Return every series that moved, in the order of metric and scope; what changed is not looked at yet."""
    known = {(one.metric, one.scope): one for one in comparisons}
    told = {
        (one.metric, one.scope): one
        for one in sorted(shifts, key=lambda one: one.found)
        if one.kind is not ShiftKind.GAP and one.sigma > 0
    }
    keys = {key for key, one in known.items() if is_moved(one)} | (told.keys() & known.keys())
    return tuple(
        _moved(known[key], told.get(key), windows.get(key), definitions.get(key[0]))
        for key in sorted(keys, key=lambda key: (key[0], str(key[1])))
    )


def _moved(one: Comparison, shift: Shift | None, window: Window | None, definition: MetricDefinition | None) -> Moved:
    sigma = one.sigma if one.sigma is not None else None if shift is None else shift.sigma
    return Moved(
        key=(one.metric, one.scope),
        window=window,
        sigma=None if sigma is None else abs(sigma),
        errors=_in_errors(one),
        resource=definition is not None and definition.family == RESOURCES,
        truth=definition is not None and TRUTH in definition.reads,
        missing=not isinstance(one.result, Measurement),
        fewer=_other_count(one, window, definition),
        shift=shift,
    )


def _in_errors(one: Comparison) -> float | None:
    """Return the size of a move in the standard error of tonight's value."""
    if not isinstance(one.result, Measurement) or not isinstance(one.baseline, Baseline) or not one.result.stderr:
        return None
    return abs(one.result.value - one.baseline.value) / one.result.stderr


def _other_count(one: Comparison, window: Window | None, definition: MetricDefinition | None) -> bool:
    """Tell whether a metric of visits rests on another number of them than it did."""
    of_visits = definition is not None and "visit_summary" in definition.reads
    known = window.n if window is not None else None
    return of_visits and known is not None and isinstance(one.result, Measurement) and one.result.n != known
