"""From the bytes of a foreign file to plain values: JSON with bare NaN tokens, and YAML with tags of lsst.verify."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from qa.documents import parse_json
from qa.errors import DocumentError, RequestError
from qa.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

Model = TypeVar("Model", bound=BaseModel)

_TAGGED = "!<lsst.verify."


def read_plain(path: Path, required: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a file as plain values; NaN and Infinity stay what they are, words are such as can be shown.

    Raises
    ------
    DocumentError
        If it is absent, or neither JSON nor the YAML in which a Butler keeps measurements.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(path, required=required, found=(error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError as error:
        raise DocumentError(path, required=required, found=f"bytes that are not text ({error.reason})") from None
    merge = re.search(r"^(<<<<<<<|>>>>>>>) ", text, re.MULTILINE)
    if merge:
        line = text.count("\n", 0, merge.start()) + 1
        place = f"{path}:{line}"
        raise DocumentError(place, required=required, found="a merge conflict", action="resolve it")
    return _shown(_yaml(path, text, required) if _TAGGED in text[:200] else _json(path, text, required))


def _json(path: Path, text: str, required: str) -> Any:  # noqa: ANN401
    try:
        return parse_json(text, pairs=_once)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}"
        raise DocumentError(place, required=required, found=f"text that is not JSON ({error.msg})") from None
    except RequestError as error:
        raise DocumentError(path, required=required, found=str(error)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        msg = f"the key {next(key for key in keys if keys.count(key) > 1)!r} twice in one object"
        raise RequestError(msg)
    return found


def _shown(value: Any) -> Any:  # noqa: ANN401
    """Return plain values with names and words that cannot harm a terminal or a page."""
    match value:
        case str():
            return printable(value)
        case dict():
            return {_shown(key): _shown(one) for key, one in value.items()}
        case list() if not all(isinstance(one, int | float) for one in value):  # the long ones are numbers
            return [_shown(one) for one in value]
    return value


class _Loader(yaml.SafeLoader):
    """A safe loader to which the objects of lsst.verify are mappings."""


def _mapping(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Loader.add_multi_constructor("lsst.verify.", _mapping)


def _yaml(path: Path, text: str, required: str) -> Any:  # noqa: ANN401
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # nosec B506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found = str(error).splitlines()[0]
        raise DocumentError(path, required=required, found=f"text that is not YAML ({found})") from None


def checked(path: Path, kind: type[Model], document: object, required: str) -> Model:
    """Check plain values against a model.

    Raises
    ------
    DocumentError
        If they do not fit; the message names the first key that is wrong.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        found = f"at {where}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise DocumentError(path, required=required, found=found) from None


def digest(document: object, *place: str) -> str:
    """Return what identifies the content of a file filed at a place: the same however it is laid out."""
    text = json.dumps([document, place], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def moment(text: object) -> datetime | None:
    """Return the moment a text speaks of, in UTC: ISO 8601, a run's stamp, or the tag of a daily or weekly release.

    A time without zone is taken as UTC; a release without time as the midnight that began its day, a weekly one
    (`w_2026_09`) of the Thursday of its ISO week. None if there is none in it.
    """
    if isinstance(text, datetime):
        return _utc(text)
    if not isinstance(text, str):
        return None
    try:
        return _utc(datetime.fromisoformat(text.strip()))
    except ValueError:
        with suppress(ValueError):  # a thirteenth month only looks like a date
            return _in_a_name(text)
    return None


def _in_a_name(text: str) -> datetime | None:
    if found := re.search(r"\d{8}T\d{6}Z", text):
        return datetime.strptime(found[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if found := re.search(r"\bd_(\d{4})_(\d\d)_(\d\d)\b", text):
        year, month, day = (int(part) for part in found.groups())
        return _midnight(date(year, month, day))
    if found := re.search(r"\bw_(\d{4})_(\d\d)\b", text):
        year, week = (int(part) for part in found.groups())
        return _midnight(date.fromisocalendar(year, week, 4))
    return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
