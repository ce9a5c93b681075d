"""What each quantum of a run cost and how it ended, read from the `_metadata` and `_log` that the tasks left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lsst.daf.butler import Butler, DatasetRef
    from lsst.pipe.base import TaskMetadata

_METADATA, _LOG = "_metadata", "_log"
_OUTSIDE = "outside.jsonl"
_MIB = 2**20


class QuantumStatus(StrEnum):
    """How a quantum ended."""

    DONE = "done"
    NOTHING = "nothing"  # no input was left for it, or none reached it
    REJECTED = "rejected"  # its data could not be used
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class QuantumRecord:
    """One quantum. Times are CPU seconds of its process: `task` in the array work, `io` in reading and writing.

    `begin` and `end` are the CPU time of the process when the middleware took the quantum up and when it was done,
    but for its own log and metadata; `started` is UTC, ISO 8601. `pixels` is the number of raw pixels read, which only
    `isr` has.
    """

    task: str
    data_id: str
    status: QuantumStatus
    reasons: tuple[str, ...]
    started: str
    begin: float
    end: float
    task_seconds: float
    io_seconds: float
    peak_mib: float
    pixels: int


@dataclass(frozen=True, slots=True)
class Account:
    """Where the CPU time of a run went, in seconds.

    `tasks` (array work) and `io` (reading and writing) are by task, in the order of execution; `rest` is what the
    middleware takes beside them, for start-up, graph and registry.
    """

    quanta: int
    megapixels: float
    tasks: dict[str, float]
    io: dict[str, float]
    rest: float

    @property
    def total(self) -> float:
        """All CPU time of the run."""
        return sum(self.tasks.values()) + sum(self.io.values()) + self.rest


def read_quanta(butler: Butler, run: str) -> tuple[QuantumRecord, ...]:
    """Read all quanta of a run that began, in the order they were executed."""
    done = {_key(ref, _METADATA): ref for ref in _of_kind(butler, run, _METADATA)}
    logs = {_key(ref, _LOG): ref for ref in _of_kind(butler, run, _LOG)}
    records = [_finished(task, data_id, butler.get(ref)) for (task, data_id), ref in done.items()]
    failed = [_failed(*key, butler.get(ref).extra) for key, ref in logs.items() if key not in done]
    return tuple(sorted(records + failed, key=lambda record: record.started))


def account(quanta: Sequence[QuantumRecord], *, outside: float = 0.0) -> Account:
    """Add up where the time went; `outside` are the CPU seconds that no quantum's own record covers."""
    tasks: dict[str, float] = {}
    io: dict[str, float] = {}
    for quantum in quanta:
        tasks[quantum.task] = tasks.get(quantum.task, 0.0) + quantum.task_seconds
        io[quantum.task] = io.get(quantum.task, 0.0) + quantum.io_seconds
    inside = sum(tasks.values()) + sum(io.values())
    megapixels = sum(quantum.pixels for quantum in quanta) / 1e6
    covered = sum(quantum.end - quantum.begin for quantum in quanta)
    return Account(len(quanta), megapixels, tasks, io, max(covered - inside, 0.0) + outside)


def note_outside(repo: Path, run: str, seconds: float) -> None:
    """Note the CPU seconds that an attempt at a run spent outside quanta: graph, registry, logs, start and end."""
    with (repo / _OUTSIDE).open("a") as stream:
        stream.write(json.dumps({"run": run, "seconds": round(seconds, 6)}) + "\n")


def read_outside(repo: Path, run: str) -> float:
    """Return the CPU seconds that all attempts at a run noted; one that was killed noted nothing."""
    path = repo / _OUTSIDE
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    return sum(float(line["seconds"]) for line in lines if line["run"] == run)


def _of_kind(butler: Butler, run: str, suffix: str) -> list[DatasetRef]:
    names = {kind.name for kind in butler.registry.queryDatasetTypes(f"*{suffix}")}
    return [ref for name in sorted(names) for ref in butler.query_datasets(name, run, explain=False, limit=None)]


def _key(ref: DatasetRef, suffix: str) -> tuple[str, str]:
    return ref.datasetType.name.removesuffix(suffix), describe(ref.dataId.required)


def describe(data_id: Any) -> str:  # noqa: ANN401 - a data ID of the untyped middleware
    """Write a data ID as words: `visit 903334 detector 50`. What is the same everywhere in a run is left out."""
    return " ".join(f"{key} {value}" for key, value in data_id.items() if key not in {"instrument", "skymap"})


def _finished(task: str, data_id: str, metadata: TaskMetadata) -> QuantumRecord:
    """Read a quantum that ended well, or without work."""
    own = metadata[task]
    rejected = [str(own["rejected"])] if "rejected" in own else []
    caveats = list(own.getArray("caveats")) if "caveats" in own else []
    nothing = QuantumStatus.NOTHING if _has_no_outputs(metadata) else QuantumStatus.DONE
    status = QuantumStatus.REJECTED if rejected else nothing
    return _record(task, data_id, status, tuple(rejected + caveats), metadata)


def _failed(task: str, data_id: str, extra: dict[str, Any]) -> QuantumRecord:
    """Read a quantum that failed; the middleware keeps its metadata with the log."""
    from lsst.pipe.base import TaskMetadata  # noqa: PLC0415 - the Butler is imported by the time this runs

    exception = extra.get("exception") or {}
    reason = str(exception.get("message") or "it was interrupted").splitlines()[0]
    metadata = TaskMetadata.model_validate(extra.get("metadata") or {})
    return _record(task, data_id, QuantumStatus.FAILED, (reason,), metadata)


def _has_no_outputs(metadata: TaskMetadata) -> bool:
    quantum = metadata["quantum"]
    return not (quantum.getArray("outputs") if "outputs" in quantum else [])


def _record(
    task: str, data_id: str, status: QuantumStatus, reasons: tuple[str, ...], metadata: TaskMetadata
) -> QuantumRecord:
    own, quantum = metadata.get(task, {}), metadata.get("quantum", {})
    inside = _difference(own, "runStartCpuTime", "runEndCpuTime")
    return QuantumRecord(
        task=task,
        data_id=data_id,
        status=status,
        reasons=reasons,
        started=str(quantum.get("prepUtc", "")),
        begin=float(quantum.get("prepCpuTime", 0.0)),
        end=float(quantum.get("endCpuTime", 0.0)),
        task_seconds=inside,
        io_seconds=max(_difference(quantum, "startCpuTime", "endCpuTime") - inside, 0.0),
        peak_mib=float(quantum.get("endMaxResidentSetSize", 0)) / _MIB,
        pixels=int(own.get("pixels", 0)),
    )


def _difference(metadata: Any, begin: str, end: str) -> float:  # noqa: ANN401 - task metadata or an empty mapping
    if begin not in metadata or end not in metadata:
        return 0.0
    return float(metadata[end]) - float(metadata[begin])
