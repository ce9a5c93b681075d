from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ci.bisect.journal import Done, TrialJournal, Value, key_of, read_trials
from qa.errors import DiskFullError, DocumentError
from qa.lines import BusyError, RunFolderError
from qa.testing import NOW

if TYPE_CHECKING:
    from pathlib import Path

DONE = Done("key", {"a": "1"}, 0, {"PA1": Value(5.0, "mmag")}, "", 1.5, 2.5, NOW)


def test_trials_are_kept(tmp_path: Path) -> None:
    """What was written is read again, however the writer ended; a torn last line is dropped."""
    path = tmp_path / "deep" / "trials.jsonl"
    with TrialJournal(path) as journal:
        journal.append(DONE)
        assert journal.known == {"key": DONE}
    with path.open("ab") as stream:
        stream.write(b'{"schema": 1, "key"')
    with TrialJournal(path) as journal:
        assert journal.known == {"key": DONE}
    assert path.read_bytes().endswith(b"\n")
    assert read_trials(tmp_path / "none") == {}


@pytest.mark.parametrize("written", [OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "broken"), 3])
def test_a_full_disk_leaves_what_was_written(
    tmp_path: Path, written: OSError | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that cannot be written whole is not written at all, and not taken for known."""

    def write(handle: int, line: bytes) -> int:
        if isinstance(written, OSError):
            raise written
        return original(handle, line[:written])

    original = os.write
    with TrialJournal(tmp_path / "t") as journal:
        journal.append(DONE)
        monkeypatch.setattr("os.write", write)
        with pytest.raises((DiskFullError, OSError)):
            journal.append(replace(DONE, key="other"))
        assert list(journal.known) == ["key"]
    assert read_trials(tmp_path / "t") == {"key": DONE}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="must be a folder that can be written to"):
        TrialJournal(tmp_path / "file" / "t")


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A second bisect of the same runs is refused while the first one lasts."""
    with TrialJournal(tmp_path / "t"), pytest.raises(BusyError):
        TrialJournal(tmp_path / "t")
    TrialJournal(tmp_path / "t").__exit__()


@pytest.mark.parametrize(
    ("line", "found"),
    [("no json", "Expecting value"), ("{}", "found {}"), ("[1]", "found [1]"), ('{"schema": 1}', "required")],
)
def test_a_line_that_is_no_trial_is_told(tmp_path: Path, line: str, found: str) -> None:
    """With file and line; nothing is tried on top of a journal that cannot be read, and it is not kept locked."""
    path = tmp_path / "trials.jsonl"
    path.write_text(f"{line}\n")
    for _ in range(2):
        with pytest.raises(DocumentError, match=r"trials.jsonl:1: must be a trial of schema 1") as error:
            TrialJournal(path)
        assert found in str(error.value)


def test_the_key_depends_on_everything() -> None:
    """Commits, repeat, data set and configuration; not on the order in which packages are named."""
    keys = {
        key_of({"a": "1", "b": "2"}, 0, {"data": "x"}),
        key_of({"b": "2", "a": "1"}, 0, {"data": "x"}),
        key_of({"a": "1", "b": "3"}, 0, {"data": "x"}),
        key_of({"a": "1", "b": "2"}, 1, {"data": "x"}),
        key_of({"a": "1", "b": "2"}, 0, {"data": "y"}),
    }
    assert len(keys) == 4
