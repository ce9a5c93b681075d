"""The merge rules of lsst.verify: bases from left to right, then the document itself.

Two mappings are merged key by key, two lists are appended, else the newer value wins. Merging is associative as long
as every key holds one kind of value throughout: mappings, lists, or neither. Where a key holds a list here and
plain text there it is not: `[1] + (text + [2])` is `[1, 2]`, `([1] + text) + [2]` is `[2]`. References may point
forward, also into other files: documents whose bases are all known are merged, again and again, until none is left
or none can be. Those left are unresolved.

No base is lost while a document waits, so that the result does not depend on the order of files and documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qa.requirements.faults import Fault, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qa.requirements.verify.model import Key, SpecDocument


@dataclass(frozen=True, slots=True)
class Merged:
    """A document with everything inherited: complete name, content, and where each value was taken from."""

    name: str
    document: SpecDocument
    content: Mapping[str, Any]
    origins: Mapping[Key, Place]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Every document that could be merged, the partials by complete name, and what went wrong."""

    specifications: tuple[Merged, ...]
    partials: Mapping[str, Merged]
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class _State:
    known: dict[str, Merged] = field(default_factory=dict)
    specifications: list[Merged] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def merge(base: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two contents; neither is changed."""
    return {**base, **{key: _merged_value(base[key], new) if key in base else new for key, new in newer.items()}}


def resolve(documents: Iterable[SpecDocument]) -> Resolution:
    """Merge all documents with what they are based on; what cannot be is a fault."""
    state = _State()
    waiting = list(documents)
    while waiting:
        left = [document for document in waiting if not _resolved(document, state)]
        if len(left) == len(waiting):
            state.faults += [_unresolved(document, state.known) for document in left]
            break
        waiting = left
    partials = {name: one for name, one in state.known.items() if one.document.partial}
    return Resolution(tuple(state.specifications), partials, tuple(state.faults))


def _merged_value(old: Any, new: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return merge(old, new)
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    return new


def _resolved(document: SpecDocument, state: _State) -> bool:
    """Merge a document if its bases are known, and tell whether that was so."""
    if any(base not in state.known for base in document.bases):
        return False
    merged = _with_bases(document, state.known)
    if not document.partial:
        name = complete_name(document.package, merged.content.get("metric"), document.name)
        if name is None:
            state.faults.append(_nameless(document))
            return True
        merged = replace(merged, name=name)
        state.specifications.append(merged)
    if merged.name in state.known:
        state.faults.append(_twice(merged, state.known[merged.name]))
    state.known[merged.name] = merged
    return True


def _with_bases(document: SpecDocument, known: Mapping[str, Merged]) -> Merged:
    content: dict[str, Any] = {}
    origins: dict[Key, Place] = {}
    for base in (known[name] for name in document.bases):
        content = merge(content, base.content)
        origins |= base.origins
        if not base.document.partial:  # a specification hands on which metric it is of
            content["metric"] = base.name.rpartition(".")[0]
    content = merge(content, document.content)
    file = document.place.file
    origins |= {key: Place(file, line) for key, line in document.lines.items()}
    return Merged(document.name, document, content, origins)


def complete_name(package: str, metric: object, name: str) -> str | None:
    """Return `package.metric.specification`, None where the metric is not known or the parts contradict each other.

    `metric` may be `metric` or `package.metric`, `name` may carry its metric, or metric and package, in front.
    """
    parts = [part for part in (metric, name) if isinstance(part, str)]
    split = parts[-1].split(".")
    from_name = split[:-1]
    from_metric = parts[0].split(".") if len(parts) > 1 else []
    metrics = {owner[-1] for owner in (from_name, from_metric) if owner}
    packages = {package, *(owner[0] for owner in (from_name, from_metric) if len(owner) > 1)}
    if len(metrics) != 1 or len(packages) != 1 or max(len(from_name), len(from_metric)) > 2:  # noqa: PLR2004
        return None
    return f"{package}.{metrics.pop()}.{split[-1]}"


def _unresolved(document: SpecDocument, known: Mapping[str, Merged]) -> Fault:
    missing = [base for base in document.bases if base not in known]
    message = f"{document.name} is based on {', '.join(missing)}, which cannot be resolved"
    near = sorted({close for base in missing for close in _similar(base, known)})
    correct = f"one of {', '.join(near)}" if near else "a partial or specification of the package"
    return _fault(document, "unresolved", message, correct)


def _similar(base: str, known: Iterable[str]) -> Iterator[str]:
    """Find known names that end like a base: a wrong folder or package is the usual slip."""
    mark = "#" if "#" in base else "."
    end = base.rpartition(mark)[2]
    yield from [name for name in known if mark in name and name.rpartition(mark)[2] == end][:3]


def _nameless(document: SpecDocument) -> Fault:
    message = f"specification {document.name!r} says, by itself or through its bases, no metric it agrees with"
    return _fault(document, "no-metric", message, "metric: the metric that is tested")


def _twice(merged: Merged, before: Merged) -> Fault:
    message = f"{merged.name} is defined again and replaces that of {before.document.place}"
    return _fault(merged.document, "defined-twice", message, "a name of its own, or one of the two removed")


def _fault(document: SpecDocument, rule: str, message: str, correct: str) -> Fault:
    place = document.place
    return Fault(place.file, place.line, rule, message, correct, subject=document.name, summary=message)
