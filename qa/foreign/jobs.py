"""Jobs of lsst.verify, the shapes that came before them, and single measurements as a Butler keeps them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.errors import DocumentError
from qa.foreign import legacy, own, srd, targets
from qa.foreign.model import Definition, Foreign, Kind, Origin, Source
from qa.foreign.read import checked, digest, moment, read_plain
from qa.judging.wording import pair, quantity
from qa.metrics.blobs import recompute
from qa.model import Measurement, Scope, Unmeasured
from qa.requirements.verify import Specification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from qa.metrics.blobs import Recomputed
    from qa.model import Ladder, Result
    from qa.requirements import Requirements

REQUIRED = "a Job of lsst.verify (JSON), or measurements of one (YAML)"
NOWHERE = Scope("", "")
AGREEMENT = 1e-9
"""Largest relative difference between a value and what its blob gives that rounding explains."""


class _Part(BaseModel):
    """A part of a Job; what it says beyond what is read here is not our concern."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Measured(_Part):
    metric: str = Field(min_length=1)
    value: float | None = None
    unit: str | None = ""


class _Metric(_Part):
    name: str
    description: str | None = ""
    unit: str | None = ""
    reference: dict[str, Any] = {}


class _Threshold(_Part):
    value: float = Field(allow_inf_nan=False)
    unit: str | None = ""
    operator: Literal["<", "<=", "==", "!=", ">=", ">"]


class _Spec(_Part):
    name: str
    threshold: _Threshold | None = None
    metadata_query: dict[str, Any] = {}
    tags: tuple[str, ...] = ()


class _Datum(_Part):
    value: Any = None


class _Blob(_Part):
    name: str | None = None
    data: dict[str, _Datum] = {}


class Job(_Part):
    """What is read of a Job document."""

    measurements: tuple[_Measured, ...]
    metrics: tuple[_Metric, ...] = ()
    specs: tuple[_Spec, ...] = ()
    blobs: tuple[_Blob, ...] = ()
    meta: dict[str, Any] = {}

    @property
    def values(self) -> dict[str, dict[str, Any]]:
        """The values of the blobs that have a name, by name and key."""
        return {one.name: {key: datum.value for key, datum in one.data.items()} for one in self.blobs if one.name}

    @property
    def specifications(self) -> tuple[Specification, ...]:
        """The thresholds the Job quotes."""
        return tuple(
            Specification(
                name=spec.name,
                value=spec.threshold.value,
                unit=spec.threshold.unit or "",
                operator=spec.threshold.operator,
                metadata_query=spec.metadata_query,
                tags=spec.tags,
            )
            for spec in self.specs
            if spec.threshold is not None
        )


def read_job(path: Path) -> tuple[Job, Any]:
    """Read a file of lsst.verify, old shapes included: the checked Job, and its plain values in today's shape.

    Raises
    ------
    DocumentError
        If it is none.
    """
    document = legacy.as_job(read_plain(path, REQUIRED))
    if not isinstance(document, dict) or "measurements" not in document:
        raise DocumentError(path, required=REQUIRED, found="no list of measurements")
    job = checked(path, Job, document, REQUIRED)
    seen: set[str] = set()
    for one in job.measurements:
        if one.metric in seen:
            raise DocumentError(path, required="one measurement of each metric", found=f"two of {one.metric}")
        seen.add(one.metric)
    return job, document


def origin_of(meta: Mapping[str, Any]) -> Origin:
    """Return where a Job says it comes from."""
    env = meta.get("env") if isinstance(meta.get("env"), dict) else {}
    dataset = _text(meta, "dataset", "dataset_name", "ci_dataset") or _text(env or {}, "ci_dataset")
    repository = _text(meta, "dataset_repo_url")
    if dataset is None and repository:
        dataset = repository.rstrip("/").rpartition("/")[2].removesuffix(".git")
    band = _text(meta, "band", "filter_name", "filter", "physical_filter")
    tract = meta.get("tract")
    return Origin(
        instrument=_text(meta, "instrument", "camera"),
        dataset=dataset,
        filter=None if band is None or band.lower() == "any" else band,
        tract=int(tract) if isinstance(tract, int | str) and str(tract).isdigit() else None,
        when=moment((env or {}).get("date")) or moment(meta.get("date")),
    )


def read(
    path: Path,
    requirements: Requirements,
    *,
    band: Callable[[Origin], str | None] = lambda origin: origin.filter,
    package: Iterable[Specification] = (),
) -> Foreign:
    """Read a file of lsst.verify; `band` finds the band, `package` are specifications instead of the Job's own.

    Raises
    ------
    DocumentError
        If it is none, or measures a metric twice.
    """
    job, document = read_job(path)
    units, caveats = _units(job, requirements)
    again = {one.metric: one for one in recompute(document)}
    results = [_result(one, units[one.metric], again.get(one.metric)) for one in job.measurements]
    origin = origin_of(job.meta)
    chosen = targets.applicable(tuple(package) or job.specifications, job.meta, band(origin))
    ladders, troubles = _ladders(chosen, units)
    flags = [text for one in results if (text := unsupported(one, again.get(one.metric)))]
    foreign = Foreign(
        source=Source(path.name, Kind.VERIFY, digest(document)),
        origin=origin,
        results=tuple(results),
        definitions=tuple(_definition(one.metric, job, units[one.metric], chosen) for one in job.measurements),
        ladders=ladders,
        facts=_facts(job.meta),
        caveats=(*flags, *caveats, *troubles),
    )
    return own.restored(foreign, job.meta, job.values) if own.is_own(job.meta) else foreign


