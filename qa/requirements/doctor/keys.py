"""Rules on keys: those lsst.verify does not know it ignores, and what they were to say is lost."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from qa.requirements.doctor.patient import fault
from qa.requirements.faults import Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qa.requirements.doctor.patient import Patient
    from qa.requirements.faults import Fault
    from qa.requirements.verify import SpecDocument

DOCUMENT = frozenset({"id", "name", "base", "metric", "package", "type", "threshold", "metadata_query", "tags"})
THRESHOLD = frozenset({"value", "unit", "operator"})
METRIC = frozenset({"description", "unit", "reference", "tags"})
REFERENCE = frozenset({"doc", "page", "url"})


def unknown_key(patient: Patient) -> Iterator[Fault]:
    """Every key of a document, threshold, metric and reference must be one that lsst.verify reads."""
    unconditional = {
        one.document.name + str(one.place)
        for one in patient.package.specifications.values()
        if one.document and not one.metadata_query
    }
    for document in patient.package.documents:
        open_to_all = document.partial or document.name + str(document.place) in unconditional
        for around, key in _unknown(document.lines, {(): DOCUMENT, ("threshold",): THRESHOLD}):
            known = THRESHOLD if around else DOCUMENT
            place = Place(document.place.file, document.lines[*around, key])
            yield _fault(place, _subject(patient, document), key, known, is_lost_query=open_to_all)
    for metric in patient.package.metrics.values():
        for around, key in _unknown(metric.lines, {(): METRIC, ("reference",): REFERENCE}):
            known = REFERENCE if around else METRIC
            yield _fault(metric.at(*around, key), metric.name, key, known, is_lost_query=False)


def _unknown(
    lines: Iterable[tuple[str, ...]], known: dict[tuple[str, ...], frozenset[str]]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for *around, key in lines:
        if tuple(around) in known and key not in known[tuple(around)] and key != "<<":
            yield tuple(around), key


def _subject(patient: Patient, document: SpecDocument) -> str:
    """Return the complete name of a document, of a specification as well as of a partial."""
    if document.partial:
        return document.name
    named = (one.name for one in patient.package.specifications.values() if one.place == document.place)
    return next(named, document.name)


def _fault(place: Place, subject: str, key: str, known: frozenset[str], *, is_lost_query: bool) -> Fault:
    meant = _meant(key, known)
    is_query = meant == "metadata_query"
    lost = ", so that no condition is left and it applies to every job" if is_query and is_lost_query else ""
    return fault(
        place,
        "unknown-key",
        subject,
        f"{key} is no key of lsst.verify, which ignores it{lost}",
        correct=f"{meant}:" if meant else f"one of {', '.join(sorted(known))}",
        severity=Severity.ERROR if meant else Severity.WARNING,
    )


def _meant(key: str, known: frozenset[str]) -> str:
    if key.endswith("query") and "metadata_query" in known:
        return "metadata_query"
    return next(iter(get_close_matches(key, known, n=1, cutoff=0.75)), "")
