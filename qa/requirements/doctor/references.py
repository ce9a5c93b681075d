"""Rules on the cited document: the bands it restricts a requirement to, page numbers, and names of files."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from qa.requirements.doctor.names import queried_bands
from qa.requirements.doctor.patient import by_key, fault
from qa.requirements.faults import Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.requirements.doctor.patient import Patient
    from qa.requirements.faults import Fault
    from qa.requirements.loader import Requirement
    from qa.requirements.verify import Specification


def bands(patient: Patient) -> Iterator[Fault]:
    """Find specifications that are not restricted to the bands the document asks their requirement in."""
    for one in patient.package.specifications.values():
        requirement, reading = patient.requirement(one), patient.reading(one)
        if requirement is None or not patient.sets_value(one):
            continue
        allowed = _bands_of(requirement)
        said = queried_bands(one) or reading.bands
        if allowed is not None and (said is None or not said <= allowed):
            yield _unrestricted(patient, one, requirement, said)


def page(patient: Patient) -> Iterator[Fault]:
    """Find page numbers without the version of the document: pages move from version to version, tables less."""
    for metric in patient.package.metrics.values():
        cited, number = str(metric.reference.get("doc", "")), metric.reference.get("page")
        requirement = patient.requirements.requirement(metric.name.partition(".")[2].split("_")[0])
        if number is None or cited != patient.requirements.document or requirement is None:
            continue
        yield fault(
            metric.at("reference", "page"),
            "page",
            metric.name,
            f"page {number} of {cited} without its version: pages differ from version to version",
            correct=f"doc: {patient.requirements.citation(requirement)}",
            severity=Severity.WARNING,
        )


def prefix(patient: Patient) -> Iterator[Fault]:
    """Find files of the document's own values that lack its name as prefix, where others beside them have it."""
    official = by_key(
        (one.place.file, one)
        for one in patient.package.specifications.values()
        if patient.requirement(one) is not None and patient.sets_value(one) and not patient.reading(one).milestone
    )
    mark = f"{patient.requirements.document}-"
    folders = {PurePath(file).parent for file in official if PurePath(file).name.startswith(mark)}
    for file, found in official.items():
        path = PurePath(file)
        if path.parent in folders and not path.name.startswith(mark):
            yield fault(
                Place(file, 1),
                "prefix",
                path.name,
                f"a file of official values without the prefix {mark} that others beside it have",
                detail=f"{len(found)} specifications",
                correct=f"{mark}{path.name}",
                severity=Severity.WARNING,
            )


def _bands_of(requirement: Requirement) -> frozenset[str] | None:
    """Return the bands a requirement is made in, None where it is made in all."""
    asked: set[str] = set()
    for part in requirement.targets:
        if part.bands is None:
            return None
        asked |= set(part.bands)
    return None if asked == set("ugrizy") else frozenset(asked)


def _unrestricted(patient: Patient, one: Specification, requirement: Requirement, said: frozenset[str] | None) -> Fault:
    allowed = " ".join(sorted(_bands_of(requirement) or (), key="ugrizy".index))
    found = "in every band" if said is None else f"in {' '.join(sorted(said))}"
    heirs = patient.heirs(one)
    return fault(
        one.place,
        "bands",
        one.name,
        f"applies {found}; {patient.requirements.citation(requirement)} asks it in {allowed}",
        detail=f"{heirs} more inherit it" if heirs else "",
        correct=f"metadata_query: {{filter_name: ...}} for each of {allowed}",
        severity=Severity.WARNING,
    )
