"""What a checkout changed since a commit: in which package, and which words its paths hold."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ci.bisect.git import GitError, ask, resolve
from obs_registry.select import packages_of, short_name
from qa.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from obs_registry.model import Camera

OWN = "obsqa"
_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])")
_SHORTEST = 3
_CAMERA_FILES = ("obs_registry/cameras", "regression_data/baselines", "regression_data/skies")
# What no processing reads.
_DOCUMENTS = frozenset({".md", ".rst", ".txt"})
_IDLE = frozenset({"doc", "docs", "tests", "changelog.d", "benchmarks", ".github", ".ci"})


@dataclass(frozen=True, slots=True)
class Changes:
    """The packages that changed, and the words of the paths in which they did, in lower case."""

    packages: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()


def changes_since(base: str, folder: Path, cameras: Iterable[Camera] = ()) -> Changes:
    """Return what the checkout that holds a folder changed since it left `base`, uncommitted changes included.

    A change of nothing but documents and tests is a change of no package. In obsqa's own checkout the files of one
    camera (its entry, baselines and skies) are a change of that camera's package.

    Raises
    ------
    RequestError
        If the folder is in no checkout, or has no commit of that name.
    """
    top = _top(folder)
    commit = resolve(top, base)
    if commit is None:
        msg = f"--base must name a commit of {top}, got {base!r}; fetch it, or name another"
        raise RequestError(msg)
    tracked = ask(
        top, "compare with a commit", "diff", "--name-only", "-z", "--no-renames", "--merge-base", commit, "--"
    )
    fresh = ask(top, "list new files", "ls-files", "--others", "--exclude-standard", "-z")
    paths = [PurePosixPath(one) for one in (tracked + fresh).split("\0") if one]
    counted = [path for path in paths if not _is_idle(path)]
    name = package_of(top)
    return Changes(
        tuple(dict.fromkeys(_owner(path, name, tuple(cameras)) for path in counted)),
        frozenset(word for path in counted for word in words_of(path)),
    )


def package_of(top: Path) -> str:
    """Return what a checkout's package is called: by its EUPS table, its pyproject, or its folder."""
    tables = sorted((top / "ups").glob("*.table"))
    if tables:
        return tables[0].stem
    try:
        project = tomllib.loads((top / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        project = {}
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) and name else short_name(top.name)


def words_of(path: PurePosixPath) -> Iterator[str]:
    """Yield the words of a path in lower case: those of `lsst/ip/isr/isrTask.py` are lsst, isr, task.

    >>> sorted(set(words_of(PurePosixPath("python/lsst/ip/isr/isrTask.py"))))
    ['isr', 'lsst', 'python', 'task']
    """
    for part in (*path.parts[:-1], path.stem):
        yield from (word.lower() for word in _WORD.findall(part) if len(word) >= _SHORTEST)


def _top(folder: Path) -> Path:
    try:
        return Path(ask(folder, "find a checkout", "rev-parse", "--show-toplevel").rstrip("\n"))
    except GitError as error:
        msg = f"--base needs a git checkout, found none at {folder} ({error.found}); change there, or use --changed"
        raise RequestError(msg) from None


def _is_idle(path: PurePosixPath) -> bool:
    return path.suffix in _DOCUMENTS or (len(path.parts) > 1 and path.parts[0] in _IDLE)


def _owner(path: PurePosixPath, package: str, cameras: tuple[Camera, ...]) -> str:
    """Return the package whose change the change of a file is."""
    if package != OWN:
        return package
    inside = next((path.relative_to(one) for one in _CAMERA_FILES if path.is_relative_to(one)), None)
    if inside is None or not inside.parts:
        return package
    stem = PurePosixPath(inside.parts[0]).stem.removesuffix("-quick")
    owner = next((one for one in cameras if one.name == stem), None)
    return owner.package.name if owner else package


def concerns(camera: Camera, packages: Iterable[str]) -> bool:
    """Tell whether one of some packages is a camera's own."""
    return not packages_of(camera).isdisjoint(map(short_name, packages))
