"""Reads metrics in JSON: of obsqa's plain format, lsst.verify Jobs, bundles of analysis_tools, pytest-benchmark.

The plain format is what a script writes without any library:

    {"schema": 1, "metrics": [
      {"name": "query_seconds", "value": 0.31, "unit": "s", "direction": "lower", "n": 200, "stderr": 0.02,
       "text": "95th percentile of the time of a cone search."},
      {"name": "tiles_per_second", "value": null, "direction": "higher", "reason": "the cache was off"}]}
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.errors import DocumentError
from qa.foreign.files import read_filed
from qa.foreign.filing import Asked
from qa.foreign.model import Definition, Kind
from qa.foreign.read import checked, read_plain
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from pathlib import Path

    from qa.model import Result

REQUIRED = "metrics in JSON: obsqa's plain format, an lsst.verify Job, a bundle of analysis_tools or pytest-benchmark"
PLAIN = "metrics of obsqa's plain format (JSON)"
LARGEST_MIB = 64
FAMILY = "suite"
_MIB = 2**20
_Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Metric(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,99}$")]
    value: _Finite | None
    unit: Annotated[str, Field(max_length=50)] = ""
    direction: Literal["lower", "higher", "zero"]
    n: Annotated[int, Field(ge=0)] = 1
    stderr: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    text: Annotated[str, Field(max_length=2000)] = ""
    reason: _Line = "no value"


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal[1] = Field(alias="schema")
    metrics: Annotated[tuple[_Metric, ...], Field(min_length=1, max_length=10_000)]


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a file holds, at its place."""

    results: tuple[Result, ...]
    definitions: tuple[Definition, ...]
    caveats: tuple[str, ...] = ()


def read(path: Path, scope: Scope) -> Metrics:
    """Read a file of metrics measured on `scope`; those of the plain format get the name of the service in front.

    Raises
    ------
    DocumentError
        If it is of none of the formats.
    """
    try:
        if path.stat().st_size > LARGEST_MIB * _MIB:
            raise DocumentError(path, required=f"{REQUIRED}, of at most {LARGEST_MIB} MiB", found="a larger file")
    except OSError as error:
        raise DocumentError(path, required=REQUIRED, found=(error.strerror or str(error)).lower()) from None
    document = read_plain(path, REQUIRED)
    if not isinstance(document, dict):
        raise DocumentError(path, required=REQUIRED, found=f"{type(document).__name__} at the top")
    if "metrics" in document and "schema" in document:
        return _plain(path, document, scope)
    filed = read_filed(path, _kind(document), Asked(scope.camera, scope.dataset), cameras=())
    placed = tuple(
        replace(one, scope=replace(one.scope, camera=scope.camera, dataset=scope.dataset)) for one in filed.results
    )
    return Metrics(placed, filed.foreign.definitions, filed.foreign.caveats)


def _kind(document: dict[str, Any]) -> Kind:
    if "benchmarks" in document:
        return Kind.BENCHMARK
    return Kind.VERIFY if "measurements" in document or "blobs" in document else Kind.BUNDLE


def _plain(path: Path, document: dict[str, Any], scope: Scope) -> Metrics:
    found = checked(path, _Plain, document, PLAIN).metrics
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise DocumentError(path, required="each metric once", found=f"{twice[0]} again")
    return Metrics(
        tuple(_result(one, scope) for one in found),
        tuple(
            Definition(_named(one, scope), one.unit, one.direction, one.text or f"As {scope.camera} says.", "", FAMILY)
            for one in found
        ),
    )


def _named(one: _Metric, scope: Scope) -> str:
    """Return a metric's name in the history: two services may call theirs the same."""
    return f"{scope.camera}.{one.name}"


def _result(one: _Metric, scope: Scope) -> Result:
    if one.value is None:
        return Unmeasured(_named(one, scope), scope, one.reason)
    return Measurement(_named(one, scope), scope, one.value, one.unit, one.n, one.stderr)
