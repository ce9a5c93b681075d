"""The software a run's numbers can depend on: packages with their versions, and checkouts with their revisions.

A checkout with uncommitted changes is marked, with a digest of what they are: two runs of the same changes are alike,
and two of different ones are not.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OWN = "obsqa"
ROOTS = (
    "astro-metadata-translator",
    "astropy",
    "galsim",
    "lsst-ctrl-mpexec",
    "lsst-daf-butler",
    "lsst-pex-config",
    "lsst-pipe-base",
    "lsst-resources",
    "lsst-sphgeom",
    "lsst-utils",
    "numba",
    "numpy",
    "pyarrow",
    "scipy",
    "sep",
)
"""What the processing imports; what these packages require in turn counts as well."""

CODE = ("*.py", "*.pyx", "*.c", "*.cc", "*.h", "*.so")
"""Files that change what a checkout does without git knowing of them: others lie about in many a working folder."""

DIRTY = "-dirty-"
"""Stands in a revision between the commit and the digest of the uncommitted changes."""

REVISION_FILE = "REVISION"
"""File in the folder above the packages that names the revision where there is no git."""

SECONDS = 10.0
"""Longest wait for git."""

_ROOT = Path(__file__).resolve().parents[2]
_COMMIT, _CHANGES = 12, 12


def packages(more: Iterable[str] = (), *, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return versions by name: what is installed, what an EUPS stack has set up, and revisions of what is a checkout.

    `more` are packages beside those that the processing needs. Of the same name, the one of the stack counts.
    """
    found = {name: _installed(name) for name in (OWN, *_closure((*ROOTS, *more)))} | dict(_eups(environ))
    checkouts = {name: folder for name, (_, folder) in found.items() if folder is not None and name != OWN}
    with ThreadPoolExecutor(max(len(checkouts), 1)) as pool:  # git takes its time
        revisions = dict(zip(checkouts, pool.map(revision_of, checkouts.values()), strict=True))
    return {name: revisions.get(name) or version for name, (version, _) in found.items()}


def own_revision(root: Path = _ROOT) -> str:
    """Return the revision of obsqa itself: of its checkout, or as the file `REVISION` beside its packages names it.

    A checkout of something else that this happens to be installed inside of says nothing.
    """
    if (root / ".git").exists():
        return revision_of(root)
    try:
        return (root / REVISION_FILE).read_text().strip()[:80]
    except (OSError, UnicodeDecodeError):
        return ""


def revision_of(folder: Path) -> str:
    """Return the commit of a checkout, and `-dirty-` with a digest where it has changes; '' outside of one.

    A change is what differs from the commit, and a file of code that git was not told of.
    """
    answer = _git(folder, "rev-parse", "--show-toplevel", f"--short={_COMMIT}", "HEAD")
    top, _, commit = answer.strip().rpartition("\n")
    if not top:
        return ""
    changed = _git(Path(top), "diff", "--name-only", "--no-renames", "-z", "HEAD")
    unknown = _git(Path(top), "ls-files", "--others", "--exclude-standard", "-z", "--", *CODE)
    names = sorted({*changed.split("\0"), *unknown.split("\0")} - {""})
    return f"{commit}{DIRTY}{_digest_of(Path(top), names)}" if names else commit


def _digest_of(top: Path, names: Iterable[str]) -> str:
    """Digest files by name and content, whatever git's settings say of differences; one that is gone counts, too."""
    digest = hashlib.sha256()
    for name in names:
        path = top / name
        content = path.read_bytes() if path.is_file() and os.access(path, os.R_OK) else b"gone"
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:_CHANGES]


def _git(folder: Path, *arguments: str) -> str:
    """Return what git says; '' where it fails, is absent or takes too long."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="surrogateescape")


def _closure(roots: Iterable[str]) -> Iterator[str]:
    """Yield the roots and the installed packages that they require, and so on."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - not for `--help`
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    seen: set[str] = set()
    ahead = list(roots)
    while ahead:
        name = ahead.pop(0)
        if (canonical := canonicalize_name(name)) in seen:
            continue
        seen.add(canonical)
        yield name
        for text in _requirements(name):
            try:
                required = Requirement(text)
            except InvalidRequirement:
                continue
            if required.marker is None or required.marker.evaluate({"extra": ""}):
                ahead.append(canonicalize_name(required.name))


def _requirements(name: str) -> list[str]:
    try:
        return metadata.distribution(name).requires or []
    except metadata.PackageNotFoundError:
        return []


def _installed(name: str) -> tuple[str, Path | None]:
    """Return the version of a distribution, and its folder where it is an editable one."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return "", None
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if commit := origin.get("vcs_info", {}).get("commit_id"):
        return commit, None
    editable = origin.get("dir_info", {}).get("editable", False)
    return distribution.version, Path(unquote(urlsplit(origin["url"]).path)) if editable else None


def _eups(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, Path | None]]]:
    """Yield the packages that an EUPS stack has set up: `SETUP_AFW` holds `afw VERSION ...`, `AFW_DIR` the folder.

    A version `LOCAL:...` is a folder of the user's own.
    """
    for variable, value in environ.items():
        words = value.split()
        if variable.startswith("SETUP_") and len(words) > 1 and words[0].upper() == variable[len("SETUP_") :]:
            folder = environ.get(f"{words[0].upper()}_DIR")
            local = words[1].startswith("LOCAL:")
            yield words[0], (words[1], Path(folder) if local and folder else None)
