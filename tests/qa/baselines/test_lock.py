"""Writers of the baselines take turns."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest

from qa.baselines.lock import NAME, BusyError, NotWritableError, writing

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Neither the lock, nor a folder that was made for it."""
    root = tmp_path / "new"
    with writing(root):
        assert (root / NAME).is_file()
    assert not root.exists()
    root.mkdir()
    with writing(root):
        pass
    assert list(root.iterdir()) == []


def test_a_folder_that_was_filled_stays(tmp_path: Path) -> None:
    """With what is in it."""
    with writing(tmp_path / "new"):
        (tmp_path / "new" / "ledger.yaml").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["ledger.yaml"]


def test_a_second_writer_is_told_after_a_while(tmp_path: Path) -> None:
    """Which folder is busy, and what to do."""
    with writing(tmp_path), pytest.raises(BusyError, match=r"another obsqa is writing .*; wait for it or end it"):  # noqa: SIM117
        with writing(tmp_path, patience=0.0):
            pass
    with writing(tmp_path, patience=0.0):
        pass


def test_a_lock_that_a_killed_process_left_does_not_count(tmp_path: Path) -> None:
    """The file alone locks nothing."""
    (tmp_path / NAME).touch()
    with writing(tmp_path, patience=0.0):
        pass
    assert not (tmp_path / NAME).exists()


def _count_up(root: Path, times: int) -> None:
    for _ in range(times):
        with writing(root):
            path = root / "number"
            number = int(path.read_text()) if path.exists() else 0
            path.write_text(str(number + 1))


def test_nothing_is_lost_between_processes(tmp_path: Path) -> None:
    """Four processes that read, add and write give the sum."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_count_up, args=(tmp_path, 10)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert (tmp_path / "number").read_text() == "40"


def test_what_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    """One line: which folder, what is wrong with it, what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(NotWritableError, match=r"file: must be a folder .* found: File exists; work in a checkout"):  # noqa: SIM117
        with writing(tmp_path / "file"):
            pass
