"""Rules on requirement documents of our own format: keys, ladders, bands, units, and what obsqa measures."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from qa.metrics.base import Direction
from qa.requirements.doctor.patient import number, same_kind
from qa.requirements.document import Added, OwnTargets, Profile, Requirement, Requirements, Targets
from qa.requirements.faults import Fault, Severity
from qa.requirements.ladder import convert, in_order, known_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from obs_registry.document import Document
    from qa.metrics.base import MetricDefinition

LEVELS = ("minimum", "design", "stretch")
OPERATORS = ("<=", ">=")
"""A tuple: what is not hashable can be looked for in it."""


@dataclass(frozen=True, slots=True)
class ProfilePatient:
    """A requirements document as it is written, what it was read into (None with faults), and what to compare with."""

    path: Path
    document: Document
    read: Requirements | None
    against: Requirements
    definitions: Mapping[str, MetricDefinition]

    def entries(self) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Iterate over what is asked of metrics, wherever it stands: key of the list, place in it, and the mapping."""
        for key in ("requirements", "targets"):
            found = self.document.value.get(key)
            for place, entry in enumerate(found if isinstance(found, list) else []):
                if isinstance(entry, dict):
                    yield key, place, entry

    def fault(
        self, key: tuple[str | int, ...], rule: str, subject: str, summary: str, *, correct: str, severity: Severity
    ) -> Fault:
        """Make a fault at a key."""
        line = self.document.line(*key)
        return Fault(str(self.path), line, rule, f"{subject}: {summary}", correct, severity, subject, summary)


def unknown_key(patient: ProfilePatient) -> Iterator[Fault]:
    """Find keys that mean nothing, at any depth."""
    value = patient.document.value
    is_profile = "base" in value
    yield from _unknown(patient, (), value, known=(Profile if is_profile else Requirements).model_fields)
    for key, place, entry in patient.entries():
        part = (OwnTargets if key == "targets" else Added) if is_profile else Requirement
        yield from _unknown(patient, (key, place), entry, known=part.model_fields)
        for index, targets in enumerate(_rows(entry)):
            yield from _unknown(patient, (key, place, "targets", index), targets, known=Targets.model_fields)


def ladder_order(patient: ProfilePatient) -> Iterator[Fault]:
    """Find targets that do not get harder from minimum to stretch, in the operator's direction."""
    for key, place, entry in patient.entries():
        operator = entry.get("operator") or _operator(patient, entry)
        for index, row in enumerate(_rows(entry)):
            targets = [row[level] for level in LEVELS if isinstance(row.get(level), int | float)]
            if len(targets) < len(LEVELS) or operator not in OPERATORS:
                continue
            minimum, design, stretch = targets
            if not in_order(operator, minimum, design, stretch):
                right = _official(patient, entry, row) or sorted(targets, reverse=operator == "<=")
                summary = f"targets must get harder from minimum to stretch ({operator}), got {_listed(targets)}"
                where = (key, place, "targets", index)
                yield patient.fault(
                    where, "ladder-order", _name(entry), summary, correct=_listed(right), severity=Severity.ERROR
                )


def document_value(patient: ProfilePatient) -> Iterator[Fault]:
    """Find targets that differ from the document's: a copy must not; a profile's own are worth knowing."""
    is_profile = "base" in patient.document.value
    if not is_profile and patient.document.value.get("document") != patient.against.document:
        return
    for key, place, entry in patient.entries():
        for index, row in enumerate(_rows(entry)):
            right = _official(patient, entry, row)
            targets = [row.get(level) for level in LEVELS]
            if right is None or targets == right:
                continue
            name = patient.against.document
            summary = f"own targets {_listed(targets)}, {name} has {_listed(right)}"
            yield patient.fault(
                (key, place, "targets", index),
                "document-value",
                _name(entry),
                summary if is_profile else f"the targets {_listed(targets)} are not those of {name}",
                correct=f"as it is, if {name} is not to hold here" if is_profile else _listed(right),
                severity=Severity.NOTE if is_profile else Severity.ERROR,
            )


def unit(patient: ProfilePatient) -> Iterator[Fault]:
    """Find units astropy does not know, that do not measure what the metric does, or are spelled otherwise."""
    for key, place, entry in patient.entries():
        found = entry.get("unit")
        metric = patient.definitions.get(_name(entry))
        if not isinstance(found, str):
            continue
        right = f"unit: {metric.unit!r}" if metric else "unit: as astropy spells it"
        if not known_unit(found):
            rule, summary, severity = "unit-unknown", f"the unit {found!r} is not known to astropy", Severity.ERROR
        elif metric and not same_kind(found, metric.unit):
            rule, summary, severity = "unit-kind", f"the unit {found!r} does not measure the metric", Severity.ERROR
        elif metric and found != metric.unit and convert(1.0, unit=found, to=metric.unit) == 1.0:
            rule, summary, severity = "unit-spelling", f"the unit is spelled {found!r}", Severity.WARNING
        else:
            continue
        yield patient.fault((key, place, "unit"), rule, _name(entry), summary, correct=right, severity=severity)


