"""Rules on inheritance: a name must say what its bases say, and no list of a base may be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.requirements.doctor.names import instead, queried_bands
from qa.requirements.doctor.patient import fault, in_unit_of, laxer, quantity
from qa.requirements.faults import Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.requirements.doctor.patient import Patient
    from qa.requirements.faults import Fault
    from qa.requirements.verify import Specification


def inherited_milestone(patient: Patient) -> Iterator[Fault]:
    """Find specifications named after one milestone or level and based on another one's."""
    for one in patient.package.specifications.values():
        said = patient.reading(one)
        for base in patient.parents(one):
            meant = patient.reading(base)
            if said.milestone and meant.milestone and said.milestone != meant.milestone:
                yield _other_base(patient, one, base, said.milestone, meant.milestone)
            elif said.level and meant.level and said.level != meant.level:
                yield _other_base(patient, one, base, said.level, meant.level)


def inherited_bands(patient: Patient) -> Iterator[Fault]:
    """Find names whose bands are not among their base's, or not those the query asks for."""
    for one in patient.package.specifications.values():
        said = patient.reading(one).bands
        if said is None:
            continue
        for base in patient.parents(one):
            meant = patient.reading(base).bands
            if meant is not None and not said <= meant:
                yield _bands(one, f"the base {base.short} is for {_listed(meant)}", "a base for the bands of the name")
        asked = queried_bands(one)
        if asked is not None and not asked <= said:
            yield _bands(one, f"the query asks for {_listed(asked)}", f"filter_name: {_listed(said)}")


def replaced_list(patient: Patient) -> Iterator[Fault]:
    """Find tags that are text: where the bases have a list, its entries are lost."""
    for document in patient.package.documents:
        tags = document.content.get("tags")
        if tags is not None and not isinstance(tags, list):
            yield fault(
                Place(document.place.file, document.lines.get(("tags",), document.place.line)),
                "replaced-list",
                document.name,
                "tags are text where a list is needed, and replace those of other bases",
                detail=repr(tags),
                correct=f"tags: [{tags}]",
                severity=Severity.WARNING,
            )


def _other_base(patient: Patient, one: Specification, base: Specification, said: str, meant: str) -> Fault:
    right = patient.package.specification(instead(base.name, meant, said))
    wanted = in_unit_of(right.value, unit=right.unit, of=one) if right else None
    wrong = wanted is not None and (laxer("<=", one.value, wanted) or laxer(">=", one.value, wanted))
    value = f" ({quantity(wanted, one.unit)})" if wanted is not None else ""
    return fault(
        one.document.place if one.document else one.place,
        "inherited-milestone",
        one.name,
        f"named {said}, based on {meant}" + (", which has another value" if wrong else ", which has the same value"),
        detail=f"tests {quantity(one.value, one.unit)} of {base.short}",
        correct=f"base: {right.short if right else instead(base.short, meant, said)}{value}",
        severity=Severity.ERROR if wrong or right is None else Severity.WARNING,
    )


def _bands(one: Specification, detail: str, correct: str) -> Fault:
    summary = "the bands of the name are not those it inherits or asks for"
    return fault(
        one.place, "inherited-bands", one.name, summary, detail=detail, correct=correct, severity=Severity.ERROR
    )


def _listed(bands: frozenset[str]) -> str:
    return " ".join(sorted(bands, key="ugrizy".index))
