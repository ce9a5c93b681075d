"""Bundles of measurements as analysis_tools writes them, and our own."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from qa.errors import DocumentError
from qa.foreign import targets
from qa.foreign.jobs import direction
from qa.foreign.model import Definition, Foreign, Kind, Origin, Source
from qa.foreign.read import digest, moment, read_plain
from qa.metrics import catalogue
from qa.metrics.bundle import REFERENCE_PACKAGE, from_bundle
from qa.model import Measurement, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from qa.model import Ladder, Result
    from qa.requirements.verify import Specification

REQUIRED = "a bundle of measurements of analysis_tools (JSON)"
RESERVED = "__"
PACKAGE = "analysis_tools"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    metric: str = Field(min_length=1)
    value: float | None = None
    unit: str | None = ""
    stderr: float | None = None
    n: int | None = None
    band: str | None = None
    task: str | None = None
    reason: str | None = None


_RECORDS = TypeAdapter(list[_Record])


def read(
    path: Path,
    *,
    band: Callable[[Origin], str | None] = lambda origin: origin.filter,
    package: Iterable[Specification] = (),
) -> Foreign:
    """Read a bundle. Names without a package get that of the bundle and the action in front: `package.action_metric`.

    Raises
    ------
    DocumentError
        If it is none.
    """
    bundle = read_plain(path, REQUIRED)
    _check(path, bundle)
    own = bundle.get("__reference_package") == REFERENCE_PACKAGE
    named = bundle if own else _named(bundle)
    results = from_bundle(named, Scope("", ""))
    origin = _origin(bundle)
    specifications = targets.applicable(package, _meta(bundle, band(origin)), band(origin))
    ladders, caveats = _ladders(results, specifications)
    return Foreign(
        source=Source(path.name, Kind.BUNDLE, digest(bundle)),
        origin=origin,
        results=results,
        definitions=_definitions(named, results, specifications, own=own),
        ladders=ladders,
        facts={},
        caveats=(*_errors(named), *caveats),
    )


def _check(path: Path, bundle: object) -> None:
    if not isinstance(bundle, dict):
        raise DocumentError(path, required=REQUIRED, found=f"{type(bundle).__name__} at the top")
    actions = {key: records for key, records in bundle.items() if not key.startswith(RESERVED)}
    for action, records in actions.items():
        try:
            checked = _RECORDS.validate_python(records)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in (action, *first["loc"]))
            found = f"at {where}: {first['msg'][:1].lower()}{first['msg'][1:]}"
            raise DocumentError(path, required=REQUIRED, found=found) from None
        negative = next((one for one in checked if one.stderr is not None and one.stderr < 0), None)
        if negative is not None:
            required = "a bundle whose errors are not negative"
            found = f"{action}.{negative.metric} with a stderr of {negative.stderr:g}"
            raise DocumentError(path, required=required, found=found)
    if not actions:
        raise DocumentError(path, required=REQUIRED, found="no action with measurements")


def _named(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bundle whose metrics have complete names."""
    package = bundle.get("__reference_package")
    package = package if isinstance(package, str) and package else PACKAGE
    prefix = bundle.get("__metricNamePrefix")
    prefix = prefix if isinstance(prefix, str) else ""
    named: dict[str, Any] = {}
    for action, records in bundle.items():
        if not action.startswith(RESERVED):
            front = f"{package}.{action}_"
            named[action] = [
                one | {"metric": one["metric"] if "." in one["metric"] else f"{front}{prefix}{one['metric']}"}
                for one in records
            ]
    return named


def _origin(bundle: Mapping[str, Any]) -> Origin:
    dataset = bundle.get("__dataset_identifier")
    stamps = (bundle.get("__timestamp_version"), bundle.get("__reference_package_timestamp"), dataset)
    when = next((found for one in stamps if (found := moment(one))), None)
    return Origin(dataset=dataset if isinstance(dataset, str) and dataset else None, when=when)


def _meta(bundle: Mapping[str, Any], band: str | None) -> dict[str, Any]:
    return {"dataset": bundle.get("__dataset_identifier"), "filter_name": band}


def _definitions(
    bundle: Mapping[str, Any], results: Iterable[Result], specifications: Iterable[Specification], *, own: bool
) -> tuple[Definition, ...]:
    """Return what is known of each metric once; of our own the catalogue knows more."""
    known = catalogue() if own else {}
    actions = {one["metric"]: key for key, group in bundle.items() if not key.startswith(RESERVED) for one in group}
    operators: dict[str, set[str | None]] = {}
    for one in specifications:
        operators.setdefault(one.metric, set()).add(targets.DIRECTIONS.get(one.operator))
    units = {one.metric: one.unit for one in results if isinstance(one, Measurement)}
    return tuple(
        Definition(
            name=metric,
            unit=units.get(metric, ""),
            direction=direction(operators.get(metric, ())),
            text=f"Written by the action {action}; the file says no more of it.",
            family=action,
        )
        for metric, action in actions.items()
        if metric not in known
    )


def _ladders(
    results: Iterable[Result], specifications: Iterable[Specification]
) -> tuple[tuple[Ladder, ...], tuple[str, ...]]:
    asked = tuple(specifications)
    found: dict[str, Ladder] = {}
    troubles: list[str] = []
    for one in results:
        if isinstance(one, Measurement) and one.metric not in found:
            own = [spec for spec in asked if spec.metric == one.metric]
            ladder, caveats = targets.ladder_of(one.metric, own, unit=one.unit)
            troubles += caveats
            if ladder:
                found[one.metric] = ladder
    return tuple(found.values()), tuple(troubles)


def _errors(bundle: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which standard errors are no numbers: the value stands, without an error."""
    bad = Counter(
        one["metric"]
        for key, group in bundle.items()
        if not key.startswith(RESERVED)
        for one in group
        if one.get("stderr") is not None and not math.isfinite(one["stderr"])
    )
    return (f"Errors that are not finite were left out: {', '.join(bad)}.",) if bad else ()
