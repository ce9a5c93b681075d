"""What was tried: one trial a line, on the disk before the next one begins, so that none is made twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic resolves the annotations at run time
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from qa.bisect.outcome import Combination  # noqa: TC001
from qa.documents import SCHEMA, from_plain, parse_json, to_plain
from qa.errors import DocumentError
from qa.lines import LineFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = "trials.jsonl"


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value; a plain number has no unit."""

    value: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A trial that was made: what it measured by name, or why it could not be.

    `key` is the digest of all it depends on, `repeat` counts trials of the same combination from 0.
    """

    key: str
    combination: Combination
    repeat: int
    values: dict[str, Value]
    reason: str
    cpu_seconds: float
    wall_seconds: float
    when: datetime


def key_of(combination: Mapping[str, str], repeat: int, depends: Mapping[str, Any]) -> str:
    """Return the digest of a combination of commits, the data set and the configuration."""
    body = {"combination": dict(combination), "repeat": repeat, "depends": depends}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class TrialJournal:
    """The trials of a bisect, held open by the one process that may add to them."""

    def __init__(self, path: Path) -> None:
        self._file = LineFile(path)
        try:
            self.known = read_trials(path)
        except DocumentError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, done: Done) -> None:
        """Write a trial; it is on the disk when this returns.

        Raises
        ------
        DiskFullError
            If there is no space; what was written before stays readable.
        """
        self._file.append({"schema": SCHEMA, **to_plain(done, Done)})
        self.known[done.key] = done

    def forget_skipped(self) -> None:
        """Let trials that said nothing be made again; the journal keeps them until then."""
        self.known = {key: done for key, done in self.known.items() if not done.reason}


def read_trials(path: Path) -> dict[str, Done]:
    """Read the trials of a journal by their keys.

    Raises
    ------
    DocumentError
        If a line is not a trial of a schema this version knows.
    """
    found: dict[str, Done] = {}
    lines = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        done = _parse(f"{path}:{number}", line)
        found[done.key] = done
    return found


def _parse(place: str, line: bytes) -> Done:
    required = f"a trial of schema {SCHEMA}"
    try:
        body = parse_json(line)
        if not isinstance(body, dict) or body.pop("schema", None) != SCHEMA:
            raise DocumentError(place, required=required, found=line[:60].decode(errors="replace"))
        done: Done = from_plain(body, Done)
    except ValidationError as error:
        raise DocumentError(place, required=required, found=error.errors()[0]["msg"]) from None
    except ValueError as error:
        raise DocumentError(place, required=required, found=str(error)) from None
    return done
