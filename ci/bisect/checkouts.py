"""A folder for each revision of each package, made and built once and shared by all trials and attempts.

A package's build may use its own checkout only; what has to be built against the other packages of a combination
belongs into the trial's command.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.bisect import git
from ci.bisect.processes import last_words, run_logged
from qa.documents import atomic_open
from qa.errors import ObsqaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ci.bisect.packages import Package


class UntestableError(ObsqaError):
    """A combination cannot be tried: something of it does not build."""


@dataclass(frozen=True, slots=True)
class Checkouts:
    """The checkouts, `<folder>/<package>/<revision>`; beside each, a file that says how its build went."""

    folder: Path
    packages: Mapping[str, Package]
    timeout: float | None = None

    def path(self, name: str, revision: str) -> Path:
        """Return the folder of a revision, built; make it where it is missing.

        Raises
        ------
        UntestableError
            If it does not build, now or at an earlier attempt.
        """
        place = self._place(name, revision)
        state = place.with_name(f"{place.name}.state")
        wanted = self._fingerprint(name)
        known = state.read_text().splitlines() if state.is_file() and place.is_dir() else []
        if known[:1] != [wanted]:
            known = [wanted, self._make(name, revision, place)]
            with atomic_open(state) as stream:
                stream.write("\n".join(known).encode() + b"\n")
        if failure := "".join(known[1:]):
            raise UntestableError(failure)
        return place

    def content(self, name: str, revision: str) -> str:
        """Name what trials read of a revision: two revisions of the same name need one trial."""
        package = self.packages[name]
        if package.repository is None:
            return revision
        return git.content(package.repository, revision, package.reads)

    def python(self, name: str, place: Path) -> Path:
        """Return what of a checkout goes on PYTHONPATH.

        Raises
        ------
        UntestableError
            If a symbolic link leads out of the checkout.
        """
        asked = self.packages[name].python
        folder = place / asked if asked else place / "python" if (place / "python").is_dir() else place
        if not folder.resolve().is_relative_to(place.resolve()):
            msg = f"{name}: the folder {asked or 'python'} leads out of the checkout"
            raise UntestableError(msg)
        return folder

    def forget_failures(self) -> None:
        """Let what did not build be built again."""
        for state in self.folder.glob("*/*.state"):
            if state.read_text().splitlines()[1:] not in ([], [""]):
                state.unlink()

    def remove(self) -> None:
        """Remove everything that was checked out and built."""
        for name, package in self.packages.items():
            for place in sorted((self.folder / name).glob("*/")):
                if package.repository is not None:
                    git.remove_worktree(package.repository, place)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, name: str, revision: str) -> Path:
        if not git.REVISION.fullmatch(revision) or "/" in revision:
            msg = f"{name}: a revision to check out must be a SHA or version, found {revision!r}"
            raise UntestableError(msg)
        return self.folder / name / revision

    def _make(self, name: str, revision: str, place: Path) -> str:
        """Check out and build; return why that failed, or nothing."""
        package = self.packages[name]
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        log = place.with_name(f"{place.name}.log")
        command = package.build
        if package.repository is not None:
            git.add_worktree(package.repository, revision, place)
        else:
            place.mkdir()
            pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check")
            command = (*pip, "--target", str(place), f"{package.pip}=={revision}")
        if command is None:
            return ""
        done = run_logged(command, cwd=place, env=git.environment(), log=log, timeout=self.timeout)
        return f"{name} {revision[:12]} does not build: {done.ending}: {last_words(log)}" if done.ending else ""

    def _fingerprint(self, name: str) -> str:
        """Return what a build depends on besides the revision."""
        package = self.packages[name]
        return hashlib.sha256(repr((package.build, package.pip)).encode()).hexdigest()
