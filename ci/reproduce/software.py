"""The code that a run was made with, and what has to be installed for it."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from qa.provenance.software import OWN, REVISION_FILE, own_revision, packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obs_registry.model import Camera

PARTS = ("ci", "obs_registry", "qa", "reports")
ROOT = Path(__file__).resolve().parents[2]
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_SUFFIXES = frozenset({".py", ".yaml", ".yml", ".json", ".j2", ".css", ".js", ".svg", ".ini", ".mako", ".sh", ".txt"})
_SECONDS = 60.0
_SHA = re.compile(r"([0-9a-f]{7,40})(?:-dirty.*)?")


@dataclass(frozen=True, slots=True)
class Code:
    """obsqa's own packages as files by name, and the revision they are of; `exact` when it is that of the run."""

    files: Mapping[str, bytes]
    revision: str
    exact: bool


def code_of(facts: Mapping[str, str], root: Path = ROOT) -> Code:
    """Return the code of a run: what is here if it is the same, else that commit if the checkout has it.

    Where neither can be had, it is the code that is here.
    """
    wanted, here = facts.get("revision", ""), own_revision(root)
    if wanted != here and _COMMIT.fullmatch(wanted) and (files := _of_commit(root, wanted)):
        return Code(_with_revision(files, wanted), wanted, exact=True)
    files = {str(path.relative_to(root)): path.read_bytes() for path in _files(root)}
    return Code(_with_revision(files, here), here, exact=wanted == here)


def _with_revision(files: Mapping[str, bytes], revision: str) -> dict[str, bytes]:
    return {**files, REVISION_FILE: f"{revision}\n".encode()}


def _files(root: Path) -> Iterator[Path]:
    for part in PARTS:
        for path in sorted((root / part).rglob("*")):
            relative = path.relative_to(root)
            hidden = any(one.startswith((".", "_regression")) or one == "__pycache__" for one in relative.parts)
            if path.is_file() and not hidden and path.suffix in _SUFFIXES:
                yield path


def _of_commit(root: Path, commit: str) -> dict[str, bytes]:
    """Return the packages as of a commit of the checkout; nothing where there is no such commit."""
    if not (root / ".git").exists():
        return {}
    command = ["git", "-C", str(root), "archive", "--format=tar", commit, *PARTS]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        found = ((entry.name, tar.extractfile(entry)) for entry in tar if Path(entry.name).suffix in _SUFFIXES)
        return {name: stream.read() for name, stream in found if stream is not None}


def requirements(facts: Mapping[str, str], camera: Camera) -> str:
    """Return what pip has to install: the packages of the run at their versions, then what obsqa itself needs.

    What cannot be had from an index, such as a package of a stack, is told in a comment.
    """
    lines = [f"# What run time needs; Python was {facts.get('python', 'unknown')}."]
    known = {name.removeprefix("package "): value for name, value in facts.items() if name.startswith("package ")}
    lines += [_line(name, version, camera) for name, version in sorted(known.items()) if name != OWN]
    rest = {name: version for name, version in _own_needs().items() if name not in known}
    lines += ["# What obsqa itself needs, as it was installed when this archive was made."]
    lines += [f"{name}=={version}" for name, version in sorted(rest.items())]
    return "\n".join(lines) + "\n"


def _line(name: str, version: str, camera: Camera) -> str:
    if (found := _SHA.fullmatch(version)) and name == camera.package.name:
        return f"{name} @ git+{camera.package.repository}@{found[1]}"
    if found or not _is_installed(name):
        return f"# {name} {version}: of a checkout or a stack; install it as that stack is installed"
    return f"{name}=={version}"


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def _own_needs() -> dict[str, str]:
    """Return the packages that obsqa requires to run at all, by name; none where it is not installed itself."""
    try:
        required = metadata.requires(OWN) or []
    except metadata.PackageNotFoundError:
        return {}
    names = [re.split(r"[^A-Za-z0-9._-]", one)[0] for one in required if "extra ==" not in one]
    found = packages(names, environ={})
    return {name: version for name, version in found.items() if version and name != OWN}
