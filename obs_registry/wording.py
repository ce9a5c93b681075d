"""Words pydantic's errors as faults: which key of which file on which line, what was required, what was found."""

from __future__ import annotations

from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from obs_registry.errors import Fault
from obs_registry.model import FAULT, PATTERNS, Camera
from obs_registry.services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from obs_registry.document import Document

_DATE = "a date written like 2026-11-22"
_REQUIRED = {
    "date_from_datetime_inexact": "a date without a time of day",
    "date_from_datetime_parsing": _DATE,
    "date_type": _DATE,
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number greater than {gt:g}",
    "int_type": "a whole number",
    "missing": "this key",
    "model_type": "a mapping",
    "string_too_short": "text that is not empty",
    "string_type": "text",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}
_LONGEST = 60


def faults_of(error: ValidationError, document: Document, file: str) -> tuple[Fault, ...]:
    """Word every fault a camera entry was refused for."""
    root = Service if error.title == Service.__name__ else Camera
    return tuple(_fault(detail, document, file, root) for detail in error.errors())


def shown(value: object) -> str:
    """Describe a value that was found, in few words."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return f"a list of {len(value)}"
        case date():
            return str(value)
        case "":
            return "no text"
        case _:
            text = repr(value)
            return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _fault(detail: ErrorDetails, document: Document, file: str, root: type[BaseModel]) -> Fault:
    location = detail["loc"]
    required, found = _required_and_found(detail, document.value, root)
    # pydantic marks a fault of a mapping's key, rather than of its value, by this last part
    key = ".".join(str(part) for part in location if part != "[key]")
    return Fault(file, document.line(*location), key, required, found)


def _required_and_found(detail: ErrorDetails, entry: object, root: type[BaseModel]) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == FAULT:
        return context["required"], context["found"]
    if kind == "extra_forbidden":
        return _known_key(detail["loc"], entry, root)
    found = "nothing" if kind == "missing" else shown(detail["input"])
    if kind == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]], found
    if kind in _REQUIRED:
        return _REQUIRED[kind].format(**context), found
    return detail["msg"].removeprefix("Input should be "), found


def _known_key(location: tuple[int | str, ...], entry: object, root: type[BaseModel]) -> tuple[str, str]:
    known = sorted(_model_around(location, entry, root).model_fields)
    close = get_close_matches(str(location[-1]), known, n=1)
    return f"one of the keys {', '.join(known)}", "an unknown key" + (f" (meant: {close[0]}?)" if close else "")


def _model_around(
    location: tuple[int | str, ...],
    entry: Any,  # noqa: ANN401 - what YAML can say
    root: type[BaseModel],
) -> type[BaseModel]:
    """Find the model one of whose keys `location` would be; where there are several, the one of the entry's kind."""
    models: tuple[type[BaseModel], ...] = (root,)
    for part in location[:-1]:
        if isinstance(part, str):
            models = tuple(_models_in(_of_kind(models, entry).model_fields[part].annotation))
        entry = entry[part]
    return _of_kind(models, entry)


def _of_kind(models: tuple[type[BaseModel], ...], entry: dict[str, Any]) -> type[BaseModel]:
    if len(models) == 1:
        return models[0]
    return next(model for model in models if entry["kind"] in get_args(model.model_fields["kind"].annotation))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any type form
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
