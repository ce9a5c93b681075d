from __future__ import annotations

import io
import tarfile
from importlib.util import MAGIC_NUMBER

import pytest

from ci.images.contents import Entry
from ci.images.tarball import compiled, is_compiled, write_tar

FILES = (
    Entry("bin/tool", data=b"#!/bin/sh\n", mode=0o755),
    Entry("lib/deep/one.py", data=b"VALUE = 1\n"),
    Entry("lib/template.py", data=b"{{ no python }}\n"),
    Entry("lib/tests/two.py", data=b"VALUE = 2\n"),
    Entry("lib/two.py", link="deep/one.py"),
    Entry("tmp", mode=0o1777),
)


def tar() -> bytes:
    """Write the files of an image."""
    stream = io.BytesIO()
    write_tar(stream, FILES)
    return stream.getvalue()


def test_the_same_files_give_the_same_bytes() -> None:
    """No time and nobody's name is in them: the digest of a layer names its contents."""
    assert tar() == tar()
    with tarfile.open(fileobj=io.BytesIO(tar())) as found:
        members = found.getmembers()
    assert {(one.mtime, one.uid, one.gid, one.uname) for one in members} == {(0, 0, 0, "")}


def test_files_folders_and_links_are_there_once_each_with_their_modes() -> None:
    """A folder comes before what is in it."""
    with tarfile.open(fileobj=io.BytesIO(tar())) as found:
        names, modes = found.getnames(), {one.name: one.mode for one in found.getmembers()}
        link = found.getmember("lib/two.py")
        content = found.extractfile("lib/deep/one.py")
        assert content is not None
        assert content.read() == b"VALUE = 1\n"
    assert len(names) == len(set(names))
    assert names.index("lib/deep") < names.index("lib/deep/one.py")
    assert (modes["bin/tool"], modes["tmp"]) == (0o755, 0o1777)
    assert (link.issym(), link.linkname) == (True, "deep/one.py")


def test_python_comes_compiled() -> None:
    """An image is read only: without, every container would compile everything; tests of packages are left out."""
    with tarfile.open(fileobj=io.BytesIO(tar())) as found:
        caches = [name for name in found.getnames() if name.endswith(".pyc")]
    assert [name.rsplit("/", 1)[0] for name in caches] == ["lib/deep/__pycache__"]


def test_what_only_looks_like_python_is_left_alone() -> None:
    """Templates end with `.py` as well."""
    assert compiled(b"{{ name }} = 1\n", "/a.py") == b""
    assert compiled(b"A = 1\n", "/a.py").startswith(MAGIC_NUMBER)


@pytest.mark.parametrize(("path", "told"), [("a/b.py", True), ("a/tests/b.py", False), ("a/b.txt", False)])
def test_only_sources_are_compiled(path: str, told: bool) -> None:  # noqa: FBT001 - a table
    """By name."""
    assert is_compiled(path) is told
