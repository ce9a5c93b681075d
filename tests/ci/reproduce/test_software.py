"""The code of a run, and what it needs installed."""

from __future__ import annotations

import subprocess
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from ci.reproduce.software import PARTS, code_of, requirements

if TYPE_CHECKING:
    from pathlib import Path

    from obs_registry.model import Camera


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout of obsqa's four packages, one file each, with one commit."""
    for part in PARTS:
        (tmp_path / part / "__pycache__").mkdir(parents=True)
        (tmp_path / part / "a.py").write_text("one\n")
        (tmp_path / part / "__pycache__" / "a.pyc").write_text("")
        (tmp_path / part / ".hidden.yaml").write_text("")
    (tmp_path / "notes.txt").write_text("")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all", "--", *(f"{part}/a.py" for part in PARTS))
    git(tmp_path, "commit", "--quiet", "-m", "one")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_code_is_that_of_the_run(checkout: Path) -> None:
    """What is here, when it is the same; else the commit, where the checkout has it."""
    first = git(checkout, "rev-parse", "--short=12", "HEAD")
    found = code_of({"revision": first}, checkout)
    assert (found.revision, found.exact) == (first, True)
    assert set(found.files) == {*(f"{part}/a.py" for part in PARTS), "REVISION"}
    assert found.files["REVISION"].decode().strip() == first
    for part in PARTS:
        (checkout / part / "a.py").write_text("two\n")
    git(checkout, "commit", "--quiet", "--all", "-m", "two")
    again = code_of({"revision": first}, checkout)
    assert (again.revision, again.exact) == (first, True)
    assert again.files["qa/a.py"] == b"one\n"


def test_code_that_is_lost_is_told(checkout: Path) -> None:
    """Uncommitted changes that are gone, a commit that nobody has, something that is no commit at all."""
    for lost in ("0123456789ab", "0123456789ab-dirty-0123456789ab", "--output=/tmp/x", ""):
        found = code_of({"revision": lost}, checkout)
        assert not found.exact, lost
        assert found.files["qa/a.py"] == b"one\n"
        assert found.revision == git(checkout, "rev-parse", "--short=12", "HEAD")


def test_uncommitted_changes_that_are_still_here_go_along(checkout: Path) -> None:
    """A developer's own checkout can be reproduced before anything is committed."""
    (checkout / "qa" / "a.py").write_text("mine\n")
    from qa.provenance.software import own_revision

    found = code_of({"revision": own_revision(checkout)}, checkout)
    assert found.exact
    assert found.files["qa/a.py"] == b"mine\n"


def test_requirements_name_versions_of_the_run_and_sources_of_commits(hsc: Camera) -> None:
    """What no index has is told in a comment, and obsqa comes along as code."""
    numpy, sha = metadata.version("numpy"), "0123456789abcdef0123456789abcdef01234567"
    facts = {"package numpy": "1.2.3", "package obs_subaru": sha, "package afw": "29.1", "package obsqa": "1"}
    lines = requirements(facts | {"python": "3.11.7"}, hsc).splitlines()
    assert lines[0] == "# What run time needs; Python was 3.11.7."
    assert "numpy==1.2.3" in lines
    assert f"numpy=={numpy}" not in lines
    assert f"obs_subaru @ git+https://github.com/lsst/obs_subaru@{sha}" in lines
    assert "# afw 29.1: of a checkout or a stack; install it as that stack is installed" in lines
    assert f"click=={metadata.version('click')}" in lines
    assert not [line for line in lines if line.startswith("obsqa")]
