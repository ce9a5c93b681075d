from __future__ import annotations

from typing import TYPE_CHECKING

from ci.assemble import night_of
from ci.console import LineConsole
from ci.lanes import Context, open_run
from ci.settings import Settings
from qa.engines.recorded import RecordedEngine
from qa.journal import FILE_NAME, read_record
from qa.model import Lane, Trigger
from qa.testing import Clock, MemoryStore, a_camera

if TYPE_CHECKING:
    from pathlib import Path


def a_context(folder: Path, *names: str) -> Context:
    """Build a context of test cameras."""
    return Context(
        settings=Settings(runs=folder / "runs", cache=folder, regression_data=folder),
        cameras=[a_camera(name) for name in names],
        engine=RecordedEngine({}),
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={},
    )


def begin(context: Context) -> Path:
    """Begin a night."""
    return open_run(context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=True)


def test_the_cameras_of_the_night_before_are_known(tmp_path: Path) -> None:
    """What ran the last time is compared with what runs now."""
    begin(a_context(tmp_path, "one", "two"))
    context = a_context(tmp_path, "one")
    folder = begin(context)
    assert night_of(context, folder, read_record(folder)).previous_cameras == ("one", "two")


def test_a_damaged_journal_of_an_earlier_night_costs_no_report(tmp_path: Path) -> None:
    """The last readable night counts."""
    begin(a_context(tmp_path, "one", "two"))
    context = a_context(tmp_path, "one")
    (begin(context) / FILE_NAME).write_text("garbage\n")
    folder = begin(context)
    assert night_of(context, folder, read_record(folder)).previous_cameras == ("one", "two")
