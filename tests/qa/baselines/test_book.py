"""Ledger and baseline files are read and written as one."""

from __future__ import annotations

import multiprocessing
import shutil
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa import baselines
from qa.baselines import DisagreementError, files
from qa.baselines.book import opened
from qa.baselines.standing import replay
from qa.errors import DocumentError, UnknownNameError
from qa.locations import regression_data

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qa.baselines.ledger import Decision, Entry

    Accept = Callable[..., tuple[Entry, ...]]


def file_of(root: Path, camera: str = "hsc") -> Path:
    """Return the baselines of the twin of a camera."""
    return baselines.path_of(root, camera, "twin")


def edit(path: Path, old: str, new: str) -> None:
    """Change a text by hand."""
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def replayed(root: Path) -> dict[Path, bytes]:
    """Return the files that the ledger makes, from its first entry to its last."""
    return {
        files.path_of(root, *of): files.rendered(*of, accepted.values()).encode()
        for of, accepted in replay(baselines.ledger(root)).items()
    }


def present(root: Path) -> dict[Path, bytes]:
    """Return the files that are there."""
    return {path: path.read_bytes() for path in (root / "baselines").glob("*/*.json")}


METRICS = st.sampled_from(["PA1", "PA2", "PF1", "AM1"])
VALUES = st.dictionaries(METRICS, st.none() | st.floats(0, 7), min_size=1)
ACTS = st.one_of(
    st.tuples(st.just("accept"), st.sampled_from(["hsc", "decam"]), VALUES),
    st.tuples(st.just("undo"), st.none(), st.none()),
    st.tuples(st.just("drop"), st.none(), METRICS),
    st.tuples(st.just("expire"), st.none(), st.none()),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])  # each writes and syncs files
@given(acts=st.lists(ACTS, min_size=1, max_size=5))
def test_the_ledger_makes_the_files(
    tmp_path_factory: pytest.TempPathFactory,
    accept_values: Accept,
    decision: Decision,
    acts: list[tuple[Any, Any, Any]],
) -> None:
    """Whatever was decided: replaying every entry from the first gives every byte of every file."""
    root = tmp_path_factory.mktemp("regression_data")
    for act, camera, what in acts:
        with suppress(baselines.CannotUndoError, UnknownNameError):  # there may be nothing to undo or to let go
            if act == "accept":
                accept_values(root, what, camera=camera, expires=date(2026, 6, 1))
            elif act == "undo":
                baselines.undo(root, decision=decision)
            elif act == "expire":
                baselines.expire(root, decision=decision, today=date(2026, 7, 1))
            else:
                baselines.drop(root, baselines.Choice(metrics=(what,)), decision=decision)
        assert replayed(root) == present(root)
    assert baselines.disagreements(root) == ()


def test_the_shipped_ledger_makes_the_shipped_files() -> None:
    """Nobody moved a baseline by hand."""
    root = regression_data()
    assert baselines.disagreements(root) == ()
    assert replayed(root) == present(root)


def test_an_entry_whose_writing_was_cut_off_is_completed(tmp_path: Path, accept_values: Accept) -> None:
    """The next writer makes up for it, and says so in a line."""
    accept_values(tmp_path, {"PA1": 4.0})
    before = file_of(tmp_path).read_bytes()
    (entry,) = accept_values(tmp_path, {"PA1": 5.0})
    after = file_of(tmp_path).read_bytes()
    file_of(tmp_path).write_bytes(before)  # as if the process had ended between the two writes
    (found,) = baselines.disagreements(tmp_path)
    assert (found.cut_off, found.entry, found.line) == (True, entry.id, 2)
    told: list[str] = []
    accept_values(tmp_path, {"PF1": 1.0}, tell=told.append)
    assert told == [f"{file_of(tmp_path)}: completed the last entry of the ledger, whose writing was cut off"]
    baselines.undo(tmp_path, decision=entry.decision)
    assert file_of(tmp_path).read_bytes() == after


def test_a_first_entry_that_was_cut_off_is_completed(tmp_path: Path, accept_values: Accept) -> None:
    """There is no file yet."""
    accept_values(tmp_path, {"PA1": 4.0})
    after = file_of(tmp_path).read_bytes()
    file_of(tmp_path).unlink()
    told: list[str] = []
    assert accept_values(tmp_path, {"PA1": 4.0}, tell=told.append) == ()
    assert len(told) == 1
    assert file_of(tmp_path).read_bytes() == after


def test_several_entries_of_one_decision_are_completed(tmp_path: Path, accept_values: Accept) -> None:
    """They were written together, and may have been cut off together."""
    accept_values(tmp_path, {"AM1": 5.0})
    before = file_of(tmp_path).read_bytes()
    for metric in ("PA1", "PF1"):
        accept_values(tmp_path, {metric: 4.0}, why="one decision")
    file_of(tmp_path).write_bytes(before)
    assert all(one.cut_off for one in baselines.disagreements(tmp_path))
    accept_values(tmp_path, {"PA1": 5.0}, why="another", tell=lambda _: None)
    assert replayed(tmp_path) == present(tmp_path)


def test_a_file_of_older_decisions_is_no_accident(tmp_path: Path, accept_values: Accept) -> None:
    """Two decisions back is where a person put it."""
    accept_values(tmp_path, {"AM1": 5.0})
    before = file_of(tmp_path).read_bytes()
    accept_values(tmp_path, {"PA1": 4.0}, why="one")
    accept_values(tmp_path, {"PF1": 4.0}, why="two")
    file_of(tmp_path).write_bytes(before)
    with pytest.raises(DisagreementError, match=r"PA1 of hsc/twin/r/t0 must be 4\.0"):
        accept_values(tmp_path, {"PA1": 5.0})


