"""Digests of the files of a folder, written when it is whole, by which later damage is found."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from qa.documents import read_document, write_document
from qa.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "digests.json"
_DOCUMENT = "digests"


def seal(folder: Path) -> None:
    """Write down the digests of all files of a folder."""
    write_document(folder / FILE_NAME, _DOCUMENT, _digests(folder), dict[str, str])


def damage(folder: Path) -> str:
    """Say what of a sealed folder is not as it was: the first such file; empty where all is."""
    try:
        sealed: dict[str, str] = read_document(folder / FILE_NAME, _DOCUMENT, dict[str, str])
    except DocumentError as error:
        return f"{FILE_NAME}: {error.found}"
    try:
        found = _digests(folder)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    wrong = sorted(name for name in sealed.keys() | found.keys() if sealed.get(name) != found.get(name))
    if not wrong:
        return ""
    name = wrong[0]
    if name not in found:
        return f"{name} is gone"
    return f"{name} is not what was drawn" if name in sealed else f"{name} was not drawn"


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE_NAME)
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
