"""A metrics package of lsst.verify as a requirements document of ours. Pure.

A package has a specification for each level, milestone and data set; a document has one ladder for each metric and set
of bands. What makes a whole ladder is taken over, and of everything else it is said why it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from qa.errors import RequestError
from qa.requirements.doctor.names import BANDS, LEVELS, read_name
from qa.requirements.doctor.patient import same_kind
from qa.requirements.document import Requirement, Requirements
from qa.requirements.ladder import UnitMismatchError, convert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from qa.requirements.verify.model import Metric, Package, Specification

    Ladders = dict[frozenset[str] | None, dict[str, Specification]]


_UNITS = ("", "%", "mmag", "mag", "mas", "arcsec")


class NothingToImportError(RequestError):
    """A package has no ladder that a document could ask for."""

    def __init__(self, package: Package, why: tuple[str, ...]) -> None:
        self.package = package
        first = f"; the first of {len(why)} reasons: {why[0]}" if why else ""
        super().__init__(
            f"{package.path}: must have specifications named minimum, design and stretch of one metric, "
            f"found none that make a ladder{first}"
        )


@dataclass(frozen=True, slots=True)
class ImportedDocument:
    """The document a package makes; `left_out` says of what it is not in it, and why.

    `special` is how many specifications are of milestones or of single data sets, which a document knows nothing of.
    """

    document: Requirements
    left_out: tuple[str, ...]
    special: int


class _LeftOutError(Exception):
    """Why a ladder cannot be taken over."""


def import_package(package: Package, *, name: str, version: str, url: str = "") -> ImportedDocument:
    """Make a requirements document of the ladders of a package, in the order of the metrics' names.

    Raises
    ------
    NothingToImportError
        If there is no whole ladder in it.
    """
    general = [one for one in package.specifications.values() if _is_general(one)]
    left_out: list[str] = []
    requirements = []
    for metric, specifications in sorted(_by_metric(general).items()):
        try:
            requirements.append(_requirement(metric, specifications, package, left_out))
        except _LeftOutError as why:
            left_out.append(f"{metric}: {why}")
    if not requirements:
        raise NothingToImportError(package, tuple(left_out))
    document = Requirements(
        document=name,
        title=f"Requirements of the metrics package {package.path.resolve().name}",
        version=version,
        url=url,
        requirements=tuple(requirements),
    )
    return ImportedDocument(document, tuple(left_out), len(package.specifications) - len(general))


def as_plain(document: Requirements) -> dict[str, Any]:
    """Return a document as its file has it, what is not said left out."""
    return document.model_dump(mode="json", exclude_defaults=True, exclude_none=True)


def _is_general(one: Specification) -> bool:
    """Tell whether a specification holds for whatever was observed, and whenever."""
    return read_name(one).milestone is None and not one.metadata_query


def _by_metric(specifications: Iterable[Specification]) -> dict[str, list[Specification]]:
    found: dict[str, list[Specification]] = {}
    for one in specifications:
        found.setdefault(read_name(one).requirement, []).append(one)
    return found


def _requirement(
    metric: str, specifications: list[Specification], package: Package, left_out: list[str]
) -> Requirement:
    metrics = package.metrics
    ladders = _ladders(specifications)
    whole = {bands: rungs for bands, rungs in ladders.items() if len(rungs) == len(LEVELS)}
    lacking = [_lacking(bands, rungs) for bands, rungs in ladders.items() if bands not in whole]
    if not whole:
        raise _LeftOutError("; ".join(lacking) or "no name of its specifications says a level")
    left_out += [f"{metric}: {one}" for one in lacking]
    first = next(iter(whole.values()))[LEVELS[0]]
    operators = sorted({one.operator for rungs in whole.values() for one in rungs.values()})
    try:
        return Requirement.model_validate(
            {
                "metric": metric,
                "definition": _definition(first, metrics),
                "unit": _spelled(first.unit),
                "operator": " ".join(operators),
                "targets": [_targets(bands, rungs, unit=first.unit) for bands, rungs in whole.items()],
                "source": _source(first, metrics, package.path),
            }
        )
    except (ValidationError, UnitMismatchError) as error:
        raise _LeftOutError(_worded(error)) from None


def _ladders(specifications: Iterable[Specification]) -> Ladders:
    """Arrange specifications by bands and level.

    Raises
    ------
    _LeftOutError
        If two of one level ask different things.
    """
    found: Ladders = {}
    for one in specifications:
        reading = read_name(one)
        if reading.level is None:
            continue
        rungs = found.setdefault(reading.bands, {})
        other = rungs.setdefault(reading.level, one)
        if (other.value, other.unit, other.operator) != (one.value, one.unit, one.operator):
            text = f"{other.name} and {one.name} ask different things"
            raise _LeftOutError(text)
    return found


def _targets(bands: frozenset[str] | None, rungs: Mapping[str, Specification], *, unit: str) -> dict[str, Any]:
    values = {level: convert(rungs[level].value, unit=rungs[level].unit, to=unit) for level in LEVELS}
    return values if bands is None else {"bands": sorted(bands, key=BANDS.index), **values}


def _lacking(bands: frozenset[str] | None, rungs: Mapping[str, Specification]) -> str:
    missing = " and no ".join(level for level in LEVELS if level not in rungs)
    return f"has no {missing}" + ("" if bands is None else f" in {' '.join(sorted(bands, key=BANDS.index))}")


def _definition(one: Specification, metrics: Mapping[str, Metric]) -> str:
    metric = metrics.get(one.metric)
    return " ".join(metric.description.split()).rstrip(".") if metric else one.metric


def _source(one: Specification, metrics: Mapping[str, Metric], root: Path) -> str:
    """Say what a metric cites, and the file its values were taken from."""
    metric = metrics.get(one.metric)
    reference = metric.reference if metric else {}
    cited = " ".join(str(reference["doc"]).split()) if reference.get("doc") else ""
    page = f" p. {reference['page']}" if cited and reference.get("page") else ""
    file = one.place.file.removeprefix(f"{root}/")
    return f"{cited}{page}, as in {file}" if cited else file


def _spelled(unit: str) -> str:
    """Write a unit as our documents do, an unknown one as it stands."""
    return next((own for own in _UNITS if same_kind(own, unit) and convert(1.0, unit=unit, to=own) == 1.0), unit)


def _worded(error: ValidationError | UnitMismatchError) -> str:
    if isinstance(error, UnitMismatchError):
        return str(error)
    first = error.errors()[0]
    found = "" if isinstance(first["input"], dict | list) else f", got {first['input']!r}"
    return str(first["msg"]).removeprefix("Value error, ") + found
