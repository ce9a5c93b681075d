"""The frozen values a metrics package of lsst.verify is read into."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa.requirements.faults import Fault, Place
from qa.requirements.ladder import convert

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NOWHERE = Place("", 0)
"""The place of a specification that was not read from a file of specifications."""

Key = tuple[str, ...]
"""Where a value stands in a document: ("threshold", "unit")."""

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
"""The operators a threshold may have, `measurement operator threshold`."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of `metrics/<package>.yaml`; `name` is `package.metric`, `keys` are all it has in the file."""

    name: str
    description: str
    unit: str | None
    tags: tuple[str, ...]
    reference: Mapping[str, Any]
    place: Place
    lines: Mapping[Key, int]

    def at(self, *key: str) -> Place:
        """Return where a key of the metric is written, or the metric where it has no such key."""
        return Place(self.place.file, self.lines.get(key, self.place.line))

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every key the metric has in its file, those of mappings below it included."""
        return tuple(self.lines)


@dataclass(frozen=True, slots=True)
class SpecDocument:
    """One document of a specification file as written: a partial if it has an `id`, else a specification.

    `name` of a partial is complete (`package:folder/file#id`), that of a specification as written. `bases` are
    complete. `content` is the document without `id`, `name` and `base`; `lines` has the line of each key,
    `repeated` the keys that stand more than once.
    """

    package: str
    partial: bool
    name: str
    bases: tuple[str, ...]
    content: Mapping[str, Any]
    place: Place
    lines: Mapping[Key, int]
    repeated: tuple[tuple[Key, int], ...]


@dataclass(frozen=True, slots=True)
class Specification:
    """A threshold that a metric is tested against, everything inherited merged in.

    `name` is `package.metric.specification`. `bases` are the complete names of what it is directly based on,
    `origins` the place each value was taken from, be it another document; `document` is the specification as written.
    """

    name: str
    value: float
    unit: str
    operator: str
    metadata_query: Mapping[str, Any]
    tags: tuple[str, ...]
    bases: tuple[str, ...] = ()
    place: Place = NOWHERE
    origins: Mapping[Key, Place] | None = None
    document: SpecDocument | None = None

    @property
    def metric(self) -> str:
        """Complete name of the metric, `package.metric`."""
        return self.name.rpartition(".")[0]

    @property
    def short(self) -> str:
        """Name without the package, `metric.specification`."""
        return self.name.partition(".")[2]

    def origin(self, *key: str) -> Place:
        """Return where a value was taken from, or the specification's own place where it has none."""
        return (self.origins or {}).get(key, self.place)

    def writes(self, *key: str) -> bool:
        """Tell whether the specification says something itself, rather than inherit it."""
        return self.document is not None and key in self.document.lines

    def applies_to(self, meta: Mapping[str, Any]) -> bool:
        """Tell whether the specification is for a job with this metadata: each queried key there, and equal."""
        return all(key in meta and meta[key] == asked for key, asked in self.metadata_query.items())

    def satisfied_by(self, value: float, *, unit: str) -> bool:
        """Tell whether a value meets the threshold; rounding of a unit conversion does not decide.

        Raises
        ------
        UnitMismatchError
            If the units do not measure the same thing.
        """
        value = convert(value, unit=unit, to=self.unit, what=self.name)
        if math.isclose(value, self.value, rel_tol=1e-9):
            return "=" in self.operator and self.operator != "!="
        return bool(OPERATORS[self.operator](value, self.value))


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is in a package."""

    files: int
    documents: int
    partials: int
    specifications: int
    metrics: int


@dataclass(frozen=True, slots=True)
class Package:
    """A metrics package: everything in it by complete name, and what could not be read or merged."""

    path: Path
    metrics: Mapping[str, Metric]
    specifications: Mapping[str, Specification]
    documents: tuple[SpecDocument, ...]
    files: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def counts(self) -> Counts:
        """How many files of specifications, documents, partials, documents of specifications, and metrics there are."""
        partials = sum(document.partial for document in self.documents)
        total = len(self.documents)
        return Counts(len(self.files), total, partials, total - partials, len(self.metrics))

    def specification(self, name: str) -> Specification | None:
        """Return a specification by its complete name, None if there is none."""
        return self.specifications.get(name)

    def of_metric(self, metric: str) -> tuple[Specification, ...]:
        """Return the specifications of a metric (`package.metric`) in the order they were read."""
        return tuple(one for one in self.specifications.values() if one.metric == metric)


def from_job(specs: Iterable[Mapping[str, Any]]) -> dict[str, Specification]:
    """Return the specifications a Job quotes in its key `specs` by name, but for those without a sound threshold."""
    return {
        spec["name"]: Specification(
            name=spec["name"],
            value=float(spec["threshold"]["value"]),
            unit=spec["threshold"].get("unit") or "",
            operator=spec["threshold"]["operator"],
            metadata_query=spec.get("metadata_query") or {},
            tags=tuple(sorted(spec.get("tags") or ())),
        )
        for spec in specs
        if isinstance(spec.get("name"), str) and _is_sound(spec.get("threshold"))
    }


def _is_sound(threshold: object) -> bool:
    """Tell whether a quoted threshold is a finite number with an operator that is known."""
    if not isinstance(threshold, Mapping):
        return False
    value, comparison = threshold.get("value"), threshold.get("operator")
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return is_number and isinstance(comparison, str) and comparison in OPERATORS
