"""The append-only record of a run: one JSON event a line, flushed to the disk before the next step begins.

A process killed in mid-write leaves a torn last line, which is dropped; a torn line elsewhere is an error.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Any, Self

from qa.documents import SCHEMA, from_plain, parse_json, to_plain
from qa.errors import DocumentError
from qa.lines import LineFile
from qa.record import Entry, Event, RunRecord, replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

FILE_NAME = "journal.jsonl"


def _event_type() -> Any:  # noqa: ANN401 - a type form
    from pydantic import Field  # noqa: PLC0415 - see qa.documents

    return Annotated[Event, Field(discriminator="event")]


class Journal:
    """A run's journal, held open by the one process that may write it."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path, self._clock = path, clock
        self._kind = _event_type()
        self._file = LineFile(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the run."""
        self._file.close()

    def append(self, event: Event) -> None:
        """Write one event; it is on the disk when this returns.

        Raises
        ------
        DiskFullError
            If there is no space; what was written before stays readable.
        """
        self._file.append({"schema": SCHEMA, "when": self._clock().isoformat(), **to_plain(event, self._kind)})

    def record(self) -> RunRecord | None:
        """Sum what was written so far."""
        return replay(read_entries(self._path))


def read_entries(path: Path) -> Iterator[Entry]:
    """Read a journal's events in order.

    Raises
    ------
    DocumentError
        If a line before the last is not an event of a schema this version knows.
    """
    kind = _event_type()
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        raise DocumentError(path, required="a run's journal", found="no such file") from None
    # What follows the last newline is empty, or the line a killed process was writing.
    for number, line in enumerate(lines[:-1], start=1):
        yield _entry(path, number, line, kind)


def _entry(path: Path, number: int, line: bytes, kind: Any) -> Entry:  # noqa: ANN401
    from datetime import datetime  # noqa: PLC0415 - shadowed for typing only

    place, required = f"{path}:{number}", f"an event of schema {SCHEMA}"
    try:
        body = parse_json(line)
        if not isinstance(body, dict) or body.pop("schema", None) != SCHEMA:
            raise DocumentError(place, required=required, found=line[:60].decode(errors="replace"))
        return Entry(datetime.fromisoformat(body.pop("when")), from_plain(body, kind))
    except (ValueError, KeyError, TypeError) as error:
        found = str(error).splitlines()[0]
        raise DocumentError(place, required=required, found=found) from None


def read_record(run: Path) -> RunRecord:
    """Sum the journal of a run's folder.

    Raises
    ------
    DocumentError
        If there is no journal, or it holds no start.
    """
    record = replay(read_entries(run / FILE_NAME))
    if record is None:
        raise DocumentError(run / FILE_NAME, required="a journal with a start", found="none")
    return record


def runs_under(folder: Path) -> list[Path]:
    """Return the folders of runs, oldest first: run ids begin with their date and sort by time."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(entry for entry in folder.iterdir() if (entry / FILE_NAME).is_file())
    return []
