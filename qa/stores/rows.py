"""A run as rows of the history's tables, and the digest by which two stores agree on it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qa.judging.epochs import epoch_of
from qa.model import Measurement, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.model import Result
    from qa.record import RunRecord
    from qa.stores.base import Remembered, Series

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunRows:
    """All rows of a run; the one of `run` has no digest."""

    run: Row
    cameras: tuple[Row, ...]
    epochs: tuple[Row, ...]
    results: tuple[Row, ...]

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return str(self.run["run_id"])

    @property
    def started(self) -> datetime:
        """When the run began."""
        return aware(self.run["started"])

    @property
    def digest(self) -> str:
        """SHA-256 of all that the rows say, whatever their order."""
        tables = [self.cameras, self.epochs, self.results]
        text = [self._line(self.run), *(line for rows in tables for line in sorted(map(self._line, rows)))]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()

    @staticmethod
    def _line(row: Row) -> str:
        return json.dumps(row, sort_keys=True, allow_nan=False, default=datetime.isoformat)


def rows_of(record: RunRecord) -> RunRows:
    """Lay a run out as rows."""
    run_id, plan = record.run_id, record.plan
    run = {
        "run_id": run_id,
        "lane": plan.lane.value,
        "started": naive(record.started),
        "finished": naive(record.finished),
        "exit_code": record.exit_code,
        "host": record.provenance.get("host", ""),
    }
    cameras = [_camera_row(record, camera) for camera in plan.cameras]
    cameras += [_not_run_row(run_id, one.camera, one.reason) for one in plan.not_run]
    epochs = [_epoch_row(record, camera, dataset, kind) for camera, dataset in record.measured for kind in (0, 1)]
    results = [_result_row(run_id, result) for result in record.results]
    return RunRows(_clean(run), _cleaned(cameras), _cleaned(epochs), _cleaned(results))


def state_rows(states: Mapping[Series, Remembered]) -> list[Row]:
    """Lay states of the change detector out as rows, sorted: writers that lock rows in one order never deadlock."""
    rows = [
        {
            **_series_row(metric, scope),
            "run_id": one.run_id,
            "started": naive(one.started),
            "before": one.before,
            "after": one.after,
        }
        for (metric, scope), one in states.items()
    ]
    return sorted(_cleaned(rows), key=lambda row: [str(row[name]) for name in SERIES])


SERIES = ("metric", "camera", "dataset", "band", "tract", "task")
"""The columns that name a series."""


def series_of(place: Iterable[Any]) -> Series:
    """Return the series that the columns of `SERIES` name."""
    metric, camera, dataset, band, tract, task = place
    return metric, Scope(camera, dataset, band or None, None if tract < 0 else tract, task or None)


def naive(when: datetime | None) -> datetime | None:
    """Databases differ in time zones; all times in the store are UTC without one."""
    return when.astimezone(UTC).replace(tzinfo=None) if when else None


def aware(when: datetime) -> datetime:
    """Return a time of the store with its zone."""
    return when.replace(tzinfo=UTC)


def _camera_row(record: RunRecord, camera: str) -> Row:
    failure = record.failure(camera)
    return {
        "run_id": record.run_id,
        "camera": camera,
        "completed": int(record.completed(camera)),
        "reason": failure.message if failure else "",
        "coadds_measured": naive(record.coadds_measured(camera)),
    }


def _not_run_row(run_id: str, camera: str, reason: str) -> Row:
    return {"run_id": run_id, "camera": camera, "completed": 0, "reason": reason, "coadds_measured": None}


def _epoch_row(record: RunRecord, camera: str, dataset: str, resources: int) -> Row:
    epoch = epoch_of(record.provenance, camera, dataset, resources=bool(resources))
    return {"run_id": record.run_id, "camera": camera, "dataset": dataset, "resources": resources, "epoch": epoch}


def _series_row(metric: str, scope: Scope) -> Row:
    return {
        "metric": metric,
        "camera": scope.camera,
        "dataset": scope.dataset,
        "band": scope.band or "",
        "tract": -1 if scope.tract is None else scope.tract,
        "task": scope.task or "",
    }


def _result_row(run_id: str, result: Result) -> Row:
    row = {"run_id": run_id, **_series_row(result.metric, result.scope)}
    # All rows of one statement have the same columns.
    empty = dict.fromkeys(("value", "unit", "n", "stderr", "reason"))
    if isinstance(result, Measurement):
        # SQLite keeps no sign of zero.
        stderr = None if result.stderr is None else float(result.stderr) + 0.0
        measured = {"value": float(result.value) + 0.0, "unit": result.unit, "n": int(result.n), "stderr": stderr}
        return row | empty | measured
    return row | empty | {"reason": result.reason}


def _cleaned(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(map(_clean, rows))


def _clean(row: Row) -> Row:
    """Replace what no database keeps in a text: NUL, and halves of characters."""
    return {name: _storable(value) if isinstance(value, str) else value for name, value in row.items()}


def _storable(text: str) -> str:
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")
