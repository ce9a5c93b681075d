from __future__ import annotations

import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.commit_changes import changes_since, concerns, package_of, words_of
from qa.errors import RequestError
from qa.provenance.software import own_revision
from qa.testing import a_camera

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> None:
    """Run git in a checkout."""
    subprocess.run(["git", "-C", str(folder), *IDENTITY, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout of a package with one commit, called `base`."""
    top = tmp_path / "work"
    (top / "ups").mkdir(parents=True)
    (top / "ups" / "ip_isr.table").write_text("setupRequired(base)\n")
    git(tmp_path, "init", "-q", "-b", "main", str(top))
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    git(top, "tag", "base")
    return top


def write(top: Path, name: str, text: str = "x\n") -> None:
    """Write a file of the checkout."""
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_committed_and_uncommitted_changes_count(checkout: Path) -> None:
    """What was committed since, what was not, and what git does not know yet are changes of the package."""
    write(checkout, "python/lsst/ip/isr/crosstalk.py")
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "two")
    write(checkout, "python/lsst/ip/isr/fringe.py")
    found = changes_since("base", checkout / "python")
    assert found.packages == ("ip_isr",)
    assert {"isr", "crosstalk", "fringe"} <= found.words


def test_what_others_changed_meanwhile_does_not_count(checkout: Path) -> None:
    """The comparison is with where the branch left `base`, not with where `base` is now."""
    git(checkout, "checkout", "-q", "-b", "work")
    git(checkout, "checkout", "-q", "main")
    write(checkout, "python/others.py")
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "others")
    git(checkout, "checkout", "-q", "work")
    assert changes_since("main", checkout).packages == ()


def test_documents_and_tests_are_no_change(checkout: Path) -> None:
    """A change that no processing reads concerns no camera."""
    write(checkout, "README.md")
    write(checkout, "tests/test_it.py")
    write(checkout, "doc/index.rst")
    assert changes_since("base", checkout).packages == ()


def test_in_our_own_checkout_a_cameras_files_are_its_packages(checkout: Path) -> None:
    """An entry, a baseline or a sky of a camera concerns that camera; code concerns all."""
    (checkout / "ups" / "ip_isr.table").unlink()
    write(checkout, "pyproject.toml", '[project]\nname = "obsqa"\n')
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "ours")
    for name in ("obs_registry/cameras/testcam.yaml", "regression_data/skies/testcam-quick.yaml"):
        write(checkout, name)
    cameras = [a_camera()]
    assert changes_since("HEAD", checkout, cameras).packages == ("obs_testcam",)
    write(checkout, "qa/judging/compare.py")
    assert set(changes_since("HEAD", checkout, cameras).packages) == {"obs_testcam", "obsqa"}


@pytest.mark.parametrize("base", ["nothing-like-this", "--output=stolen", "base..HEAD", "HEAD; ls"])
def test_what_is_no_commit_is_told(checkout: Path, base: str) -> None:
    """One line names the checkout and what was given; nothing reaches git as an option."""
    with pytest.raises(RequestError, match="--base must name a commit"):
        changes_since(base, checkout)
    assert not (checkout / "stolen").exists()


@pytest.mark.parametrize("name", ["a;touch$IFS$PWD/stolen", "`id`|<script>alert(1)</script>", "x'\"&&${HOME}", "#1"])
def test_a_branch_of_a_hostile_name_is_nobodys_command(checkout: Path, name: str) -> None:
    """Checked out, it is compared like any other; named on the command line, it is refused in one line."""
    git(checkout, "checkout", "-q", "-b", name)
    write(checkout, "python/lsst/ip/isr/fringe.py")
    before = sorted(checkout.rglob("[!.]*"))
    assert changes_since("base", checkout).packages == ("ip_isr",)
    assert "-dirty" in own_revision(checkout)
    with pytest.raises(RequestError, match="--base must name a commit") as told:
        changes_since(name, checkout)
    assert "\n" not in str(told.value)
    assert sorted(checkout.rglob("[!.]*")) == before


def test_outside_of_a_checkout_is_told(tmp_path: Path) -> None:
    """One line says what was needed and what to do."""
    with pytest.raises(RequestError, match="--base needs a git checkout, found none at"):
        changes_since("HEAD", tmp_path)


def test_a_package_is_called_by_its_table_its_project_or_its_folder(tmp_path: Path) -> None:
    """EUPS goes before pyproject, and that before the folder's name; a broken pyproject counts as none."""
    top = tmp_path / "obs_x.git"
    top.mkdir()
    assert package_of(top) == "obs_x"
    (top / "pyproject.toml").write_text("[project\n")
    assert package_of(top) == "obs_x"
    (top / "pyproject.toml").write_text('[project]\nname = "obs-y"\n')
    assert package_of(top) == "obs-y"
    (top / "ups").mkdir()
    (top / "ups" / "obs_z.table").touch()
    assert package_of(top) == "obs_z"


@given(st.text())
def test_words_are_lower_case_letters(path: str) -> None:
    """Whatever a path holds, its words are plain."""
    assert all(word.isascii() and word.isalpha() and word == word.lower() for word in words_of(PurePosixPath(path)))


def test_a_cameras_own_packages_concern_it() -> None:
    """By any of the names a package goes by."""
    assert concerns(a_camera(), ["https://example.org/obs_testcam"])
    assert not concerns(a_camera(), ["meas_base"])
