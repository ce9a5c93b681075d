"""Compiling the inner loops, with the compiled code kept between processes where that is possible.

Numba renews what it keeps when the file of a loop changes, but not when a function or constant that the loop takes
from another module does. So the code is kept under a digest of the loop's module and of every module of ours that it
imports: beside the module, else in the user's cache folder, or in `NUMBA_CACHE_DIR` when set. Where none of them can
be written (a read-only installation without a home) the loops are compiled anew in each process.
Fast-math and threads stay off: results must not depend on the order of additions.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
R = TypeVar("R")

ROOT = Path(__file__).resolve().parents[3]
_IMPORT = re.compile(rb"^\s*(?:from (qa[\w.]*) import ([^\n(]+|\([^)]*\))|import (qa[\w.]*))", re.MULTILINE)


_waiting: set[Path] = set()


def is_cold() -> bool:
    """Tell whether loops of this process had nothing kept for them when they were defined, and have a place for it."""
    return bool(_waiting)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` to machine code, cached on disk if there is a place for it."""
    given = numba.config.CACHE_DIR
    here = place(function.__module__, given)
    numba.config.CACHE_DIR = str(here)
    nothing_kept = not here.is_dir()
    try:
        fast: Callable[P, R] = numba.njit(function, cache=True, nogil=True)
        _waiting.update({here} if nothing_kept else ())
    except RuntimeError:  # numba: "no locator available"
        fast = numba.njit(function, nogil=True)
    finally:
        numba.config.CACHE_DIR = given
    return fast


@cache
def place(module: str, given: str) -> Path:
    """Return the folder for the loops of a module as it is now, after removing those of its earlier states."""
    folder = Path(given) if given else ROOT.joinpath(*module.split(".")[:-1]) / "__pycache__"
    place = folder / f"{module}-{digest(module)}"
    if not place.is_dir():
        for earlier in folder.glob(f"{module}-*"):
            shutil.rmtree(earlier, ignore_errors=True)
    return place


def digest(module: str, *, root: Path = ROOT) -> str:
    """Return a digest of the sources of a module and of all modules of `qa` below `root` that it rests on."""
    found: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        source = None if name in found else _source(name, root)
        if source is not None:
            found[name] = source
            waiting += _imports(source)
    return hashlib.sha256(b"\0".join(found[name] for name in sorted(found))).hexdigest()[:16]


def _source(module: str, root: Path) -> bytes | None:
    base = root.joinpath(*module.split("."))
    path = next((one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()), None)
    return path.read_bytes() if path else None


def _imports(source: bytes) -> Iterator[str]:
    """Yield the modules a source may import: of `from package import name`, the package and the name in it."""
    for package, names, whole in _IMPORT.findall(source):
        parent = (package or whole).decode()
        yield parent
        yield from (f"{parent}.{name}" for name in re.findall(r"\w+", names.decode()))