def test_a_baseline_moved_by_hand_is_told_with_its_line(tmp_path: Path, accept_values: Accept) -> None:
    """What the ledger says, which entry, what the file says and what to do; nothing is written."""
    (entry,) = accept_values(tmp_path, {"AM1": 5.0, "PA1": 4.0})
    edit(file_of(tmp_path), '"value": 4.0', '"value": 4.5')
    ledger = (tmp_path / "ledger.yaml").read_bytes()
    with pytest.raises(DisagreementError) as refused:
        accept_values(tmp_path, {"PA1": 5.0})
    assert str(refused.value) == (
        f"{file_of(tmp_path)}:3: PA1 of hsc/twin/r/t0 must be 4.0 +- 0.1 mmag (spread 0.01), as entry {entry.id} of "
        "the ledger left it, found 4.5 +- 0.1 mmag (spread 0.01); baselines move by decision only: put the files right "
        "with `obsqa baseline restore`, or let baselines go with `obsqa baseline drop`"
    )
    assert (tmp_path / "ledger.yaml").read_bytes() == ledger


def test_a_baseline_written_by_hand_is_told(tmp_path: Path, accept_values: Accept) -> None:
    """The ledger has no entry of it."""
    accept_values(tmp_path, {"PA1": 4.0, "PF1": 1.0})
    edit(file_of(tmp_path), '"PF1"', '"PF2"')
    first, second = baselines.disagreements(tmp_path)
    assert str(first).startswith(f"{file_of(tmp_path)}: PF1 of hsc/twin/r/t0 must be 1.0 +- 0.1 %")
    assert str(first).endswith("found nothing")
    assert f"{file_of(tmp_path)}:3: PF2 of hsc/twin/r/t0 must be nothing, as the ledger has no entry of it" in str(
        second
    )
    with pytest.raises(DisagreementError, match="and 1 more of its data set"):
        accept_values(tmp_path, {"PA1": 5.0})


def test_one_cameras_file_does_not_stop_another(tmp_path: Path, accept_values: Accept) -> None:
    """What is wrong elsewhere is for those whom it concerns."""
    accept_values(tmp_path, {"PA1": 4.0})
    edit(file_of(tmp_path), '"value": 4.0', '"value": 4.5')
    assert len(accept_values(tmp_path, {"PA1": 4.0}, camera="decam")) == 1


def test_the_files_are_restored_from_the_ledger(tmp_path: Path, accept_values: Accept) -> None:
    """Changed, broken, lost and superfluous ones; the others are left alone."""
    accept_values(tmp_path, {"PA1": 4.0})
    accept_values(tmp_path, {"PA1": 4.0}, camera="decam")
    before = present(tmp_path)
    assert baselines.restore(tmp_path) == ()
    file_of(tmp_path).write_text("nonsense")
    shutil.copytree(tmp_path / "baselines" / "decam", tmp_path / "baselines" / "lsst")
    changed = baselines.restore(tmp_path)
    assert changed == (file_of(tmp_path), file_of(tmp_path, "lsst"))
    file_of(tmp_path, "lsst").unlink()
    file_of(tmp_path).unlink()
    assert baselines.restore(tmp_path) == (file_of(tmp_path),)
    assert present(tmp_path) == before


def test_the_merge_of_two_branches_counts_the_later_entry(tmp_path: Path, accept_values: Accept) -> None:
    """Entries of both sides, one after another, are a ledger; restoring gives the files it makes."""
    accept_values(tmp_path, {"PA1": 4.0})
    ours = tmp_path / "ours"
    shutil.copytree(tmp_path, ours)
    accept_values(tmp_path, {"PA1": 5.0}, why="theirs")
    base = len((ours / "ledger.yaml").read_text())
    accept_values(ours, {"PA1": 6.0}, why="ours")
    with (tmp_path / "ledger.yaml").open("a") as stream:
        stream.write((ours / "ledger.yaml").read_text()[base:])
    baselines.restore(tmp_path)
    (one,) = baselines.load(tmp_path, "hsc", "twin").values()
    assert getattr(one, "value", None) == 6.0


def test_text_after_the_entries_is_not_appended_to(tmp_path: Path, accept_values: Accept) -> None:
    """What would not read back as it was meant is not written."""
    (tmp_path / "ledger.yaml").write_text("entries: []\ndocument: ledger\nschema: 1\n")
    with pytest.raises(
        DocumentError, match=r"ledger.yaml: must be a ledger that ends with its entries, found that none .*; move"
    ):
        accept_values(tmp_path, {"PA1": 4.0})
    assert (tmp_path / "ledger.yaml").read_text() == "entries: []\ndocument: ledger\nschema: 1\n"
    (tmp_path / "ledger.yaml").write_text("document: ledger\nschema: 1\nentries:\n# - a remark\n")
    accept_values(tmp_path, {"PA1": 4.0})


def test_writing_nothing_changes_nothing(tmp_path: Path) -> None:
    """There is not even a file."""
    with opened(tmp_path, lambda _: None) as book:
        book.write([])
    assert list(tmp_path.iterdir()) == []


def _accept_one(accept_values: Accept, root: Path, camera: str, value: float) -> None:
    accept_values(root, {"PA1": value}, camera=camera)


def test_two_accepts_at_once_lose_nothing(tmp_path: Path, accept_values: Accept) -> None:
    """Every entry is in the ledger, and the files are what it makes."""
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_accept_one, args=(accept_values, tmp_path, camera, value))
        for camera in ("hsc", "decam")
        for value in (4.0, 5.0, 6.0)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6
    assert len(baselines.ledger(tmp_path)) == 6
    assert replayed(tmp_path) == present(tmp_path)
