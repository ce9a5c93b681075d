"""Rules on the numbers: the order of a ladder, milestones against what they lead to, and the document's own values."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from qa.requirements.doctor.names import LEVELS, instead
from qa.requirements.doctor.patient import by_key, fault, in_unit_of, laxer, number, quantity
from qa.requirements.faults import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qa.requirements.doctor.patient import Patient
    from qa.requirements.faults import Fault
    from qa.requirements.verify import Specification


def ladder_order(patient: Patient) -> Iterator[Fault]:
    """Find levels easier to meet than the one before, in the operator's direction."""
    for rungs in ladders(patient):
        if not any(patient.sets_value(rung) for rung in rungs):
            continue  # an heir of a ladder that is reported itself
        for easier, harder in pairwise(rungs):
            if easier.operator != harder.operator:
                yield _mixed(easier, harder)
            elif _is_laxer(harder, easier):
                yield _disordered(patient, easier, harder)


def milestone_laxer(patient: Patient) -> Iterator[Fault]:
    """Find milestones easier to meet than those before them, and last ones easier than the level they lead to."""
    for steps in _series(patient):
        final = steps[-1]
        level = patient.reading(final).level or "design"
        for earlier, later in pairwise(steps):
            if _is_laxer(later, earlier):
                yield _relapse(earlier, later, patient)
        aim = _aim(patient, final, level)
        if aim is not None and _is_laxer(final, aim):
            yield _short_of(patient, final, aim, level)


def document_value(patient: Patient) -> Iterator[Fault]:
    """Find specifications named after a level that ask another value than the document they cite."""
    for one in patient.package.specifications.values():
        reading = patient.reading(one)
        requirement = patient.requirement(one)
        if requirement is None or reading.level is None or reading.milestone or not patient.sets_value(one):
            continue
        wanted = [
            in_unit_of(getattr(part, reading.level), unit=requirement.unit, of=one) for part in patient.targets(one)
        ]
        numbers = [value for value in wanted if value is not None]
        if one.operator != requirement.operator or (numbers and all(_differ(one.value, value) for value in numbers)):
            yield _unlike(patient, one, numbers)


def ladders(patient: Patient) -> list[list[Specification]]:
    """Return the specifications that differ in nothing but their level, easiest first, where there is more than one."""
    levelled = [one for one in patient.package.specifications.values() if patient.reading(one).level]
    families = by_key((patient.reading(one).family, one) for one in levelled)
    return [
        sorted(rungs, key=lambda one: LEVELS.index(patient.reading(one).level or "")) for rungs in families.values()
    ]


def _series(patient: Patient) -> Iterator[Sequence[Specification]]:
    """Iterate over the specifications that differ in nothing but their milestone, earliest first."""
    dated = [one for one in patient.package.specifications.values() if patient.reading(one).milestone]
    for steps in by_key((patient.reading(one).series, one) for one in dated).values():
        own = [one for one in steps if patient.sets_value(one)]
        if own:
            yield sorted(own, key=lambda one: patient.reading(one).milestone or "")


def _aim(patient: Patient, final: Specification, level: str) -> Specification | None:
    """Find the specification of the level a milestone leads to: same metric, same bands, no milestone."""
    reading = patient.reading(final)
    for one in patient.package.of_metric(final.metric):
        other = patient.reading(one)
        if other.milestone is None and other.level == level and other.bands == reading.bands:
            return one
    return None


def _is_laxer(one: Specification, than: Specification) -> bool:
    value = in_unit_of(one.value, unit=one.unit, of=than)
    return value is not None and one.operator == than.operator and laxer(than.operator, value, than.value)


def _differ(one: float, other: float) -> bool:
    return laxer("<=", one, other) or laxer(">=", one, other)


def _mixed(easier: Specification, harder: Specification) -> Fault:
    summary = "the levels of one ladder have different operators"
    detail = f"{easier.short} {easier.operator}, {harder.short} {harder.operator}"
    return fault(
        harder.origin("threshold", "operator"),
        "ladder-order",
        harder.name,
        summary,
        detail=detail,
        correct=f'operator: "{easier.operator}"',
        severity=Severity.ERROR,
    )


def _disordered(patient: Patient, easier: Specification, harder: Specification) -> Fault:
    levels = patient.reading(easier).level, patient.reading(harder).level
    summary = f"{levels[1]} is easier to meet than {levels[0]}"
    detail = (
        f"{harder.operator} {quantity(harder.value, harder.unit)} is laxer than {quantity(easier.value, easier.unit)}"
    )
    heirs = patient.heirs(harder)
    return fault(
        harder.origin("threshold", "value"),
        "ladder-order",
        harder.name,
        summary,
        detail=detail + (f"; {heirs} more inherit it" if heirs else ""),
        correct=_asked(patient, harder) or f"{harder.operator} {quantity(easier.value, easier.unit)} or harder",
        severity=Severity.ERROR,
    )


def _asked(patient: Patient, one: Specification) -> str:
    """Say what the cited document asks at all three levels, nothing where it asks nothing."""
    requirement = patient.requirement(one)
    parts = patient.targets(one)
    if requirement is None or not parts:
        return ""
    return (
        " or ".join(
            f"minimum {number(part.minimum)}, design {number(part.design)}, stretch {number(part.stretch)} "
            f"{requirement.unit}".rstrip()
            for part in parts
        )
        + f" ({patient.requirements.citation(requirement)})"
    )


def _relapse(earlier: Specification, later: Specification, patient: Patient) -> Fault:
    return fault(
        later.origin("threshold", "value"),
        "milestone-order",
        later.name,
        "a milestone asks less than an earlier one",
        detail=f"{quantity(later.value, later.unit)}, {patient.reading(earlier).milestone} asks "
        f"{quantity(earlier.value, earlier.unit)}",
        correct=f"{later.operator} {quantity(earlier.value, earlier.unit)} or harder",
        severity=Severity.ERROR,
    )


def _short_of(patient: Patient, final: Specification, aim: Specification, level: str) -> Fault:
    heirs = patient.heirs(final)
    return fault(
        final.origin("threshold", "value"),
        "milestone-laxer",
        final.name,
        f"the last milestone asks less than the {level} it leads to",
        detail=f"{quantity(final.value, final.unit)}, {aim.short} asks {quantity(aim.value, aim.unit)}"
        + (f"; {heirs} more inherit it" if heirs else ""),
        correct=f"value: {number(in_unit_of(aim.value, unit=aim.unit, of=final) or aim.value)} ({final.unit})"
        + (f", as {instead(final.short, patient.reading(final).milestone or '', level)}" if not final.unit else ""),
        severity=Severity.ERROR,
    )


def _unlike(patient: Patient, one: Specification, wanted: Sequence[float]) -> Fault:
    requirement = patient.requirement(one)
    citation = patient.requirements.citation(requirement) if requirement else ""
    operator = requirement.operator if requirement else one.operator
    right = " or ".join(quantity(value, one.unit) for value in wanted)
    return fault(
        one.origin("threshold", "value"),
        "document-value",
        one.name,
        f"the value is not that of {patient.requirements.document}",
        detail=f"{one.operator} {quantity(one.value, one.unit)}",
        correct=f"{operator} {right} ({citation})",
        severity=Severity.ERROR,
    )
