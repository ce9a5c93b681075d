"""Files of an image as a tar that is the same whenever its contents are: in order, of no time and nobody's.

Sources of Python come with their compiled form, which is not checked against them: an image is read only.
"""

from __future__ import annotations

import io
import marshal
import tarfile
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ci.images.contents import Entry

_UNCHECKED_HASH = (0b01).to_bytes(4, "little")


def write_tar(stream: IO[bytes], entries: Iterable[Entry]) -> None:
    """Write files and the folders they are in."""
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        made: set[str] = set()
        for entry in entries:
            for folder in _new_folders(entry.path, made):
                tar.addfile(_folder(folder, 0o755))
            _add(tar, entry, made)


def _new_folders(path: str, made: set[str]) -> Iterator[str]:
    for parent in reversed(PurePosixPath(path).parents):
        name = str(parent)
        if name != "." and name not in made:
            made.add(name)
            yield name


def _add(tar: tarfile.TarFile, entry: Entry, made: set[str]) -> None:
    if entry.link is not None:
        info = tarfile.TarInfo(entry.path)
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
        tar.addfile(info)
        return
    data = entry.source.read_bytes() if entry.source is not None else entry.data
    if data is None:
        if entry.path not in made:
            made.add(entry.path)
            tar.addfile(_folder(entry.path, entry.mode))
        return
    _add_file(tar, entry.path, data, entry.mode)
    if is_compiled(entry.path) and (code := compiled(data, f"/{entry.path}")):
        cache = PurePosixPath(cache_from_source(entry.path))
        for folder in _new_folders(str(cache), made):
            tar.addfile(_folder(folder, 0o755))
        _add_file(tar, str(cache), code, 0o644)


def is_compiled(path: str) -> bool:
    """Tell whether a file gets a compiled form: tests that packages bring with them would take a third of the time."""
    return path.endswith(".py") and "/tests/" not in path


def compiled(source: bytes, path: str) -> bytes:
    """Return a source as Python keeps it compiled; nothing for what is no Python, as templates are."""
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return b""
    return MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)


def _add_file(tar: tarfile.TarFile, path: str, data: bytes, mode: int) -> None:
    info = tarfile.TarInfo(path)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))


def _folder(path: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info
