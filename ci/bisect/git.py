"""What a bisect asks of git: revisions, histories and worktrees. Argument lists only, no hook is run."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from typing import TYPE_CHECKING

from qa.bisect.commits import Commit, History
from qa.bisect.search import Lineage
from qa.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]*")
"""What may be taken for a revision or version; it cannot be read as an option or as a range."""

_DESCRIBED = re.compile(r".*-g([0-9a-f]{7,40})")
_COMMIT_LINE = "%H%x00%P%x00%aI%x00%s"


class GitError(InfrastructureError):
    """Git could not do what was asked of it."""

    def __init__(self, repository: Path, what: str, found: str) -> None:
        self.repository, self.what, self.found = repository, what, found
        super().__init__(f"{repository}: git must {what}, found: {found}; look at the repository")


def environment() -> dict[str, str]:
    """Return this process's environment without what would point git at another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C.UTF-8"}


def resolve(repository: Path, revision: str) -> str | None:
    """Return the full SHA of a commit, tag, version (with or without a `v` before it) or `git describe`'s name."""
    if not REVISION.fullmatch(revision) or ".." in revision:
        return None
    described = _DESCRIBED.fullmatch(revision)
    for name in (*([described.group(1)] if described else ()), revision, f"v{revision}"):
        done = _run(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if done.returncode == 0:
            return done.stdout.strip()
    return None


def is_repository(folder: Path) -> bool:
    """Tell whether a folder is the top of a git repository or a bare one."""
    # Unlike `Path.is_dir`, this is false of a name that no file can have.
    return os.path.isdir(folder) and _run(folder, "rev-parse", "--git-dir").returncode == 0  # noqa: PTH112


def lineage(repository: Path, good: str, bad: str, *, first_parent: bool = False) -> Lineage:
    """Read how two commits are related; with `first_parent` a merge is one step, however many commits it brought."""
    base = _run(repository, "merge-base", good, bad)
    return Lineage(
        added=_history(repository, good, bad, first_parent=first_parent),
        lost=_history(repository, bad, good, first_parent=first_parent),
        base=base.stdout.strip() or None if base.returncode == 0 else None,
    )


def content(repository: Path, revision: str, parts: Sequence[str] = ()) -> str:
    """Name what a commit holds, of some parts where these are given: the same name is the same content.

    Raises
    ------
    GitError
        If there is no such commit.
    """
    if not parts:
        return ask(repository, "name the content of a commit", "rev-parse", "--verify", f"{revision}^{{tree}}").strip()
    listed = ask(repository, "name the content of a commit", "ls-tree", "-z", revision, "--", *parts)
    return hashlib.sha256(listed.encode()).hexdigest()


def add_worktree(repository: Path, sha: str, folder: Path) -> None:
    """Check a commit out into a folder of its own, in place of one that a killed process left there."""
    _run(repository, "worktree", "prune")
    ask(repository, "check out a commit", "worktree", "add", "--force", "--detach", str(folder), sha)


def remove_worktree(repository: Path, folder: Path) -> None:
    """Remove a worktree with all that was built in it, and git's memory of it."""
    _run(repository, "worktree", "remove", "--force", "--force", str(folder))


def _history(repository: Path, start: str, end: str, *, first_parent: bool) -> History:
    options = ["--first-parent"] if first_parent else []
    text = ask(
        repository,
        "list commits",
        "log",
        "--topo-order",
        "--reverse",
        *options,
        f"--format={_COMMIT_LINE}",
        f"{start}..{end}",
        "--",
    )
    commits = [_commit(line) for line in text.split("\n") if line]
    if first_parent:
        commits = [Commit(one.sha, one.parents[:1], one.date, one.subject) for one in commits]
    return History(tuple(commits))


def _commit(line: str) -> Commit:
    sha, parents, date, subject = line.split("\0", 3)
    return Commit(sha, tuple(parents.split()), date, subject)


def ask(repository: Path, what: str, *arguments: str) -> str:
    """Return what git prints.

    Raises
    ------
    GitError
        If it fails; `what` says what it was to do.
    """
    done = _run(repository, *arguments)
    if done.returncode:
        raise GitError(repository, what, (done.stderr.strip().splitlines() or ["no reason"])[-1])
    return done.stdout


def _run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = ("-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false")
    return subprocess.run(
        ["git", "-C", str(repository), *settings, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=environment(),
        stdin=subprocess.DEVNULL,
    )
