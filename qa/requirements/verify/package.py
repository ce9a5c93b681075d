"""Reading a metrics package of lsst.verify: `metrics/<package>.yaml` and `specs/<package>/**/*.yaml`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from obs_registry.document import Document, YamlError, parse_all
from qa.errors import DocumentError
from qa.requirements.faults import Fault, Place, Severity
from qa.requirements.verify.merge import Merged, complete_name, resolve
from qa.requirements.verify.model import OPERATORS, Key, Metric, Package, SpecDocument, Specification

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

EXTENSIONS = (".yaml", ".yml")
_PARTIAL = re.compile(r"^(?:(?P<package>[^\s:#]+):)?(?P<path>[^\s:#]+)?#(?P<name>\S+)$")


def is_package(path: Path) -> bool:
    """Tell whether a folder looks like a metrics package."""
    return (path / "specs").is_dir() or (path / "metrics").is_dir()


def package_of(path: Path) -> Path | None:
    """Return the metrics package a path is, or is a file or folder of; None if it is neither."""
    if is_package(path):
        return path
    inside = (one for one in path.parents if is_package(one) and path.exists())
    found = next(inside, None)
    return found if found and path.relative_to(found).parts[0] in {"specs", "metrics"} else None


def load_package(path: Path) -> Package:
    """Read a metrics package; what is wrong in it is among its `faults`, and the rest is read.

    Raises
    ------
    DocumentError
        If the folder has neither metrics nor specs.
    """
    if not is_package(path):
        required = "a metrics package of lsst.verify: a folder with the folders metrics and specs"
        raise DocumentError(path, required=required, found="neither of them" if path.is_dir() else "no such folder")
    faults: list[Fault] = []
    metrics = {one.name: one for file in _files(path / "metrics") for one in _metrics_of(file, faults)}
    files = [file for folder in _folders(path / "specs") for file in _files(folder)]
    documents = [one for file in files for one in _documents_of(path / "specs", file, faults)]
    resolution = resolve(documents)
    faults += resolution.faults
    specifications = {one.name: one for merged in resolution.specifications if (one := _specification(merged, faults))}
    return Package(path, metrics, specifications, tuple(documents), tuple(map(str, files)), tuple(faults))


def _folders(path: Path) -> list[Path]:
    return sorted(one for one in path.iterdir() if one.is_dir()) if path.is_dir() else []


def _files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.suffix in EXTENSIONS and one.is_file())


def _read(file: Path, faults: list[Fault]) -> tuple[Document, ...]:
    try:
        return parse_all(file.read_text(encoding="utf-8"))
    except YamlError as error:
        faults.append(Fault(str(file), error.line, "yaml", f"must be YAML, found: {error.problem}", "plain YAML"))
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(str(file), 1, "yaml", f"must be text in UTF-8, found: {error}", "plain YAML"))
    return ()


def _metrics_of(file: Path, faults: list[Fault]) -> Iterator[Metric]:
    documents = _read(file, faults)
    if not documents or documents[0].value is None:
        return
    document, whole = documents[0], documents[0].value
    if not isinstance(whole, dict) or len(documents) > 1:
        faults.append(Fault(str(file), 1, "yaml", "must be one mapping of metrics", "metric names as keys"))
        return
    for key, line in document.repeated:
        faults.append(_repeated(str(file), key, line, subject=f"{file.stem}.{key[0]}"))
    lines_of: dict[str, dict[Key, int]] = {}
    for key, line in document.lines.items():
        lines_of.setdefault(key[0], {})[key[1:]] = line
    for name, content in whole.items():
        lines = lines_of[str(name)]
        place = Place(str(file), lines.pop(()))
        if isinstance(content, dict):
            yield _metric(f"{file.stem}.{name}", content, place, lines)
        else:
            faults.append(Fault(place.file, place.line, "yaml", f"{name} must be a mapping", "description, unit, ..."))


def _metric(name: str, content: Mapping[str, Any], place: Place, lines: Mapping[Key, int]) -> Metric:
    reference, unit = content.get("reference"), content.get("unit")
    return Metric(
        name=name,
        description=str(content.get("description") or "").strip(),
        unit=unit if isinstance(unit, str) else None,
        tags=_texts(content.get("tags")),
        reference=reference if isinstance(reference, dict) else {},
        place=place,
        lines=lines,
    )


def _documents_of(root: Path, file: Path, faults: list[Fault]) -> Iterator[SpecDocument]:
    package, *rest = file.relative_to(root).with_suffix("").parts
    for document in _read(file, faults):
        if document.value is None:
            continue
        line = min(document.lines.values(), default=1)
        fault = _not_a_document(document.value)
        if fault:
            faults.append(Fault(str(file), line, "yaml", *fault))
            continue
        yield _spec_document(document, Place(str(file), line), package=package, yaml_id="/".join(rest))


def _not_a_document(value: object) -> tuple[str, str] | None:
    """Say what keeps a YAML document from being a partial or a specification, and what would be right."""
    if not isinstance(value, dict):
        return "must be a mapping", "a partial (id) or a specification (name)"
    name = value.get("id", value.get("name"))
    if not isinstance(name, str) or not name or name.split() != [name]:
        return (
            f"must have an id or a name that is one word, found {name!r}",
            "id: of a partial, name: of a specification",
        )
    bases = value.get("base") or []
    if not all(isinstance(base, str) and base for base in (bases if isinstance(bases, list) else [bases])):
        return f"base of {name} must be a name or a list of names, found {bases!r}", "base: '#partial'"
    return None


def _spec_document(document: Document, place: Place, *, package: str, yaml_id: str) -> SpecDocument:
    value = document.value
    written = value.get("base") or []
    bases = [_complete_base(base, package, yaml_id) for base in (written if isinstance(written, list) else [written])]
    partial = "id" in value
    return SpecDocument(
        package=package,
        partial=partial,
        name=f"{package}:{yaml_id}#{value['id'].lstrip('#')}" if partial else value["name"],
        bases=tuple(bases),
        content={key: item for key, item in value.items() if key not in {"id", "name", "base"}},
        place=place,
        lines=document.lines,
        repeated=document.repeated,
    )


def _complete_base(base: str, package: str, yaml_id: str) -> str:
    """Complete a reference: `#p` of the same file, `folder/file#p`, `package:folder/file#p`, or a specification."""
    match = _PARTIAL.match(base)
    if match is not None:
        return f"{match['package'] or package}:{match['path'] or yaml_id}#{match['name']}"
    parts = base.split(".")
    owner = parts[0] if len(parts) == 3 else package  # noqa: PLR2004 - package.metric.specification
    return complete_name(owner, None, base) or base


def _specification(merged: Merged, faults: list[Fault]) -> Specification | None:
    for key, line in merged.document.repeated:
        faults.append(_repeated(merged.document.place.file, key, line, subject=merged.name))
    threshold = merged.content.get("threshold")
    fault = _not_a_threshold(merged.name, threshold)
    if fault is not None or not isinstance(threshold, dict):
        place = merged.origins.get(("threshold",), merged.document.place)
        rule, message, correct = fault or ("threshold", "", "")
        faults.append(Fault(place.file, place.line, rule, message, correct, subject=merged.name, summary=message))
        return None
    if isinstance(threshold["value"], str):
        faults.append(_text_number(merged, threshold["value"]))
    query = merged.content.get("metadata_query")
    return Specification(
        name=merged.name,
        value=float(threshold["value"]),
        unit=threshold["unit"] or "",
        operator=threshold["operator"],
        metadata_query=query if isinstance(query, dict) else {},
        tags=_texts(merged.content.get("tags")),
        bases=merged.document.bases,
        place=merged.document.place,
        origins=merged.origins,
        document=merged.document,
    )


def _not_a_threshold(name: str, threshold: object) -> tuple[str, str, str] | None:
    rule, correct = "threshold", 'threshold: {value: number, unit: text, operator: "<="}'
    if not isinstance(threshold, dict):
        return rule, f"{name} has no threshold", correct
    missing = [key for key in ("value", "unit", "operator") if key not in threshold]
    if missing:
        return rule, f"the threshold of {name} has no {' and no '.join(missing)}", correct
    value, unit, comparison = threshold["value"], threshold["unit"], threshold["operator"]
    if not _is_number(value):
        return rule, f"the threshold of {name} must be a finite number, found {value!r}", correct
    if not isinstance(comparison, str) or comparison not in OPERATORS:
        return rule, f"the operator of {name} must be one of {' '.join(OPERATORS)}, found {comparison!r}", correct
    if unit is not None and not isinstance(unit, str):
        return rule, f"the unit of {name} must be text, found {unit!r}", correct
    return None


def _is_number(value: object) -> bool:
    """Tell whether a value is a finite number, or text that reads as one, as lsst.verify takes it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _text_number(merged: Merged, text: str) -> Fault:
    place = merged.origins.get(("threshold", "value"), merged.document.place)
    summary = "the threshold is text in YAML 1.1, and a number only to those who convert it"
    message = f"{merged.name}: {summary}: {text!r}"
    correct = f"value: {_yaml_number(float(text))}"
    return Fault(place.file, place.line, "text-number", message, correct, Severity.WARNING, merged.name, summary)


def _yaml_number(value: float) -> str:
    """Write a number so that YAML 1.1 reads a number: with a point before the exponent."""
    mantissa, exponent, power = repr(value).partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}{exponent}{power}"


def _repeated(file: str, key: Key, line: int, *, subject: str) -> Fault:
    dotted = ".".join(key)
    message = f"{subject}: the key {dotted} stands more than once, and the last one wins"
    summary = f"the key {dotted} stands more than once"
    return Fault(file, line, "repeated-key", message, "each key once", subject=subject, summary=summary)


def _texts(value: object) -> tuple[str, ...]:
    """Return tags as a tuple without repetition: YAML has one, a list, or none."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(dict.fromkeys(str(one) for one in values))
