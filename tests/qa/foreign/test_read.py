"""The bytes of foreign files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from qa.errors import DocumentError
from qa.foreign.read import checked, digest, moment, read_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


def test_bare_nan_tokens_are_read(write: Write) -> None:
    """Real Jobs hold ten to twenty of them, and they are no JSON."""
    value = read_plain(write('{"value": NaN}'), "a file")["value"]
    assert value != value  # noqa: PLR0124 - only NaN is not itself


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "job.json:1: must be a file, found text that is not JSON"),
        ("a: !<lsst.verify.Blob> [", "job.json: must be a file, found text that is not YAML"),
        ("{}\n<<<<<<< HEAD\n", "job.json:2: must be a file, found a merge conflict; resolve it"),
        ('{"a": 1, "a": 2}', "job.json: must be a file, found the key 'a' twice in one object"),
        ("[" * 100_000, "job.json:1: must be a file, found text that is not JSON (values nested without end)"),
    ],
)
def test_what_cannot_be_read_is_one_line(write: Write, text: str, found: str) -> None:
    """It names the file, and the line where there is one."""
    with pytest.raises(DocumentError) as caught:
        read_plain(write(text), "a file")
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_absent_files_and_bytes_are_told(tmp_path: Path) -> None:
    """Neither is a traceback."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DocumentError, match="found no such file"):
        read_plain(tmp_path / "none", "a file")
    with pytest.raises(DocumentError, match="bytes that are not text"):
        read_plain(tmp_path / "bytes", "a file")


def test_objects_of_lsst_verify_in_yaml_are_plain_values(write: Write) -> None:
    """The tags are those of the Butler's formatter; no code of theirs is run."""
    text = (
        "!<lsst.verify.Measurement>\nmetric: a.b\nblobs: [!<lsst.verify.Blob> {name: a.b}]\nnotes: !<lsst.verify.X> 1\n"
    )
    expected = {"metric": "a.b", "blobs": [{"name": "a.b"}], "notes": "1"}
    assert read_plain(write(text), "a file") == expected
    listed = "a: !<lsst.verify.Y> [1, 2]\n"
    assert read_plain(write(listed), "a file") == {"a": [1, 2]}


def test_documents_are_checked_against_a_model(tmp_path: Path) -> None:
    """The first key that is wrong is named."""

    class Model(BaseModel):
        value: float

    assert checked(tmp_path, Model, {"value": 1}, "a value").value == 1
    with pytest.raises(DocumentError, match="at value: input should be a valid number"):
        checked(tmp_path, Model, {"value": "x"}, "a value")
    with pytest.raises(DocumentError, match="at the top: "):
        checked(tmp_path, Model, 3, "a value")


def test_a_digest_is_of_what_is_said() -> None:
    """The order of keys says nothing; the place does."""
    assert digest({"a": 1, "b": float("nan")}) == digest({"b": float("nan"), "a": 1})
    assert len({digest({}), digest({"a": 1}), digest({}, "hsc"), digest({}, "hsc", "r")}) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-03T12:00:00", NOON),
        ("2026-02-03T13:00:00+01:00", NOON),
        ("2026-02-03 12:00:00Z", NOON),
        ("explicit_timestamp:20260203T120000Z", NOON),
        (NOON, NOON),
        (NOON.replace(tzinfo=None), NOON),
        ("HSC/runs/d_2026_02_03/DM-1", datetime(2026, 2, 3, tzinfo=UTC)),
        ("w_2026_06", datetime(2026, 2, 5, tzinfo=UTC)),
        ("run_timestamp", None),
        (None, None),
        (3, None),
    ],
)
def test_moments_are_found_in_texts(text: object, expected: datetime | None) -> None:
    """ISO 8601, stamps of runs, and tags of daily and weekly releases; without a zone in UTC."""
    assert moment(text) == expected


@pytest.mark.parametrize("text", ["d_2026_13_41", "w_2026_60", "20261341T990000Z"])
def test_what_only_looks_like_a_moment_is_none(text: str) -> None:
    """A thirteenth month is no date, and no traceback."""
    assert moment(text) is None
