"""Small archives of a folder: packed so that the same files give the same bytes, unpacked as what strangers send.

What is unpacked stays in its folder, is a file or a folder, and is no larger than was agreed.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from qa.documents import atomic_open
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 64 * 2**20
"""Largest size of an archive's content."""

MOST_FILES = 4000
LONGEST_NAME = 240
_REQUIRED = "an archive that `obsqa reproduce` made"
_PLAIN = re.compile(r"[\w@%+=.,-][\w@%+=., -]*")
_CHUNK = 2**20
_PRIVATE, _EXECUTABLE = 0o644, 0o755


def pack(folder: Path, path: Path) -> int:
    """Write the files of a folder as an archive, under the folder's name; return its size in bytes.

    Raises
    ------
    DiskFullError
        If there is no space for it; nothing is left behind.
    """
    # Without a name and a time in its head, so that the same files make the same archive.
    with (
        atomic_open(path) as stream,
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            _add(tar, file, f"{folder.name}/{file.relative_to(folder).as_posix()}")
    return path.stat().st_size


def _add(tar: tarfile.TarFile, file: Path, name: str) -> None:
    content = file.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), _EXECUTABLE if file.stat().st_mode & 0o100 else _PRIVATE
    tar.addfile(entry, io.BytesIO(content))


def unpack(path: Path, into: Path) -> Path:
    """Unpack an archive into a folder and return the one folder that is in it.

    Raises
    ------
    DocumentError
        If it is none of ours: damaged, too large, or with names that leave the folder, links or devices.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=_content(path)) as tar:
            for entry in _entries(tar, path):
                target = into / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(entry)
                if source is not None:
                    target.write_bytes(source.read())
                    target.chmod(_EXECUTABLE if entry.mode & 0o100 else _PRIVATE)
    except (tarfile.TarError, UnicodeError, ValueError) as error:
        raise DocumentError(path, required=_REQUIRED, found=f"a damaged one ({_line(error)})") from None
    except OSError as error:
        raise DocumentError(path, required=_REQUIRED, found=f"one that cannot be unpacked ({_line(error)})") from None
    tops = sorted(into.iterdir())
    if len(tops) != 1 or not tops[0].is_dir():
        raise DocumentError(path, required=_REQUIRED, found=f"{len(tops)} things instead of one folder")
    return tops[0]


def _content(path: Path) -> IO[bytes]:
    """Return the archive without its compression, which may hide any size."""
    content = io.BytesIO()
    try:
        with gzip.open(path) as packed:
            while chunk := packed.read(_CHUNK):
                if content.tell() + len(chunk) > MOST_BYTES:
                    found = f"more than {MOST_BYTES // 2**20} MiB"
                    raise DocumentError(path, required=f"{_REQUIRED}, and those are small", found=found)
                content.write(chunk)
    except FileNotFoundError:
        raise DocumentError(path, required=_REQUIRED, found="no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        found = f"a file that is no archive, or a damaged one ({_line(error)})"
        raise DocumentError(path, required=_REQUIRED, found=found) from None
    content.seek(0)
    return content


def _entries(tar: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    """Yield the files of an archive, each of which is looked at before anything of it is written."""
    seen: set[str] = set()
    for entry in tar:
        if len(seen) >= MOST_FILES:
            raise DocumentError(path, required=_REQUIRED, found=f"more than {MOST_FILES} files")
        if not (entry.isfile() or entry.isdir()):
            raise DocumentError(path, required=f"{_REQUIRED}, of plain files", found=f"{entry.name[:80]!r}")
        if not is_inside(entry.name) or entry.name in seen:
            required = f"{_REQUIRED}, with names that stay in its folder"
            raise DocumentError(path, required=required, found=f"{entry.name[:80]!r}")
        seen.add(entry.name)
        if entry.isfile():
            yield entry


def is_inside(name: str) -> bool:
    """Tell whether a name is a plain path that stays in the folder it is seen from."""
    parts = PurePosixPath(name).parts
    plain = all(_PLAIN.fullmatch(part) and part.strip(".") for part in parts)
    return bool(parts) and plain and len(name) <= LONGEST_NAME


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
