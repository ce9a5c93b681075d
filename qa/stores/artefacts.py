"""A run's report and record in a place outside: what a reader needs, without pixels and repositories.

The report opens where it lies, at `<place>/<run-id>/report/index.html`, and the run's history can be rebuilt from its
journal.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qa.errors import DocumentError
from qa.journal import FILE_NAME, read_record
from qa.stores.parcels import faults_in, is_there, manifest_of, send
from qa.stores.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from qa.stores.parcels import Sent

KEPT = (FILE_NAME, "*.json", "*.md", "report/**/*", "*/*/measurements.json", "*/*/*.json", "*/*/logs/*")
"""What of a run's folder is sent."""


def push(run: Path, to: str) -> Sent:
    """Send the report and the record of a run to a place, under the run's name, and read them back.

    Raises
    ------
    PartialError
        If not all of it came there.
    NoPlaceError, PlaceError
        If there is no such place.
    """
    return send(run, names(run), Place(to) / run.name, what=_what(run))


def push_missing(runs: Iterable[Path], to: str) -> Iterator[Sent]:
    """Send those of several runs that have ended and are not there as they are now, which costs little to ask.

    Raises
    ------
    PartialError, NoPlaceError, PlaceError
        If one of them could not be sent; those before it are there.
    """
    for run in runs:
        with suppress(DocumentError):  # a damaged journal is told when its night is asked for
            ended = read_record(run).finished is not None
            if ended and not is_there(run, names(run), Place(to) / run.name, what=_what(run)):
                yield push(run, to)


def names(run: Path) -> tuple[str, ...]:
    """Return what of a run is sent: files of its own only, not what links lead to."""
    return tuple(sorted(set(_names(run))))


def _what(run: Path) -> str:
    return f"run {run.name}"


def _names(run: Path) -> Iterator[str]:
    for pattern in KEPT:
        for path in run.glob(pattern):
            if path.is_file() and path.resolve().is_relative_to(run.resolve()):
                yield path.relative_to(run).as_posix()


def verify(run_id: str, at: str) -> tuple[int, tuple[str, ...]]:
    """Read a run back from a place; return how many files it should have and what is wrong with them, a line each.

    Raises
    ------
    DocumentError
        If it was never sent there, or not all of it.
    """
    place = Place(at) / run_id
    manifest = manifest_of(place)
    return len(manifest.files), faults_in(place, manifest)