def direction(patient: ProfilePatient) -> Iterator[Fault]:
    """Find operators against the direction in which the metric gets better."""
    for key, place, entry in patient.entries():
        metric, operator = patient.definitions.get(_name(entry)), entry.get("operator")
        if metric is None or operator not in OPERATORS:
            continue
        right = ">=" if metric.direction is Direction.HIGHER else "<="
        if operator != right:
            summary = f"the operator {operator} is against the metric, which is better when {metric.direction}"
            yield patient.fault(
                (key, place, "operator"),
                "direction",
                metric.name,
                summary,
                correct=f'operator: "{right}"',
                severity=Severity.ERROR,
            )


def bands(patient: ProfilePatient) -> Iterator[Fault]:
    """Find targets in bands that the metric is not defined in."""
    for key, place, entry in patient.entries():
        metric = patient.definitions.get(_name(entry))
        for index, row in enumerate(_rows(entry)):
            named = row.get("bands")
            strange = (
                [band for band in named if metric and not metric.applies_to(band)] if isinstance(named, list) else []
            )
            if metric and metric.bands is not None and strange:
                yield patient.fault(
                    (key, place, "targets", index, "bands"),
                    "bands",
                    metric.name,
                    f"targets in {' '.join(map(str, strange))}, where obsqa does not measure the metric",
                    correct=f"bands: [{', '.join(metric.bands)}], or leave it: nothing is judged there",
                    severity=Severity.NOTE,
                )


def orphans(patient: ProfilePatient) -> Iterator[Fault]:
    """Find requirements of metrics that obsqa does not measure, and metrics nothing is required of."""
    if patient.read is None or not patient.definitions:
        return
    for name in patient.read.metrics:
        if name not in patient.definitions:
            places = [(key, place) for key, place, entry in patient.entries() if _name(entry) == name]
            where = places[0] if places else ("base",)
            summary = "obsqa does not measure what this requirement asks"
            right = "a metric of this name; until then it is not judged"
            yield patient.fault(where, "orphan-requirement", name, summary, correct=right, severity=Severity.NOTE)
    # Said once of the document, not again of every profile of it.
    for name in () if "base" in patient.document.value else patient.definitions:
        if name not in patient.read.metrics:
            summary = "nothing is required of this metric"
            right = "targets, if something is to be asked of it"
            yield patient.fault((), "orphan-metric", name, summary, correct=right, severity=Severity.NOTE)


PROFILE_RULES = (unknown_key, ladder_order, document_value, unit, direction, bands, orphans)
"""The rules on a requirements document, most serious first."""


def _unknown(
    patient: ProfilePatient, around: tuple[str | int, ...], value: Mapping[str, Any], *, known: Mapping[str, Any]
) -> Iterator[Fault]:
    for key in value:
        if key not in known:
            close = get_close_matches(str(key), list(known), n=1)
            correct = f"{close[0]}:" if close else f"one of {', '.join(known)}"
            subject = _name(value) or ".".join(map(str, (*around, key)))
            yield patient.fault(
                (*around, str(key)), "unknown-key", subject, f"{key} is no key here", correct=correct,
                severity=Severity.ERROR,
            )  # fmt: skip


def _rows(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = entry.get("targets")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("metric", ""))


def _operator(patient: ProfilePatient, entry: Mapping[str, Any]) -> str:
    official = patient.against.requirement(_name(entry))
    return official.operator if official else ""


def _official(patient: ProfilePatient, entry: Mapping[str, Any], row: Mapping[str, Any]) -> list[float] | None:
    """Return the document's targets for a row's bands in the row's unit; None where it has none, or several."""
    official = patient.against.requirement(_name(entry))
    unit_here = entry.get("unit", official.unit if official else "")
    asked = row.get("bands")
    if official is None or not isinstance(unit_here, str) or not same_kind(unit_here, official.unit):
        return None
    parts = [one for one in official.targets if _same_bands(asked, one.bands)]
    if len(parts) != 1:
        return None
    return [convert(getattr(parts[0], level), unit=official.unit, to=unit_here) for level in LEVELS]


def _same_bands(asked: object, official: Sequence[str] | None) -> bool:
    if official is None or not isinstance(asked, list):
        return True
    return bool(set(map(str, asked)) & set(official))


def _listed(targets: Sequence[object]) -> str:
    named = zip(LEVELS, targets, strict=True)
    return ", ".join(f"{level} {number(one) if isinstance(one, int | float) else one}" for level, one in named)
