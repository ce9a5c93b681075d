"""Which quanta make one job of a batch system: so many that it is minutes, as long as no core is idle. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from math import ceil
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Key = TypeVar("Key", bound=Hashable)
Value = str | int
Unit = tuple[Value, ...]

SAME = {"exposure": "visit"}
"""Dimensions that mean the same where an exposure is a visit."""

# What a job's quanta should have in common comes first: a failure then stops as little as it must.
_ORDER = ("band", "tract", "patch", "visit", "detector")


@dataclass(frozen=True, slots=True)
class Quantum(Generic[Key]):
    """A quantum: its task, its data ID with all that this implies, and the quanta it waits for."""

    key: Key
    task: str
    data_id: Mapping[str, Value]
    needs: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchJob(Generic[Key]):
    """Quanta that one process of a batch system carries out one after the other; `label` names their tasks."""

    name: str
    label: str
    quanta: tuple[Key, ...]


@dataclass(slots=True)
class _Segment(Generic[Key]):
    """Successive tasks whose quanta fall into units that do not wait for each other."""

    dimensions: frozenset[str]
    quanta: list[Quantum[Key]] = field(default_factory=list)

    @property
    def label(self) -> str:
        tasks = list(dict.fromkeys(quantum.task for quantum in self.quanta))
        return tasks[0] if len(tasks) == 1 else f"{tasks[0]}_to_{tasks[-1]}"

    def units(self) -> dict[Unit, list[Quantum[Key]]]:
        """Return the quanta of each unit; units that belong together follow each other."""
        names = _in_order(self.dimensions)
        found: dict[Unit, list[Quantum[Key]]] = {}
        for quantum in self.quanta:
            found.setdefault(_unit(quantum, names), []).append(quantum)
        return dict(sorted(found.items()))


def make_jobs(
    quanta: Sequence[Quantum[Key]], *, per_job: int, slots: int = 1, alone: Collection[Key] = ()
) -> tuple[BatchJob[Key], ...]:
    """Put quanta into jobs that can be carried out in the order of what they wait for.

    Successive tasks go into one job where each of their quanta waits only for quanta of the same unit (of a detector of
    a visit, of a patch, of a band), as long as a unit is not larger than a job and units are left for all slots. Units
    of the same band are then brought together.

    Parameters
    ----------
    quanta
        All quanta, each task's together, tasks in the order of execution.
    per_job
        How many quanta a job should have at most; a single unit may have more only if it is a single quantum.
    slots
        How many jobs can run at once: as long as there are fewer jobs than that, none is made larger.
    alone
        Quanta that have a job of their own, as has each quantum of their units.
    """
    jobs: list[BatchJob[Key]] = []
    for segment in _segments(quanta, per_job, slots):
        for number, part in enumerate(_parts(segment, per_job, slots, frozenset(alone))):
            jobs.append(BatchJob(f"{segment.label}_{number:05d}", segment.label, tuple(one.key for one in part)))
    return tuple(jobs)


def _segments(quanta: Sequence[Quantum[Key]], per_job: int, slots: int) -> list[_Segment[Key]]:
    segments: list[_Segment[Key]] = []
    for _, of_task in groupby(quanta, key=lambda quantum: quantum.task):
        listed = list(of_task)
        own = _Segment(_dimensions(listed[0]), listed)
        joined = _joined(segments[-1], own, per_job, slots) if segments else None
        if joined is None:
            segments.append(own)
        else:
            segments[-1] = joined
    return segments


def _joined(before: _Segment[Key], own: _Segment[Key], per_job: int, slots: int) -> _Segment[Key] | None:
    """Return both segments as one, if that can be and is worth it."""
    joined = _Segment(before.dimensions & own.dimensions, [*before.quanta, *own.quanta])
    units = joined.units()
    enough = len(units) >= min(slots, max(len(before.units()), len(own.units())))
    if not enough or max(map(len, units.values())) > per_job or not _stay_apart(units):
        return None
    return joined


def _stay_apart(units: Mapping[Unit, Sequence[Quantum[Key]]]) -> bool:
    """Tell whether no quantum waits for one of another unit."""
    home = {quantum.key: unit for unit, quanta in units.items() for quantum in quanta}
    return all(home.get(need, unit) == unit for unit, quanta in units.items() for one in quanta for need in one.needs)


def _parts(segment: _Segment[Key], per_job: int, slots: int, alone: frozenset[Key]) -> Iterator[list[Quantum[Key]]]:
    """Cut a segment into the quanta of its jobs, of about the same size within a band."""
    units = list(segment.units().values())
    largest = max(map(len, units))
    together = max(1, min(per_job // largest, len(units) // slots))
    whole = [unit for unit in units if alone.isdisjoint(quantum.key for quantum in unit)]
    broken = [unit for unit in units if not alone.isdisjoint(quantum.key for quantum in unit)]
    yield from ([quantum] for unit in broken for quantum in unit)
    for _, family in groupby(whole, key=lambda unit: _band(unit[0])):
        listed = list(family)
        for part in _evenly(listed, ceil(len(listed) / together)):
            yield [quantum for quanta in part for quantum in quanta]


def _evenly(items: Sequence[list[Quantum[Key]]], parts: int) -> Iterable[Sequence[list[Quantum[Key]]]]:
    edges = [round(number * len(items) / parts) for number in range(parts + 1)]
    return (items[begin:end] for begin, end in pairwise(edges))


def _dimensions(quantum: Quantum[Key]) -> frozenset[str]:
    return frozenset(SAME.get(name, name) for name in quantum.data_id)


def _in_order(dimensions: Iterable[str]) -> list[str]:
    rank = {name: place for place, name in enumerate(_ORDER)}
    return sorted(dimensions, key=lambda name: (rank.get(name, len(_ORDER)), name))


def _unit(quantum: Quantum[Key], names: Sequence[str]) -> Unit:
    same = {SAME.get(name, name): value for name, value in quantum.data_id.items()}
    return tuple(same[name] for name in names)


def _band(quantum: Quantum[Key]) -> Value:
    return quantum.data_id.get("band", "")
