from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ci.bisect import git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(stack: Any) -> Any:
    """Return a stack with one package of three commits, the second of which is a release."""
    stack.add("detect", ["CLIPPED = False"] * 3)
    stack.git("detect", "tag", "v1.2", stack.commits["detect"][1])
    return stack


def test_revisions_are_resolved_as_they_stand_in_provenance(package: Any) -> None:
    """Short SHAs, tags, versions with or without `v`, and what `git describe` says."""
    folder, shas = package.folder / "detect", package.commits["detect"]
    assert git.resolve(folder, shas[0][:9]) == shas[0]
    assert git.resolve(folder, "v1.2") == git.resolve(folder, "1.2") == shas[1]
    assert git.resolve(folder, f"v1.2-1-g{shas[2][:8]}") == shas[2]
    assert git.resolve(folder, "main") == shas[2]


@pytest.mark.parametrize("revision", ["1.3", "--help", "-x", "main..v1.2", "main^{tree}", "a b", "", "$(touch x)"])
def test_what_is_no_revision_is_none(package: Any, revision: str) -> None:
    """Options, ranges and expressions are not taken for one."""
    assert git.resolve(package.folder / "detect", revision) is None


def test_what_no_folder_can_be_called_is_no_repository(package: Any) -> None:
    """A name longer than any file's is wrong, and nothing to fail on."""
    assert git.is_repository(package.folder / "detect")
    assert not git.is_repository(package.folder / ("9" * 5000))


def test_histories_are_read_with_their_authors_dates(package: Any) -> None:
    """Parents before children, from the good state on, without it."""
    shas = package.commits["detect"]
    found = git.lineage(package.folder / "detect", shas[0], shas[2])
    assert [commit.sha for commit in found.added.commits] == shas[1:]
    assert found.added.commits[0].date == "2026-03-01T02:00:00+00:00"
    assert (found.lost.commits, found.base) == ((), shas[0])


def test_unrelated_histories_have_no_base(package: Any) -> None:
    """Nothing leads from one to the other."""
    package.git("detect", "checkout", "--quiet", "--orphan", "other")
    other = package.commit("detect", "CLIPPED = True", "from nowhere")
    assert git.lineage(package.folder / "detect", package.commits["detect"][0], other).base is None


def test_hooks_and_variables_of_the_user_are_left_out(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bisect begun by a hook looks at the repositories it was given, and runs none of their hooks."""
    folder = package.folder / "detect"
    hook = folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    git.add_worktree(folder, package.commits["detect"][1], tmp_path / "place")
    assert (tmp_path / "place" / "python" / "detect.py").read_text().endswith("# 1\n")
    assert not (tmp_path / "ran").exists()
    git.remove_worktree(folder, tmp_path / "place")
    assert not (tmp_path / "place").exists()


def test_what_git_cannot_do_is_one_line(package: Any, tmp_path: Path) -> None:
    """With what git said."""
    with pytest.raises(git.GitError, match=r"detect: git must check out a commit, found: fatal: .*; look at the repo"):
        git.add_worktree(package.folder / "detect", "0" * 40, tmp_path / "place")


def test_commits_of_the_same_content_have_the_same_name_for_it(package: Any) -> None:
    """Of all they hold, or of the parts that are asked for; a part that is missing is one content, too."""
    repository, (first, *_, last) = package.folder / "detect", package.commits["detect"]
    package.git("detect", "reset", "--hard", "--quiet")
    package.git("detect", "commit", "--quiet", "--allow-empty", "-m", "empty")
    empty = package.git("detect", "rev-parse", "HEAD")
    assert git.content(repository, empty) == git.content(repository, last) != git.content(repository, first)
    (repository / "NEWS").write_text("words")
    package.git("detect", "add", ".")
    package.git("detect", "commit", "--quiet", "-m", "words")
    words = package.git("detect", "rev-parse", "HEAD")
    assert git.content(repository, words) != git.content(repository, last)
    for parts in (["python"], ["python", "nothing"], ["nothing"]):
        assert git.content(repository, words, parts) == git.content(repository, last, parts)
    assert git.content(repository, last, ["python"]) != git.content(repository, first, ["python"])
    with pytest.raises(git.GitError, match="name the content of a commit"):
        git.content(repository, "nowhere")