def unsupported(result: Result, again: Recomputed | None) -> str:
    """Say that a value is not what its own blob gives; empty where it is, or the blob says nothing."""
    if not isinstance(result, Measurement) or again is None or again.value is None:
        return ""
    if math.isclose(result.value, again.value, rel_tol=AGREEMENT):
        return ""
    said, given = pair(result.value, again.value, result.unit)
    return f"{result.metric} says {said}, its blob gives {given}."


def _units(job: Job, requirements: Requirements) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the unit of each metric, and which percentages came without theirs.

    A percentage that was written without its unit is still one: 29.78 with the unit '' is 29.78 %, not 2978 %.
    """
    declared = {one.name: one.unit or "" for one in job.metrics} | {one.metric: one.unit for one in job.specifications}
    units, bare = {}, []
    for one in job.measurements:
        unit = units[one.metric] = one.unit or ""
        wanted = srd.unit(requirements, one.metric) or declared.get(one.metric, "")
        if unit == "" and wanted in {"%", "percent"}:
            units[one.metric] = "%"
            bare.append(one.metric)
        elif one.unit is None and wanted:
            units[one.metric] = wanted
    if not bare:
        return units, ()
    return units, (f"Taken as percent, though the file gives no unit: {', '.join(bare)}.",)


def _result(one: _Measured, unit: str, again: Recomputed | None) -> Result:
    if one.value is None or not math.isfinite(one.value):
        return Unmeasured(one.metric, NOWHERE, _why(one, unit, again))
    return Measurement(one.metric, NOWHERE, one.value, unit, 0)


def _why(one: _Measured, unit: str, again: Recomputed | None) -> str:
    said = "no value" if one.value is None else f"{one.value}".replace("nan", "NaN")
    if again is None or (again.value is None and again.reason.startswith("no formula")):
        return f"the file has {said}"
    if again.value is None:
        return f"the file has {said}, and {again.reason}"
    return f"the file has {said}, though its blob gives {quantity(again.value, unit)}"


def _ladders(chosen: Sequence[Specification], units: Mapping[str, str]) -> tuple[tuple[Ladder, ...], tuple[str, ...]]:
    found: list[Ladder] = []
    troubles: list[str] = []
    for metric, unit in units.items():
        if srd.parse(metric):
            continue
        ladder, caveats = targets.ladder_of(metric, [one for one in chosen if one.metric == metric], unit=unit)
        troubles += caveats
        if ladder:
            found.append(ladder)
    return tuple(found), tuple(troubles)


def _definition(metric: str, job: Job, unit: str, chosen: Sequence[Specification]) -> Definition:
    said = next((one for one in job.metrics if one.name == metric), None)
    text = (said.description or "").strip() if said else ""
    operators = {targets.DIRECTIONS.get(one.operator) for one in chosen if one.metric == metric}
    return Definition(
        name=metric,
        unit=unit,
        direction="lower" if srd.parse(metric) else direction(operators),
        text=text or f"The file says no more of {metric} than its name.",
        citation=_citation(said.reference) if said else "",
        family=metric.partition(".")[0] if "." in metric else "imported",
    )


def direction(operators: Iterable[str | None]) -> str:
    """Return which way is better by the operators of what is required; without them, nearer to zero is."""
    known = set(operators) - {None}
    return {"<=": "lower", ">=": "higher"}[known.pop() or ""] if len(known) == 1 else "zero"


def _citation(reference: Mapping[str, Any]) -> str:
    page = f"p. {reference['page']}" if reference.get("page") is not None else ""
    return ", ".join(str(part) for part in (reference.get("doc"), page, reference.get("url")) if part)


def _facts(meta: Mapping[str, Any]) -> dict[str, str]:
    """Return the packages a Job was made with, by git SHA or, without one, by version."""
    given = meta.get("packages") or {}
    packages = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    facts = {}
    for one in packages:
        if isinstance(one, dict) and one.get("name"):
            version = next((one[key] for key in ("git_sha", "git_commit", "eups_version") if one.get(key)), None)
            if version:
                facts[f"package {one['name']}"] = str(version)
    return facts


def _text(meta: Mapping[str, Any], *keys: str) -> str | None:
    """Return the first of some keys that holds text."""
    return next((value for key in keys if isinstance(value := meta.get(key), str) and value), None)
