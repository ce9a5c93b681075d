"""The shared libraries of the system that programs and modules need, as the dynamic loader finds them here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FOUND = re.compile(r"^\t(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_AT_ONCE = 100


def libraries_of(binaries: Iterable[Path], *, relocated: Path) -> dict[str, Path]:
    """Return where in an image each library goes, and where it is here.

    Libraries are kept where they are, so that the loader finds them; those below `relocated`, such as that of an
    interpreter of one's own, come to lie beside the C library.

    Raises
    ------
    InfrastructureError
        If the loader cannot be asked: only Linux has `ldd`.
    """
    found = sorted({path for several in _several(sorted(binaries)) for path in _asked(several)})
    folder = next((path.parent for path in found if path.name.startswith("libc.so")), Path("/usr/lib"))
    return {str(_place(path, relocated, folder)).lstrip("/"): path for path in found}


def _place(path: Path, relocated: Path, folder: Path) -> Path:
    inside = relocated != Path("/usr") and path.resolve().is_relative_to(relocated.resolve())
    return folder / path.name if inside else path


def _several(paths: list[Path]) -> Iterator[list[Path]]:
    yield from (paths[begin : begin + _AT_ONCE] for begin in range(0, len(paths), _AT_ONCE))


def _asked(binaries: list[Path]) -> set[Path]:
    """Ask the loader; of what is no program it says so, and names no library."""
    try:
        said = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    except OSError as error:
        msg = f"an image needs the libraries that ldd tells of, which cannot be run: {error.strerror}"
        raise InfrastructureError(msg) from error
    return {Path(name) for name in _FOUND.findall(said)}
