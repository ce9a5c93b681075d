"""Rules on orphans, both ways: metrics nothing is asked of, specifications of no metric, partials nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.requirements.doctor.names import LEVELS, without
from qa.requirements.doctor.patient import fault, number
from qa.requirements.faults import Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.requirements.doctor.patient import Patient
    from qa.requirements.faults import Fault
    from qa.requirements.loader import Requirement
    from qa.requirements.verify import Metric


def orphan_specification(patient: Patient) -> Iterator[Fault]:
    """Find specifications of metrics that are not defined."""
    for one in patient.package.specifications.values():
        if one.metric not in patient.package.metrics:
            place = one.origin("metric") if "." not in (one.document.name if one.document else "") else one.place
            yield fault(
                place,
                "orphan-specification",
                one.name,
                f"the metric {one.metric} is not defined",
                correct=f"a metric of metrics/{one.metric.partition('.')[0]}.yaml",
                severity=Severity.ERROR,
            )


def orphan_metric(patient: Patient) -> Iterator[Fault]:
    """Find metrics that are never tested: a warning where the document asks something of them."""
    tested = {one.metric for one in patient.package.specifications.values()}
    for metric in patient.package.metrics.values():
        if metric.name not in tested:
            yield _orphan(patient, metric, tested)


def orphan_partial(patient: Patient) -> Iterator[Fault]:
    """Find partials that nothing is based on."""
    used = {base for document in patient.package.documents for base in document.bases}
    for document in patient.package.documents:
        if document.partial and document.name not in used:
            yield fault(
                document.place,
                "orphan-partial",
                document.name,
                "nothing is based on this partial",
                correct="a specification with this base, or no partial",
                severity=Severity.NOTE,
            )


def unasked_requirement(patient: Patient) -> Iterator[Fault]:
    """Find what the document asks and no metric citing it measures."""
    citing = [
        metric
        for metric in patient.package.metrics.values()
        if str(metric.reference.get("doc", "")).startswith(patient.requirements.document)
    ]
    measured = {_requirement_name(metric) for metric in citing}
    for requirement in patient.requirements.requirements if citing else ():
        if requirement.metric not in measured:
            yield fault(
                Place(citing[0].place.file, 1),
                "orphan-requirement",
                requirement.metric,
                f"no metric measures this requirement of {patient.requirements.document}",
                detail=requirement.definition,
                correct=f"a metric and {_asked(patient, requirement)}",
                severity=Severity.NOTE,
            )


def _requirement_name(metric: Metric) -> str:
    return metric.name.partition(".")[2].split("_")[0]


def _orphan(patient: Patient, metric: Metric, tested: set[str]) -> Fault:
    cites = str(metric.reference.get("doc", "")).startswith(patient.requirements.document)
    requirement = patient.requirements.requirement(_requirement_name(metric)) if cites else None
    plain = without(metric.name, LEVELS.__contains__)
    if requirement is None:
        summary, severity = "no specification tests this metric", Severity.NOTE
        correct = "a specification, if something is to be asked of it"
    elif plain != metric.name and plain in tested:
        level = next(word for word in metric.name.split("_") if word in LEVELS)
        summary = "no specification tests this metric: those of the levels are on the metric without level"
        correct, severity = f"base: {plain.partition('.')[2]}.{level}, or no such metric", Severity.WARNING
    else:
        summary = f"no specification tests this metric, and {patient.requirements.document} asks for it"
        correct, severity = f"specifications with {_asked(patient, requirement)}", Severity.WARNING
    return fault(metric.place, "orphan-metric", metric.name, summary, correct=correct, severity=severity)


def _asked(patient: Patient, requirement: Requirement) -> str:
    parts = " or ".join(
        f"minimum {number(part.minimum)}, design {number(part.design)}, stretch {number(part.stretch)}"
        + (f" {requirement.unit}" if requirement.unit else "")
        + (f" in {' '.join(part.bands)}" if part.bands else "")
        for part in requirement.targets
    )
    return f"{parts} ({patient.requirements.citation(requirement)})"
