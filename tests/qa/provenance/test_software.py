"""Versions of packages and revisions of checkouts."""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from qa.provenance.software import DIRTY, OWN, own_revision, packages, revision_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> None:
    """Run git as somebody."""
    who = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout of one commit."""
    folder = tmp_path / "checkout"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "a.py").write_text("a = 1\n")
    (folder / "b.txt").write_text("b\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    """In twelve letters, from wherever in it one asks; files that nobody imports do not count."""
    commit = revision_of(checkout)
    assert len(commit) == 12
    assert revision_of(checkout / "code") == commit
    (checkout / "notes.txt").write_text("to do\n")
    (checkout / "code" / "a.py").touch()
    assert revision_of(checkout) == commit


def test_a_dirty_checkout_is_marked_and_its_changes_are_told_apart(checkout: Path) -> None:
    """Two runs of the same uncommitted changes are alike, of others they are not, and undoing them is clean."""
    commit = revision_of(checkout)
    (checkout / "code" / "a.py").write_text("a = 2\n")
    one = revision_of(checkout)
    assert one.startswith(f"{commit}{DIRTY}")
    assert revision_of(checkout / "code") == one
    (checkout / "code" / "a.py").write_text("a = 3\n")
    other = revision_of(checkout)
    assert len({commit, one, other}) == 3
    (checkout / "code" / "a.py").write_text("a = 2\n")
    assert revision_of(checkout) == one
    git(checkout, "add", ".")
    assert revision_of(checkout) == one
    (checkout / "code" / "a.py").write_text("a = 1\n")
    git(checkout, "add", ".")
    assert revision_of(checkout) == commit


def test_new_code_and_lost_files_are_changes(checkout: Path) -> None:
    """A module that git was not told of changes what is imported; one that it ignores does not count."""
    clean = revision_of(checkout)
    (checkout / ".git" / "info" / "exclude").write_text("ignored.py\n")
    (checkout / "ignored.py").write_text("")
    assert revision_of(checkout) == clean
    (checkout / "code" / "new.py").write_text("b = 1\n")
    new = revision_of(checkout)
    (checkout / "code" / "new.py").unlink()
    (checkout / "b.txt").unlink()
    assert len({clean, new, revision_of(checkout)}) == 3


def test_settings_of_git_do_not_change_a_digest(checkout: Path) -> None:
    """Two people with the same changes have the same revision."""
    (checkout / "code" / "a.py").write_text("a = 2\n")
    before = revision_of(checkout)
    for setting in ("diff.noprefix=true", "color.ui=always", "diff.algorithm=patience", "core.quotepath=false"):
        git(checkout, "config", *setting.split("="))
    assert revision_of(checkout) == before


def test_without_a_commit_or_git_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is no checkout, an empty repository, git that is absent: a fact less, no failure."""
    assert revision_of(tmp_path) == ""
    git(tmp_path, "init", "--quiet")
    assert revision_of(tmp_path) == ""
    monkeypatch.setenv("PATH", "")
    assert revision_of(tmp_path) == ""


def test_obsqa_inside_of_another_checkout_has_no_revision_of_that(checkout: Path) -> None:
    """As in a virtual environment that lies in somebody's repository; a file may name the revision instead."""
    inside = checkout / "site-packages"
    inside.mkdir()
    assert revision_of(inside)
    assert own_revision(inside) == ""
    (inside / "REVISION").write_text("0123456789ab\n")
    assert own_revision(inside) == "0123456789ab"
    assert own_revision(checkout) == revision_of(checkout)


def test_packages_are_those_of_the_processing_and_what_they_require() -> None:
    """With the versions that are installed; what is not installed is not told."""
    found = packages(("no-such-package",), environ={})
    assert found[OWN] == metadata.version(OWN)
    assert found["numpy"] == metadata.version("numpy")
    assert not found["no-such-package"]
    if found["numba"]:
        assert found["llvmlite"] == metadata.version("llvmlite")


def test_a_stack_names_its_packages(checkout: Path, tmp_path: Path) -> None:
    """Of a folder of one's own it is the revision, and the version where it is no checkout."""
    local = {"SETUP_AFW": f"afw LOCAL:{checkout}", "AFW_DIR": str(checkout)}
    assert packages(environ=local)["afw"] == revision_of(checkout)
    (tmp_path / "plain").mkdir()
    plain = {"SETUP_AFW": f"afw LOCAL:{tmp_path / 'plain'}", "AFW_DIR": str(tmp_path / "plain")}
    assert packages(environ=plain)["afw"] == plain["SETUP_AFW"].split()[1]
    assert packages(environ={"SETUP_AFW": "afw 29.1.0 -f Linux64"})["afw"] == "29.1.0"
    assert "other" not in packages(environ={"SETUP_ODD": "other 1"})
