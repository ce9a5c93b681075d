"""Rules on units: one spelling for one unit, known to astropy, and the same kind as the metric's."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from qa.requirements.doctor.patient import by_key, fault, same_kind
from qa.requirements.faults import Severity
from qa.requirements.ladder import convert, known_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.requirements.doctor.patient import Patient
    from qa.requirements.faults import Fault, Place
    from qa.requirements.verify import Specification


def unit_spelling(patient: Patient) -> Iterator[Fault]:
    """Find units spelled in more than one way: astropy finds them equal, a comparison of texts does not."""
    written = [(subject, unit, place) for subject, unit, place in _written(patient) if unit and known_unit(unit)]
    owners = by_key(
        (canonical(unit), (unit, "metrics" if subject in patient.package.metrics else "specifications"))
        for subject, unit, _ in written
    )
    for subject, unit, place in written:
        others = owners[canonical(unit)]
        if unit != canonical(unit) and len({spelling for spelling, _ in others}) > 1:
            yield _misspelled(subject, unit, place, _census(tuple(others)))


def unit_known(patient: Patient) -> Iterator[Fault]:
    """Find units that are not given, or that astropy does not know."""
    for subject, unit, place in _written(patient):
        if unit is None or not known_unit(unit):
            found = "no unit is given" if unit is None else "the unit is not known to astropy"
            yield fault(
                place,
                "unit-unknown",
                subject,
                found,
                detail="" if unit is None else repr(unit),
                correct="unit: as astropy spells it ('' where there is none)",
                severity=Severity.ERROR,
            )


def unit_kind(patient: Patient) -> Iterator[Fault]:
    """Find units that do not measure what the metric's does; another scale of it is worth a warning."""
    for one in patient.package.specifications.values():
        metric = patient.package.metrics.get(one.metric)
        if metric is None or metric.unit is None or not (known_unit(metric.unit) and known_unit(one.unit)):
            continue
        if not same_kind(one.unit, metric.unit):
            yield _mismatch(one, metric.unit, "the unit does not measure what the metric's does", Severity.ERROR)
        elif canonical(one.unit) != canonical(metric.unit):
            factor = convert(1.0, unit=one.unit, to=metric.unit)
            yield _mismatch(
                one, metric.unit, f"the unit is {factor:g} of the metric's: numbers alone mislead", Severity.WARNING
            )


@lru_cache(maxsize=256)
def canonical(unit: str) -> str:
    """Return astropy's own spelling of a unit it knows: '%' for percent, 'marcsec' for milliarcsecond."""
    from astropy import units  # noqa: PLC0415 - heavy

    return str(units.Unit(unit).to_string())


def _written(patient: Patient) -> Iterator[tuple[str, str | None, Place]]:
    """Iterate over the units of metrics and specifications: of what, the unit, and where it is written."""
    for metric in patient.package.metrics.values():
        yield metric.name, metric.unit, metric.at("unit")
    for one in patient.package.specifications.values():
        yield one.name, one.unit, one.origin("threshold", "unit")


@lru_cache(maxsize=64)
def _census(spellings: tuple[tuple[str, str], ...]) -> str:
    """Count the spellings of a unit, in specifications and in metrics."""
    counts = sorted(Counter(spellings).items(), key=lambda item: (item[0][1] == "metrics", item[0][0]))
    return ", ".join(f"{unit!r} in {count} {owner}" for (unit, owner), count in counts)


def _misspelled(subject: str, unit: str, place: Place, census: str) -> Fault:
    return fault(
        place,
        "unit-spelling",
        subject,
        f"the unit {canonical(unit)!r} is spelled {unit!r}: equal for astropy, not as text ({census})",
        correct=f"unit: '{canonical(unit)}'",
        severity=Severity.WARNING,
    )


def _mismatch(one: Specification, wanted: str, summary: str, severity: Severity) -> Fault:
    return fault(
        one.origin("threshold", "unit"),
        "unit-kind",
        one.name,
        summary,
        detail=f"{one.unit!r}, the metric has {wanted!r}",
        correct=f"unit: '{wanted}'",
        severity=severity,
    )
