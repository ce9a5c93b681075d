"""Running all rules on what lies at a path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from obs_registry.document import YamlError, parse
from qa.errors import DocumentError, UnknownNameError
from qa.requirements.doctor import inheritance, keys, orphans, references, spelling, thresholds
from qa.requirements.doctor.patient import Patient
from qa.requirements.doctor.profile import PROFILE_RULES, ProfilePatient
from qa.requirements.faults import Fault, Severity
from qa.requirements.loader import SHIPPED, RequirementsError, load, read
from qa.requirements.verify import load_package, package_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from qa.metrics.base import MetricDefinition
    from qa.requirements.document import Requirements
    from qa.requirements.verify import Package

RULES: tuple[Callable[[Patient], Iterable[Fault]], ...] = (
    thresholds.ladder_order,
    thresholds.document_value,
    thresholds.milestone_laxer,
    inheritance.inherited_milestone,
    inheritance.inherited_bands,
    inheritance.replaced_list,
    keys.unknown_key,
    spelling.unit_known,
    spelling.unit_kind,
    spelling.unit_spelling,
    orphans.orphan_specification,
    orphans.orphan_metric,
    orphans.orphan_partial,
    orphans.unasked_requirement,
    references.bands,
    references.page,
    references.prefix,
)
"""The rules on a metrics package, most serious first."""

_SAID_BY_RULES = ("must get harder", "must be one that astropy knows", "Extra inputs are not permitted")
_SEVERITIES = tuple(Severity)


def examine(
    path: Path | None = None,
    *,
    against: Requirements | None = None,
    definitions: Mapping[str, MetricDefinition] | None = None,
) -> tuple[Fault, ...]:
    """Examine what lies at a path: a metrics package, a requirements document, or a folder of such documents.

    Of a file or folder in a metrics package the faults there are returned; it is examined with the whole package.

    Parameters
    ----------
    path
        Without one, the documents that come with obsqa are examined.
    against
        The document to compare with, LPM-17 unless told otherwise.
    definitions
        What obsqa measures; without them documents are not compared with it.

    Raises
    ------
    DocumentError
        If there is none of these at the path.
    """
    path = path or SHIPPED
    if (package := package_of(path)) is not None:
        found = examine_package(load_package(package), against=against)
        return tuple(one for one in found if Path(one.file).is_relative_to(path))
    files = [path] if path.is_file() else sorted(path.glob("*.yaml")) if path.is_dir() else []
    if not files:
        required = "a metrics package of lsst.verify, a requirements document or a folder of such documents"
        raise DocumentError(path, required=required, found="none of them" if path.exists() else "nothing")
    return in_order(
        one for file in files for one in examine_profile(file, against=against, definitions=definitions or {})
    )


def examine_package(package: Package, *, against: Requirements | None = None) -> tuple[Fault, ...]:
    """Examine a package that has been read, comparing it with a document (LPM-17 unless told otherwise)."""
    patient = Patient.of(package, against or load())
    return in_order([*package.faults, *(fault for rule in RULES for fault in rule(patient))])


def examine_profile(
    path: Path, *, against: Requirements | None = None, definitions: Mapping[str, MetricDefinition]
) -> tuple[Fault, ...]:
    """Examine one requirements document; for the parameters see `examine`."""
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except YamlError as error:
        return (Fault(str(path), error.line, "yaml", f"must be YAML, found: {error.problem}", "plain YAML"),)
    except (OSError, UnicodeDecodeError) as error:
        return (Fault(str(path), 1, "yaml", f"must be text in UTF-8, found: {error}", "plain YAML"),)
    requirements, refused = _read(path)
    if not isinstance(document.value, dict):
        return refused
    patient = ProfilePatient(path, document, requirements, against or load(), definitions)
    found = [fault for rule in PROFILE_RULES for fault in rule(patient)]
    # What a rule has said with its correct value need not be said again by the reader.
    told = [one for one in refused if not any(text in one.message for text in _SAID_BY_RULES)]
    return in_order([*(refused if not found else told), *found])


def _read(path: Path) -> tuple[Requirements | None, tuple[Fault, ...]]:
    """Read a requirements document, or return what keeps it from being read."""
    try:
        return read(path), ()
    except RequirementsError as error:
        return None, error.places
    except UnknownNameError as error:
        return None, (Fault(str(path), 1, "base", str(error), f"one of {', '.join(error.known)}"),)


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Sort faults: errors first, else in the order of rules, then of files and lines."""
    listed = list(faults)
    rules = list(dict.fromkeys(one.rule for one in listed))
    return tuple(
        sorted(listed, key=lambda one: (_SEVERITIES.index(one.severity), rules.index(one.rule), one.file, one.line))
    )
