"""Timings of pytest-benchmark: the median of the rounds of each benchmark, with the machine and the commit as facts.

The standard error of a median of n rounds is sqrt(pi / 2) sigma / sqrt(n) (the limit for normal deviates), sigma
being the interquartile range over 1.349, as for normal deviates; rounds in sequence are not quite independent.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from qa.errors import DocumentError
from qa.foreign.model import Definition, Foreign, Kind, Origin, Source
from qa.foreign.read import checked, digest, moment, read_plain
from qa.model import Measurement, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REQUIRED = "the JSON of pytest-benchmark"
CAMERA = "benchmarks"
"""The camera that benchmarks are filed under, unless another is named: they are of none."""

IQR_OF_NORMAL = 1.349
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Stats(_Part):
    median: _Seconds
    iqr: _Seconds
    rounds: Annotated[int, Field(gt=0)]


class _Benchmark(_Part):
    name: str = Field(min_length=1)
    fullname: str = ""
    group: str | None = None
    stats: _Stats


class _File(_Part):
    machine_info: dict[str, Any] = {}
    commit_info: dict[str, Any] = {}
    benchmarks: tuple[_Benchmark, ...] = Field(min_length=1)
    when: datetime | None = Field(default=None, alias="datetime")


def read(path: Path) -> Foreign:
    """Read the results of pytest-benchmark, in seconds.

    Raises
    ------
    DocumentError
        If it is none, or has two benchmarks of one name.
    """
    document = read_plain(path, REQUIRED)
    if not isinstance(document, dict) or "benchmarks" not in document:
        raise DocumentError(path, required=REQUIRED, found="no list of benchmarks")
    file = checked(path, _File, document, REQUIRED)
    results = tuple(_result(one) for one in file.benchmarks)
    names = [one.metric for one in results]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DocumentError(path, required="one benchmark of each name", found=f"two of {twice}")
    project = file.commit_info.get("project")
    return Foreign(
        source=Source(path.name, Kind.BENCHMARK, digest(document)),
        origin=Origin(instrument=CAMERA, dataset=str(project) if project else None, when=moment(file.when)),
        results=results,
        definitions=tuple(_definition(one, name) for one, name in zip(file.benchmarks, names, strict=True)),
        ladders=(),
        facts=_facts(file.machine_info, file.commit_info),
    )


def _name(one: _Benchmark) -> str:
    """Return `benchmark.<module>::<test>`: the file's folder is left out, which differs from machine to machine."""
    file, found, test = one.fullname.partition("::")
    return f"benchmark.{file.rpartition('/')[2].removesuffix('.py')}::{test}" if found else f"benchmark.{one.name}"


def _result(one: _Benchmark) -> Measurement:
    spread = one.stats.iqr / IQR_OF_NORMAL
    stderr = math.sqrt(math.pi / 2) * spread / math.sqrt(one.stats.rounds) if one.stats.rounds > 1 else None
    return Measurement(_name(one), Scope("", ""), one.stats.median, "s", one.stats.rounds, stderr)


def _definition(one: _Benchmark, name: str) -> Definition:
    text = f"Median time of one round of {one.fullname or one.name}."
    return Definition(name, "s", "lower", text, family="resources")


def _facts(machine: Mapping[str, Any], commit: Mapping[str, Any]) -> dict[str, str]:
    """Return what times depend on, under the names that runs of obsqa have them by."""
    cpu = machine.get("cpu") if isinstance(machine.get("cpu"), dict) else {}
    found = {
        "host": machine.get("node"),
        "machine": machine.get("machine"),
        "cpu": (cpu or {}).get("brand_raw") or (cpu or {}).get("brand"),
        "cores": (cpu or {}).get("count"),
        "os": " ".join(str(machine[key]) for key in ("system", "release") if machine.get(key)),
        "python": machine.get("python_version"),
    }
    if commit.get("project") and commit.get("id"):
        dirty = "-dirty" if commit.get("dirty") else ""
        found[f"package {commit['project']}"] = f"{commit['id']}{dirty}"
    return {name: str(value) for name, value in found.items() if value}
