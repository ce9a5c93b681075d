"""What a bisect learnt, as evidence for blame: kept beside its trials, and read when the run it was about is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.blame import Trial
from qa.documents import read_document, write_document
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FOLDER = "bisect"
"""Folder, in that of the runs, with one for each pair of runs between which was searched: `GOOD..BAD`."""

FILE_NAME = "swaps.json"
_DOCUMENT = "swaps"


def folder_of(runs: Path, good: str, bad: str) -> Path:
    """Return where the bisect between two runs works."""
    return runs / FOLDER / f"{good}..{bad}"


def keep(folder: Path, swaps: tuple[Trial, ...]) -> None:
    """Keep what a bisect learnt, in its folder."""
    write_document(folder / FILE_NAME, _DOCUMENT, swaps, tuple[Trial, ...])


def known(runs: Path, bad: str, say: Callable[[str], None]) -> Iterator[Trial]:
    """Yield what bisects learnt of a run; `say` is told of files that cannot be read."""
    for path in sorted((runs / FOLDER).glob(f"*/{FILE_NAME}")):
        if path.parent.name.endswith(f"..{bad}"):
            try:
                yield from read_document(path, _DOCUMENT, tuple[Trial, ...])
            except DocumentError as error:
                say(f"warning: what a bisect learnt is left out: {error}")
