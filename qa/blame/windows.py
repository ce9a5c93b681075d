"""Between which runs a series moved, read from the records of a night and of the runs before it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from qa.blame.model import Run, Window
from qa.blame.moved import is_moved
from qa.judging.judged import Shift, ShiftKind
from qa.model import Comparison, Measurement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qa.blame.model import Key
    from qa.record import RunRecord

LEAD = 2
"""How many runs before the good one are looked at: an effect may show a night or two after its cause."""

LASTING = frozenset({ShiftKind.STEP, ShiftKind.DRIFT})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a run says of a series."""

    run: Run
    moved: bool
    value: float | None
    n: int | None
    baseline: float | None


def windows(
    record: RunRecord,
    comparisons: Iterable[Comparison],
    *,
    earlier: Sequence[RunRecord],
    shifts: Iterable[Shift] = (),
) -> dict[Key, Window]:
    """Return the window of every series that is judged tonight.

    `record` and `comparisons` are tonight's, `earlier` the runs before, in any order; those not before it are left out,
    as a run that is judged again must not be explained by what came later.
    """
    tonight = run_of(record)
    before = sorted((one for one in earlier if _is_before(one, record)), key=lambda one: one.plan.created, reverse=True)
    past: dict[Key, list[_Seen]] = {}
    for one in before:
        run = run_of(one)
        for comparison in one.comparisons:
            past.setdefault((comparison.metric, comparison.scope), []).append(_seen(run, comparison))
    began = {(one.metric, one.scope): one for one in shifts if one.kind in LASTING}
    return {
        key: _window(_seen(tonight, one), past.get(key, []), began.get(key))
        for one in comparisons
        for key in [(one.metric, one.scope)]
    }


def run_of(record: RunRecord) -> Run:
    """Return what attribution needs of a run's record."""
    return Run(record.run_id, record.plan.created, record.provenance)


def _is_before(one: RunRecord, record: RunRecord) -> bool:
    return one.run_id != record.run_id and one.plan.created < record.plan.created


def _seen(run: Run, one: Comparison) -> _Seen:
    value, n = (one.result.value, one.result.n) if isinstance(one.result, Measurement) else (None, None)
    return _Seen(run, is_moved(one), value, n, one.baseline.value if one.baseline else None)


def _came_back(new: _Seen, old: _Seen) -> bool:
    """Tell whether a value went back to its baseline, and not the baseline to the value."""
    return old.moved and not new.moved and new.baseline == old.baseline


def _window(tonight: _Seen, past: list[_Seen], shift: Shift | None) -> Window:
    """Find the window of one series; `past` is newest first."""
    nights = [tonight, *past]
    stood = next((at for at, one in enumerate(past) if not one.moved), len(past)) + 1
    first = stood - 1
    if shift is not None:
        # When it began is known to a night or so: the night after is in the window too.
        since = sum(one.run.when >= shift.began for one in nights)
        stood, first = max(stood, since), max(first, since - 2) if since > stood else first
    well = nights[stood:]
    return Window(
        bad=nights[first].run,
        good=well[0].run if well else None,
        lead=tuple(one.run for one in well[1 : 1 + LEAD]),
        stood=stood,
        flips=sum(_came_back(new, old) for new, old in pairwise(well)),
        same=_same(well),
        n=well[0].n if well else None,
    )


def _same(well: list[_Seen]) -> int:
    """Count the runs up to the good one that gave its very value."""
    if not well or well[0].value is None:
        return 0
    return next((at for at, one in enumerate(well) if one.value != well[0].value), len(well))
