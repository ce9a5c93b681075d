from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest

from qa.documents import atomic_open, read_document, write_document
from qa.errors import DiskFullError, DocumentError
from qa.model import Measurement, Result, Scope, Unmeasured
from qa.testing import a_measurement

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = (a_measurement(), Unmeasured("AM3", Scope("testcam", "twin", "r", 0), "the field is too small"))
KIND = tuple[Result, ...]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """A document holds the very values that were written, each of its own type."""
    path = tmp_path / "deep" / "measurements.json"
    write_document(path, "measurements", RESULTS, KIND)
    assert read_document(path, "measurements", KIND) == RESULTS


def test_keys_are_sorted_and_the_schema_is_named(tmp_path: Path) -> None:
    """Documents differ only where their values do."""
    path = tmp_path / "measurements.json"
    write_document(path, "measurements", RESULTS, KIND)
    body = json.loads(path.read_text())
    assert list(body) == sorted(body)
    assert body["schema"] == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "not JSON"),
        ("[]", "no mapping"),
        ('{"document": "plan", "schema": 1}', "'plan' of schema 1"),
        ('{"document": "measurements", "schema": 99}', "schema 99"),
        ('{"document": "measurements", "schema": 1, "measurements": [{"metric": 1}]}', "at 0"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, found: str) -> None:
    """A reader says what it expected and what it found."""
    path = tmp_path / "measurements.json"
    path.write_text(text)
    with pytest.raises(DocumentError, match=r"must be a document 'measurements' of schema 1") as raised:
        read_document(path, "measurements", KIND)
    assert found in str(raised.value)


def test_an_absent_document_is_named(tmp_path: Path) -> None:
    """A missing file is one clear line."""
    with pytest.raises(DocumentError, match="no such file"):
        read_document(tmp_path / "nothing.json", "plan", KIND)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """Readers see all of a file or none of it, and nothing is left behind."""
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic_open(path) as stream:
            stream.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - hidden files count too


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """A disk without space is told from other failures."""
    with pytest.raises(DiskFullError, match="no space left"), atomic_open(tmp_path / "file"):
        raise OSError(errno.ENOSPC, "full")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_does_not_travel(value: float) -> None:
    """A measurement is finite; anything else is Unmeasured with a reason."""
    with pytest.raises(ValueError, match="must be finite"):
        Measurement("PA1", Scope("testcam", "twin"), value, "mmag", 1)


def test_a_faulty_document_says_what_to_do(tmp_path: Path) -> None:
    """Whoever asks for a document can say what to do when it is not one."""
    with pytest.raises(DocumentError, match=r"no such file; run it again$"):
        read_document(tmp_path / "nothing.json", "plan", KIND, action="run it again")
