"""What goes into an image of obsqa: the interpreter, the packages it needs, the system's libraries and some tools.

The image holds the very files of the environment that runs now, so that it measures the same numbers; and it can be
made where neither a registry of images nor an index of packages can be reached. Inside, the interpreter is at
`/opt/python` and a virtual environment at `/opt/obsqa`.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ci.images.installed import needed
from ci.images.libraries import libraries_of
from qa.errors import InfrastructureError
from qa.locations import regression_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import Distribution

PYTHON, HOME = "opt/python", "opt/obsqa"
OWN = ("ci", "obs_registry", "qa", "reports")
TOOLS = (
    "bash",
    "cat",
    "cp",
    "env",
    "grep",
    "head",
    "id",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sh",
    "sleep",
    "tail",
)
_NEEDED_TOOLS = frozenset({"sh", "cat"})
_NOT_OF_STANDARD_LIBRARY = frozenset(
    {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"}
)
_SKIPPED = frozenset({"__pycache__", "direct_url.json", "INSTALLER", "REQUESTED"})
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_SITE = f"{HOME}/lib/{_VERSION}/site-packages"
_EXECUTABLE = 0o755

_ACCOUNTS = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n"
_GROUPS = b"root:x:0:\nnogroup:x:65534:\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an image: a copy of `source`, or `data`, or a symbolic link to `link`, or else a folder."""

    path: str
    source: Path | None = None
    data: bytes | None = None
    link: str | None = None
    mode: int = 0o644


def entries() -> dict[str, Entry]:
    """Return all files of an image of obsqa by their path.

    Raises
    ------
    InfrastructureError
        If something that is needed is not installed here.
    """
    return complete((*_interpreter(), *_environment(), *_packages(), *tools()))


def complete(files: Iterable[Entry]) -> dict[str, Entry]:
    """Return files by their path, with the libraries they need and what every system has.

    Raises
    ------
    InfrastructureError
        If the dynamic loader cannot be asked for the libraries.
    """
    given = tuple(files)
    found = {one.path: one for one in (*_system(), *given)}
    inside = {one.source.resolve() for one in given if one.source is not None}
    binaries = [one.source for one in given if one.source is not None and _is_binary(one)]
    for place, source in libraries_of(binaries, relocated=Path(sys.base_prefix)).items():
        if source.resolve() not in inside:
            found.setdefault(place, Entry(place, source=source, mode=_EXECUTABLE))
    return dict(sorted(found.items()))


def _system() -> Iterator[Entry]:
    for folder in ("dev", "proc", "sys", "opt", "usr/bin", "var", "work"):
        yield Entry(folder, mode=_EXECUTABLE)
    yield Entry("tmp", mode=0o1777)
    yield Entry("etc/passwd", data=_ACCOUNTS)
    yield Entry("etc/group", data=_GROUPS)
    yield Entry("etc/nsswitch.conf", data=b"passwd: files\ngroup: files\nhosts: files\n")
    locale = Path("/usr/lib/locale/C.utf8")
    if locale.is_dir():
        yield from _tree(locale, "usr/lib/locale/C.utf8")


def tools() -> Iterator[Entry]:
    """Yield a shell and the programs that scripts use most."""
    for name in TOOLS:
        found = shutil.which(name)
        if found is not None:
            yield Entry(f"bin/{name}", source=Path(found).resolve(), mode=_EXECUTABLE)
        elif name in _NEEDED_TOOLS:
            msg = f"an image needs the program {name}, which is not on PATH"
            raise InfrastructureError(msg)
    yield Entry("usr/bin/env", link="/bin/env")


def _interpreter() -> Iterator[Entry]:
    """Yield the interpreter that this environment was made from, and the standard library."""
    source = Path(sys.executable).resolve()
    yield Entry(f"{PYTHON}/bin/{_VERSION}", source=source, mode=_EXECUTABLE)
    library = Path(sysconfig.get_path("stdlib"))
    yield from _tree(library, f"{PYTHON}/lib/{_VERSION}", without=_NOT_OF_STANDARD_LIBRARY)


def _environment() -> Iterator[Entry]:
    """Yield a virtual environment on top of it: without one, distributions of Linux look for packages elsewhere."""
    yield Entry(f"{HOME}/pyvenv.cfg", data=f"home = /{PYTHON}/bin\ninclude-system-site-packages = false\n".encode())
    yield Entry(f"{HOME}/bin/{_VERSION}", link=f"/{PYTHON}/bin/{_VERSION}")
    for name in ("python", "python3"):
        yield Entry(f"{HOME}/bin/{name}", link=_VERSION)


def _packages() -> Iterator[Entry]:
    for name, distribution in needed().items():
        if name == "obsqa":
            yield from _own(distribution)
        else:
            yield from _distributed(distribution)


def _own(distribution: Distribution) -> Iterator[Entry]:
    """Yield obsqa's own packages, from wherever they are imported, with the data that come with them."""
    for name in OWN:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            msg = f"an image of obsqa needs its package {name}, which is not importable"
            raise InfrastructureError(msg)
        yield from _tree(Path(spec.origin).parent, f"{_SITE}/{name}", without={"_regression_data"})
    yield from _tree(regression_data(), f"{_SITE}/qa/_regression_data")
    for file in distribution.files or ():
        if ".dist-info/" in str(file) or "/bin/" in str(file):
            yield from _one(Path(str(distribution.locate_file(file))), str(file))


def _distributed(distribution: Distribution) -> Iterator[Entry]:
    for file in distribution.files or ():
        yield from _one(Path(str(distribution.locate_file(file))), str(file))


def _one(source: Path, name: str) -> Iterator[Entry]:
    """Yield a file of a package; what lies beside the packages but programs is left out."""
    if _SKIPPED & set(Path(name).parts) or name.endswith(".pth") or not source.is_file():
        return
    parts = Path(name).parts
    if ".." not in parts:
        yield Entry(f"{_SITE}/{name}", source=source, mode=_mode(source))
    elif parts[-2] == "bin":
        yield Entry(f"{HOME}/bin/{parts[-1]}", data=_with_own_python(source.read_bytes()), mode=_EXECUTABLE)


def _with_own_python(script: bytes) -> bytes:
    """Let a script of this environment be run by the Python of the image."""
    first, newline, rest = script.partition(b"\n")
    runs_python = first.startswith(b"#!") and b"python" in first
    return f"#!/{HOME}/bin/python".encode() + newline + rest if runs_python else script


def _tree(folder: Path, place: str, *, without: Iterable[str] = ()) -> Iterator[Entry]:
    """Yield all files below a folder; what is linked to is copied."""
    skipped = _SKIPPED.union(without)
    for here, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [one for one in sorted(folders) if one not in skipped and not one.startswith("config-")]
        for name in sorted(files):
            source = Path(here, name)
            if not (name in skipped or name.startswith("_tkinter") or source.suffix == ".a") and source.is_file():
                yield Entry(str(Path(place, source.relative_to(folder))), source=source, mode=_mode(source))


def _mode(source: Path) -> int:
    return _EXECUTABLE if source.stat().st_mode & stat.S_IXUSR else 0o644


def _is_binary(entry: Entry) -> bool:
    """Tell whether a file may need libraries."""
    return ".so" in Path(entry.path).name or entry.path.startswith("bin/") or entry.path == f"{PYTHON}/bin/{_VERSION}"
