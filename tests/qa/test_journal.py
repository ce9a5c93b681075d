from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.errors import DocumentError
from qa.journal import FILE_NAME, Journal, read_entries, read_record, runs_under
from qa.lines import BusyError, RunFolderError
from qa.model import Lane, Plan, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.record import Event, Judged, Measured, RunFinished, RunStarted, StepFinished, StepStarted
from qa.testing import NOW, Clock, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

STEPS = tuple(Step("testcam", "twin", stage) for stage in Stage)
PLAN = Plan("20260301T010000Z", Lane.NIGHTLY, Trigger(), NOW, STEPS)
EVENTS: tuple[Event, ...] = (
    RunStarted(PLAN, {"host": "here"}),
    StepStarted(STEPS[0]),
    StepFinished(StepOutcome(STEPS[0], StepStatus.DONE, 1.0, 1.0, 100.0)),
    Measured("testcam", "twin", (a_measurement(),), ("one detector was left out",)),
    Judged(()),
    RunFinished(0),
)


def write(folder: Path, events: tuple[Event, ...] = EVENTS) -> Path:
    """Write a journal and return its path."""
    path = folder / FILE_NAME
    with Journal(path, Clock()) as journal:
        for event in events:
            journal.append(event)
    return path


def test_events_are_read_back_in_order(tmp_path: Path) -> None:
    """A journal gives back the events that were written, each of its own type."""
    assert tuple(entry.body for entry in read_entries(write(tmp_path))) == EVENTS


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(cut=st.integers(min_value=0, max_value=2000))
def test_a_journal_cut_anywhere_keeps_what_was_whole(tmp_path: Path, cut: int) -> None:
    """A process killed in mid-write loses the torn line and nothing else, and the next one can go on."""
    path = write(tmp_path)
    text = path.read_bytes()[:cut]
    path.write_bytes(text)
    with Journal(path, Clock()) as journal:
        journal.append(RunFinished(4))
    kept = tuple(entry.body for entry in read_entries(path))
    assert kept == (*EVENTS[: text.count(b"\n")], RunFinished(4))
    path.unlink()


def test_a_torn_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    """Damage that no killed process explains is named by file and line."""
    path = write(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b'{"schema": 1, "half\n', *lines[1:]]))
    with pytest.raises(DocumentError, match=rf"{FILE_NAME}:2: must be an event of schema 1"):
        list(read_entries(path))


def test_an_unknown_schema_is_refused(tmp_path: Path) -> None:
    """A journal of another version is not guessed at."""
    path = tmp_path / FILE_NAME
    path.write_text('{"schema": 9}\n')
    with pytest.raises(DocumentError, match="schema 1"):
        list(read_entries(path))


def test_only_one_process_writes_a_run(tmp_path: Path) -> None:
    """A second obsqa on the same run is turned away."""
    path = tmp_path / FILE_NAME
    with Journal(path, Clock()), pytest.raises(BusyError, match="another obsqa is working"):
        Journal(path, Clock())


def test_a_run_is_rebuilt_from_its_journal(tmp_path: Path) -> None:
    """The journal alone tells plan, outcomes, results and the end of a run."""
    write(tmp_path)
    record = read_record(tmp_path)
    assert record.plan == PLAN
    assert record.is_done(STEPS[0])
    assert not record.is_done(STEPS[1])
    assert record.results == (a_measurement(),)
    assert record.exit_code == 0
    assert record.finished is not None


def test_a_journal_without_a_start_is_no_run(tmp_path: Path) -> None:
    """A process killed before its first line leaves no run."""
    (tmp_path / FILE_NAME).write_bytes(b"")
    with pytest.raises(DocumentError, match="a journal with a start"):
        read_record(tmp_path)


def test_runs_are_listed_oldest_first(tmp_path: Path) -> None:
    """Run ids begin with their date; other folders are no runs."""
    for name in ("20260302T010000Z", "20260301T010000Z"):
        write(tmp_path / name)
    (tmp_path / "other").mkdir()
    assert [run.name for run in runs_under(tmp_path)] == ["20260301T010000Z", "20260302T010000Z"]
    assert runs_under(tmp_path / "absent") == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The error names the folder, what is wrong with it and what to do."""
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(RunFolderError, match=r"runs/one: must be a folder that can be written to, .*; choose another"):
        Journal(tmp_path / "runs" / "one" / FILE_NAME, Clock())
