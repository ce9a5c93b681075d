"""A history as Parquet files, for pandas, DuckDB and what else reads them; `SCHEMAS` says what is in each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, select

from qa.documents import atomic_open
from qa.errors import MissingExtraError
from qa.judging.epochs import resource_metrics
from qa.stores.rows import aware
from qa.stores.tables import CAMERAS, EPOCHS, RESULTS, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    from sqlalchemy import Select
    from sqlalchemy.engine import Connection

    from qa.stores.sql import SqlStore

FORMAT = 1
"""Version of the columns, kept in the files under the key `obsqa.schema`."""

ROWS = 50_000
"""Rows taken from the database at once."""


@dataclass(frozen=True, slots=True)
class Col:
    """A column: its Arrow type by name, what it says and in which unit."""

    name: str
    kind: str
    says: str
    unit: str = ""
    nullable: bool = False


_RUN = Col("run_id", "string", "name of the run")
_LANE = Col("lane", "string", "nightly, commit, raws or imported")
_STARTED = Col("started", "time", "when the run began", "UTC")
_CAMERA = Col("camera", "string", "name of the camera in the registry")
SCHEMAS = {
    "runs": (
        _RUN,
        _LANE,
        _STARTED,
        Col("finished", "time", "when the run ended", "UTC", nullable=True),
        Col("exit_code", "int32", "0 pass, 1 a verdict failed, 3 infrastructure failed, 4 incomplete", nullable=True),
        Col("host", "string", "machine on which it ran", nullable=True),
    ),
    "cameras": (
        _RUN,
        _LANE,
        _STARTED,
        _CAMERA,
        Col("completed", "bool", "whether all of its steps ended well"),
        Col("reason", "string", "why it did not, or did not take part"),
        Col("coadds_measured", "time", "when it was measured on coadds", "UTC", nullable=True),
    ),
    "results": (
        _RUN,
        _LANE,
        _STARTED,
        Col("metric", "string", "name of the metric"),
        _CAMERA,
        Col("dataset", "string", "name of the camera's data set"),
        Col("band", "string", "band, where the metric is of one", nullable=True),
        Col("tract", "int32", "tract of the sky map, where the metric is of one", nullable=True),
        Col("task", "string", "task, of metrics of what the processing costs", nullable=True),
        Col("value", "float64", "the value; null where it could not be measured", "column unit", nullable=True),
        Col("unit", "string", "unit of value and stderr", nullable=True),
        Col("n", "int64", "number of things the value rests on", nullable=True),
        Col("stderr", "float64", "standard error of the value", "column unit", nullable=True),
        Col("reason", "string", "why it could not be measured", nullable=True),
        Col("epoch", "string", "what the values depend on: those of different epochs are not compared", nullable=True),
    ),
}
"""The columns of each file."""


def export(store: SqlStore, folder: Path) -> dict[Path, int]:
    """Write `runs.parquet`, `cameras.parquet` and `results.parquet` and return how many rows each has.

    All of them are of one state of the history; each is written whole or not at all.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    StoreError
        If the history cannot be read.
    DiskFullError
        If there is no space.
    """

    def work(connection: Connection) -> dict[Path, int]:
        return {path: _written(connection, name, path) for name, path in paths.items()}

    paths = {name: folder / f"{name}.parquet" for name in SCHEMAS}
    return store.database.read(work, patience=None)


def arrow_schema(name: str) -> pa.Schema:
    """Return the columns of a file, with what each says as metadata."""
    import pyarrow as pa  # noqa: PLC0415 - a part that is optional

    kinds = {"time": pa.timestamp("us", "UTC"), "string": pa.string(), "bool": pa.bool_(), "int32": pa.int32()}
    kinds |= {"int64": pa.int64(), "float64": pa.float64()}
    fields = [
        pa.field(one.name, kinds[one.kind], nullable=one.nullable, metadata={"says": one.says, "unit": one.unit})
        for one in SCHEMAS[name]
    ]
    return pa.schema(fields, metadata={"obsqa.table": name, "obsqa.schema": str(FORMAT)})


def _written(connection: Connection, name: str, path: Path) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415 - a part that is optional
        from pyarrow import parquet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        extra = "stores"
        raise MissingExtraError(extra, str(error.name)) from None
    schema, count = arrow_schema(name), 0
    with atomic_open(path) as stream, parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for rows in _batches(connection, name):
            count += len(rows)
            columns = zip(*rows, strict=True)
            arrays = [_array(pa, one, field.type) for one, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return count


def _batches(connection: Connection, name: str) -> Iterator[list[Any]]:
    result = connection.execution_options(stream_results=True).execute(_QUERIES[name]())
    yield from (list(rows) for rows in result.partitions(ROWS))


def _array(pa: Any, values: tuple[Any, ...], kind: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    if pa.types.is_timestamp(kind):
        return pa.array([None if one is None else aware(one) for one in values], kind)
    if pa.types.is_boolean(kind):
        return pa.array([bool(one) for one in values], kind)
    return pa.array(values, kind)


def _runs() -> Select[Any]:
    columns = (RUNS.c[one.name] for one in SCHEMAS["runs"])
    return select(*columns).order_by(RUNS.c.started, RUNS.c.run_id)


def _cameras() -> Select[Any]:
    own = (CAMERAS.c[one.name] for one in SCHEMAS["cameras"][3:])
    query = select(RUNS.c.run_id, RUNS.c.lane, RUNS.c.started, *own).join_from(CAMERAS, RUNS)
    return query.order_by(RUNS.c.started, RUNS.c.run_id, CAMERAS.c.camera)


def _results() -> Select[Any]:
    said = {one.name: RESULTS.c[one.name] for one in SCHEMAS["results"][3:-1]}
    said |= {name: _absent(said[name], "") for name in ("band", "task")} | {"tract": _absent(said["tract"], -1)}
    costs = case((RESULTS.c.metric.in_(sorted(resource_metrics())), 1), else_=0)
    same = and_(*(EPOCHS.c[name] == RESULTS.c[name] for name in ("run_id", "camera", "dataset")))
    query = select(RUNS.c.run_id, RUNS.c.lane, RUNS.c.started, *said.values(), EPOCHS.c.epoch)
    query = query.join_from(RESULTS, RUNS).outerjoin(EPOCHS, and_(same, EPOCHS.c.resources == costs))
    series = (RESULTS.c[name] for name in ("metric", "camera", "dataset", "band", "tract", "task"))
    return query.order_by(RUNS.c.started, RUNS.c.run_id, *series)


def _absent(column: Any, mark: object) -> Any:  # noqa: ANN401 - a column or an expression of one
    return case((column == mark, None), else_=column).label(column.name)


_QUERIES = {"runs": _runs, "cameras": _cameras, "results": _results}
