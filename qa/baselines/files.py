"""The files of accepted baselines, one of them a data set: reading what people edit and git merges, and writing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from obs_registry.document import Document, YamlError
from obs_registry.document import parse as parse_lines
from qa.baselines.ledger import Absent, Place, Value, accepted_of, state_of
from qa.documents import SCHEMA, atomic_open, parse_json
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from qa.judging.compare import Accepted, Key

_ORDER = ("metric", "band", "tract", "task")
_CONFLICT = ("<<<<<<<", ">>>>>>>", "|||||||")


class _ValueLine(Place, Value):
    """A line of a baseline file with a value."""


class _AbsentLine(Place, Absent):
    """A line of a baseline file with an accepted absence."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Literal["baselines"]
    number: Literal[1] = Field(alias="schema")
    camera: str
    dataset: str
    accepted: tuple[_ValueLine | _AbsentLine, ...]


class _Faulty(Exception):  # noqa: N818 - never leaves this module
    """What is wrong with a text, and at which key."""

    def __init__(self, found: str, *key: str | int) -> None:
        self.found, self.key = found, key


def path_of(root: Path, camera: str, dataset: str) -> Path:
    """Return where the baselines of a data set are."""
    return root / "baselines" / camera / f"{dataset}.json"


def load(root: Path, camera: str, dataset: str) -> dict[Key, Accepted]:
    """Read what was accepted for a data set: baselines, and absences as `Unmeasured`. Empty without a file.

    Raises
    ------
    DocumentError
        If the file is not what `accept` writes; the message has the line.
    """
    path = path_of(root, camera, dataset)
    if not path.is_file():
        return {}
    required = f"baselines of {camera}/{dataset}, schema {SCHEMA}, one a line"
    text = read_text(path, required)
    try:
        return _accepted(_parsed(text), camera, dataset)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}"
        raise DocumentError(place, required=required, found=f"text that is not JSON ({error.msg})") from None
    except _Faulty as fault:
        place = f"{path}:{_line_of(text, *fault.key)}"
        raise DocumentError(place, required=required, found=fault.found) from None


def load_all(root: Path) -> dict[Key, Accepted]:
    """Read what was accepted for every data set of every camera."""
    found: dict[Key, Accepted] = {}
    for camera, dataset in data_sets(root):
        found |= load(root, camera, dataset)
    return found


def data_sets(root: Path) -> list[tuple[str, str]]:
    """Return the cameras and data sets that have a file, in their order."""
    return sorted((path.parent.name, path.stem) for path in (root / "baselines").glob("*/*.json"))


def write(root: Path, camera: str, dataset: str, accepted: Iterable[Accepted]) -> None:
    """Write the baselines of a data set, all of them or nothing."""
    with atomic_open(path_of(root, camera, dataset)) as stream:
        stream.write(rendered(camera, dataset, accepted).encode())


def rendered(camera: str, dataset: str, accepted: Iterable[Accepted]) -> str:
    """Return the text of a baseline file: one line for each metric, sorted."""
    lines = sorted((_line(one) for one in accepted), key=lambda line: [str(line.get(key, "")) for key in _ORDER])
    written = ",\n".join(json.dumps(line, sort_keys=True, allow_nan=False, ensure_ascii=False) for line in lines)
    head = json.dumps({"camera": camera, "dataset": dataset, "document": "baselines", "schema": SCHEMA})
    body = f"\n{written}\n" if written else ""
    return f'{{"accepted": [{body}],\n{head[1:]}\n'


def line_of(root: Path, key: Key) -> int | None:
    """Return the line of a metric and scope in the file of its data set, None where there is none."""
    path = path_of(root, key[1].camera, key[1].dataset)
    if path.is_file():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if f'"metric": {json.dumps(key[0])}' in line and _is_of(line, key):
                return number
    return None


def read_text(path: Path, required: str) -> str:
    """Read a file that people edit and git merges.

    Raises
    ------
    DocumentError
        If it is not text, or git left a conflict in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(path, required=required, found=f"bytes that are not UTF-8 ({error.reason})") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(_CONFLICT) or line == "=======":
            place = f"{path}:{number}"
            raise DocumentError(place, required=required, found="a merge conflict", action="resolve it")
    return text


def _parsed(text: str) -> _File:
    try:
        return _File.model_validate(parse_json(text, pairs=_mapping))
    except ValidationError as error:
        first = error.errors()[0]
        key = [part for part in first["loc"] if not str(part).startswith("_")]
        where = ".".join(map(str, key)) or "the top"
        got = f", got {first['input']!r}" if isinstance(first["input"], str | int | float) else ""
        msg = f"{first['msg']} at {where}{got}"
        raise _Faulty(msg, *key) from None


def _accepted(file: _File, camera: str, dataset: str) -> dict[Key, Accepted]:
    if (file.camera, file.dataset) != (camera, dataset):
        msg = f"baselines of {file.camera}/{file.dataset}"
        raise _Faulty(msg, "camera")
    found: dict[Key, Accepted] = {}
    for index, line in enumerate(file.accepted):
        one = accepted_of(line, line, camera, dataset)
        if (one.metric, one.scope) in found:
            msg = f"two lines of {one.metric} of {one.scope}"
            raise _Faulty(msg, "accepted", index)
        found[one.metric, one.scope] = one
    return found


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON, in which no key may stand twice."""
    body = dict(pairs)
    if len(body) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        of = f" of {body['metric']}" if "metric" in body else ""
        msg = f"the key {twice!r} twice{of}"
        raise _Faulty(msg, twice)
    return body


def _line_of(text: str, *key: str | int) -> int:
    """Return the line of a key: JSON is YAML, whose parser keeps the lines."""
    try:
        document: Document = parse_lines(text)
    except YamlError:
        return 1
    repeated = [line for where, line in document.repeated if where[-1:] == key]
    return repeated[0] if repeated else document.line(*key)


def _line(one: Accepted) -> dict[str, Any]:
    place = Place(metric=one.metric, band=one.scope.band, tract=one.scope.tract, task=one.scope.task)
    state = state_of(one)
    return (place.model_dump() | state.model_dump()) if state else place.model_dump()


def _is_of(line: str, key: Key) -> bool:
    try:
        body = json.loads(line.rstrip().rstrip(","))
    except ValueError:
        return False
    scope = key[1]
    return (body.get("band"), body.get("tract"), body.get("task")) == (scope.band, scope.tract, scope.task)
