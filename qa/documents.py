"""JSON documents on disk: a schema number, sorted keys, no NaN, written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from qa.errors import DiskFullError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import TypeAdapter

SCHEMA = 1
_ENDLESS = "values nested without end"


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - any type form pydantic knows
    from pydantic import TypeAdapter  # noqa: PLC0415 - costs a tenth of a second that `--help` does not have

    return TypeAdapter(kind)


def parse_json(text: str | bytes, *, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:  # noqa: ANN401
    """Read JSON from whatever text or bytes there are; `pairs` makes an object of its keys and values.

    Raises
    ------
    json.JSONDecodeError
        If they are none: also where they are no text, nested without end, or hold a number of thousands of digits.
    """
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise json.JSONDecodeError(_ENDLESS, "", 0) from None
    except ValueError as error:
        raise json.JSONDecodeError(str(error), "", 0) from None


def to_plain(value: object, kind: Any) -> Any:  # noqa: ANN401 - any type form in, any JSON value out
    """Turn a value of type `kind` into plain JSON values."""
    return _adapter(kind).dump_python(value, mode="json")


def from_plain(value: object, kind: Any) -> Any:  # noqa: ANN401 - the caller names the type
    """Turn plain JSON values into a value of type `kind`.

    Raises
    ------
    pydantic.ValidationError
        If they are not of that type.
    """
    return _adapter(kind).validate_python(value)


@contextmanager
def atomic_open(path: Path) -> Iterator[IO[bytes]]:
    """Write a file so that readers see all of it or none.

    Raises
    ------
    DiskFullError
        If there is no space left; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(path) from error
        raise
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_document(path: Path, name: str, value: object, kind: Any) -> None:  # noqa: ANN401
    """Write `value`, of type `kind`, as a document called `name`."""
    body = {"document": name, "schema": SCHEMA, name: to_plain(value, kind)}
    text = json.dumps(body, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
    with atomic_open(path) as stream:
        stream.write(text.encode() + b"\n")


def read_document(path: Path, name: str, kind: Any, *, action: str = "") -> Any:  # noqa: ANN401
    """Read a document called `name` whose value is of type `kind`; `action` is what to do when it is not.

    Raises
    ------
    DocumentError
        If the file is absent, not JSON, another document, or of a schema this version does not know.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    required = f"a document {name!r} of schema {SCHEMA}"
    try:
        body = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise DocumentError(path, required=required, found="no such file", action=action) from None
    except ValueError as error:
        raise DocumentError(path, required=required, found=f"text that is not JSON ({error})", action=action) from None
    if not isinstance(body, dict) or body.get("document") != name or body.get("schema") != SCHEMA:
        found = f"{body.get('document')!r} of schema {body.get('schema')!r}" if isinstance(body, dict) else "no mapping"
        raise DocumentError(path, required=required, found=found, action=action)
    try:
        return from_plain(body.get(name), kind)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DocumentError(path, required=required, found=f"{first['msg']} at {where}", action=action) from None
