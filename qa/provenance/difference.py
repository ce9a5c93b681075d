"""What changed between two runs: facts, what was processed, how each metric moved, and what that did to its verdict.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qa.blame.moves import moves
from qa.foreign.definitions import definitions
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from qa.blame.moves import Move
    from qa.model import Comparison, Result
    from qa.record import RunRecord

    Key = tuple[str, Scope]

OF_CAMERAS = (
    "pipeline ",
    "config ",
    "data ",
    "calibrations ",
    "validity ",
    "refcat ",
    "collections ",
    "container ",
    "image ",
)
PARTS = ("revision", "package ", *OF_CAMERAS)
"""How facts begin, in the order in which they are told; those of the machine come last."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact in two runs, None where a run does not have it."""

    fact: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """What a metric was judged to be in two runs, as `step, design, warn`; None where it was not judged."""

    metric: str
    scope: Scope
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Incomparable:
    """A metric whose two values cannot be told from each other, and why."""

    metric: str
    scope: Scope
    reason: str


@dataclass(frozen=True, slots=True)
class RunDifference:
    """What changed from one run to another.

    `facts` are those of the software, the machine and the cameras that one of the runs took; `elsewhere` counts those
    of other cameras. `gone` and `come` are the data sets (`camera/dataset`) of one run only. `reasons` say why a metric
    is missing in the run that does not have it.
    """

    before: str
    after: str
    facts: tuple[FactChange, ...]
    elsewhere: int
    gone: tuple[str, ...]
    come: tuple[str, ...]
    moves: tuple[Move, ...]
    verdicts: tuple[VerdictChange, ...]
    incomparable: tuple[Incomparable, ...]
    child: bool = False
    reasons: Mapping[Key, str] = field(default_factory=dict)


def difference(
    one: RunRecord, other: RunRecord, *, wanted: Callable[[str, Scope], bool] = lambda _metric, _scope: True
) -> RunDifference:
    """Return what changed from one run to another; of metrics only those that are wanted."""
    before, after = ([each for each in run.results if wanted(each.metric, each.scope)] for run in (one, other))
    known = {**definitions(one), **definitions(other)}
    first, second = _places(one), _places(other)
    facts, elsewhere = changed_facts(one.provenance, other.provenance, {*first, *second})
    return RunDifference(
        before=one.run_id,
        after=other.run_id,
        facts=facts,
        elsewhere=elsewhere,
        gone=tuple(place for place in first if place not in second),
        come=tuple(place for place in second if place not in first),
        moves=moves(before, after, definitions=known, comparisons=(*one.comparisons, *other.comparisons)),
        verdicts=tuple(each for each in _verdicts(one, other) if wanted(each.metric, each.scope)),
        incomparable=_incomparable(before, after, known),
        child=other.plan.parent == one.run_id,
        reasons={(each.metric, each.scope): each.reason for each in (*before, *after) if isinstance(each, Unmeasured)},
    )


def _places(record: RunRecord) -> tuple[str, ...]:
    measured = [f"{camera}/{dataset}" for camera, dataset in record.measured]
    return tuple(dict.fromkeys([*(f"{step.camera}/{step.dataset}" for step in record.plan.steps), *measured]))


def changed_facts(
    before: Mapping[str, str], after: Mapping[str, str], places: Collection[str]
) -> tuple[tuple[FactChange, ...], int]:
    """Return the facts that differ and concern some data sets (`camera/dataset`), and how many others do."""
    names = sorted({*before, *after}, key=lambda name: (_rank(name), name))
    changed = [FactChange(name, before.get(name), after.get(name)) for name in names]
    changed = [each for each in changed if each.before != each.after]
    concern = tuple(each for each in changed if _concerns(each.fact, places))
    return concern, len(changed) - len(concern)


def _rank(name: str) -> int:
    return next((rank for rank, part in enumerate(PARTS) if name.startswith(part)), len(PARTS))


def _concerns(name: str, places: Collection[str]) -> bool:
    """Tell whether a fact is about what was processed; those of cameras end with the data set or the camera."""
    if not name.startswith(OF_CAMERAS):
        return True
    subject = name.partition(" ")[2]
    if name.startswith(("container ", "image ")):
        return any(place.startswith(f"{subject}/") for place in places)
    return "/" not in subject or subject in places


def _verdicts(one: RunRecord, other: RunRecord) -> tuple[VerdictChange, ...]:
    """Return the metrics that are judged otherwise: whose status or level is another."""
    before, after = ({(each.metric, each.scope): each for each in run.comparisons} for run in (one, other))
    keys = sorted({*before, *after}, key=lambda key: (key[0], str(key[1])))
    changed = [VerdictChange(*key, _judged(before.get(key)), _judged(after.get(key))) for key in keys]
    return tuple(each for each in changed if each.before != each.after)


def _judged(one: Comparison | None) -> str | None:
    return None if one is None else f"{one.status}, {one.level}"


def _incomparable(
    before: Collection[Result], after: Collection[Result], known: Collection[str]
) -> tuple[Incomparable, ...]:
    """Return what `moves` leaves out: metrics of another unit, and those that nothing is known of."""
    first, second = (_by_key(run) for run in (before, after))
    found = []
    for key in sorted({*first, *second}, key=lambda key: (key[0], str(key[1]))):
        one, other = first.get(key), second.get(key)
        if key[0] not in known:
            found.append(Incomparable(*key, f"{_value(one)} -> {_value(other)}; this version knows no such metric"))
        elif one is not None and other is not None and one.unit != other.unit:
            found.append(Incomparable(*key, f"{_value(one)} -> {_value(other)}; the unit is another"))
    return tuple(found)


def _by_key(results: Iterable[Result]) -> dict[Key, Measurement]:
    return {(one.metric, one.scope): one for one in results if isinstance(one, Measurement)}


def _value(one: Measurement | None) -> str:
    return "-" if one is None else f"{one.value:.6g} {one.unit}".rstrip()
