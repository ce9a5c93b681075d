"""What every rule of the doctor is given: a package, the document it is compared with, and how its names read."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from qa.requirements.doctor.names import Reading, read_name
from qa.requirements.faults import Fault, Place, Severity
from qa.requirements.ladder import convert, known_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.requirements.loader import Requirement, Requirements, Targets
    from qa.requirements.verify import Package, Specification


K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Patient:
    """A package under examination, and what the names of its specifications say."""

    package: Package
    requirements: Requirements
    readings: Mapping[str, Reading]
    sharing: Mapping[Place, int]
    """How many specifications take their threshold from a place."""

    @classmethod
    def of(cls, package: Package, requirements: Requirements) -> Patient:
        """Read the names of a package's specifications."""
        specifications = package.specifications.values()
        sharing = Counter(one.origin("threshold", "value") for one in specifications)
        return cls(package, requirements, {one.name: read_name(one) for one in specifications}, sharing)

    def reading(self, specification: Specification) -> Reading:
        """Return what a specification's name says."""
        return self.readings[specification.name]

    def parents(self, specification: Specification) -> tuple[Specification, ...]:
        """Return the specifications (not the partials) that one is based on."""
        known = self.package.specifications
        return tuple(known[base] for base in specification.bases if base in known)

    def sets_value(self, specification: Specification) -> bool:
        """Tell whether a specification has a threshold of its own, rather than that of another specification."""
        return specification.writes("threshold", "value") or not self.parents(specification)

    def heirs(self, specification: Specification) -> int:
        """Count the specifications that inherit the threshold of one."""
        return self.sharing[specification.origin("threshold", "value")] - 1

    def requirement(self, specification: Specification) -> Requirement | None:
        """Return what the document asks of a specification's metric, None unless the metric cites the document."""
        metric = self.package.metrics.get(specification.metric)
        cited = str(metric.reference.get("doc", "")) if metric else ""
        if not cited.startswith(self.requirements.document):
            return None
        return self.requirements.requirement(self.reading(specification).requirement)

    def targets(self, specification: Specification) -> tuple[Targets, ...]:
        """Return the targets that apply in the bands of a specification."""
        requirement = self.requirement(specification)
        bands = self.reading(specification).bands
        if requirement is None:
            return ()
        return tuple(one for one in requirement.targets if bands is None or one.bands is None or bands & set(one.bands))


def number(value: float) -> str:
    """Write a number as short as it can be, with a point before an exponent, as YAML 1.1 wants it."""
    text = f"{value:g}"
    mantissa, mark, power = text.partition("e")
    return f"{mantissa}{'.0' if mark and '.' not in mantissa else ''}{mark}{power}"


def quantity(value: float, unit: str) -> str:
    """Write a number with its unit."""
    return f"{number(value)} {unit}".rstrip()


def laxer(operator: str, one: float, other: float) -> bool:
    """Tell whether a limit is easier to meet than another, in the operator's direction; equal ones are not."""
    if math.isclose(one, other, rel_tol=1e-9):
        return False
    return one > other if operator.startswith("<") else one < other


def in_unit_of(value: float, *, unit: str, of: Specification) -> float | None:
    """Convert a value to the unit of a specification, None where the units do not measure the same."""
    if not same_kind(unit, of.unit):
        return None
    return convert(value, unit=unit, to=of.unit)


@lru_cache(maxsize=256)
def same_kind(one: str, other: str) -> bool:
    """Tell whether two units measure the same thing; units that astropy does not know are alike if spelled alike."""
    if one == other:
        return True
    if not (known_unit(one) and known_unit(other)):
        return False
    from astropy import units  # noqa: PLC0415 - heavy

    return bool(units.Unit(one).is_equivalent(units.Unit(other)))


def fault(
    place: Place, rule: str, subject: str, summary: str, *, detail: str = "", correct: str, severity: Severity
) -> Fault:
    """Make a fault whose message is `subject: summary` with the detail behind it."""
    message = f"{subject}: {summary}" + (f": {detail}" if detail else "")
    return Fault(place.file, place.line, rule, message, correct, severity, subject, summary)


def by_key(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Collect the values of each key."""
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
